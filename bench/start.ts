/** The bench of importing the library: what a process pays that does nothing with it. */
import type { Bench, Line } from "./figures.ts";
import { median } from "./rounds.ts";

/** By name. */
export const startBenches: Readonly<Record<string, Bench>> = { start };

async function start(): Promise<Line[]> {
  const folder = await Deno.makeTempDir();
  const files = { empty: `${folder}/empty.ts`, library: `${folder}/library.ts` };
  await Deno.writeTextFile(files.empty, "export {};\n");
  await Deno.writeTextFile(files.library, `import "${new URL("../mod.ts", import.meta.url)}";\n`);
  const times: Record<keyof typeof files, number[]> = { empty: [], library: [] };
  for (let round = 0; round < 22; round++) {
    for (const name of ["empty", "library"] as const) {
      const startMs = performance.now();
      await new Deno.Command(Deno.execPath(), { args: ["run", "--no-check", files[name]], stdin: "null" }).output();
      // The first rounds fill caches.
      if (round >= 2) times[name].push(performance.now() - startMs);
    }
  }
  await Deno.remove(folder, { recursive: true });
  const value = median(times.library) / median(times.empty);
  return [{
    figure: "a file that imports mod.ts / an empty one",
    value: value.toFixed(2),
    bar: "≤ 1.7",
    met: value <= 1.7,
  }];
}
