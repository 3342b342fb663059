/**
 * `import_entry.ts <entry point> <starts>`: the median time of a program that imports an entry point of the library and
 * does nothing with it; of an empty program for `""`. One start before them fills the caches.
 */
import { fileURLToPath } from "node:url";
import { median } from "../figures.ts";
import { finish } from "../payload.ts";

const [entry, starts] = Deno.args as [string, string];
const file = await Deno.makeTempFile({ suffix: ".ts" });
await Deno.writeTextFile(
  file,
  entry === "" ? "export {};\n" : `import "${new URL(`../../${entry}`, import.meta.url)}";\n`,
);
const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
const args = ["run", "--no-check", "--config", config, file];
const times: number[] = [];
for (let index = 0; index <= Number(starts); index++) {
  const startMs = performance.now();
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args, stdin: "null" }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  if (index > 0) times.push(performance.now() - startMs);
}
await Deno.remove(file);
finish({ ms: median(times) });
