/** Bench of importing the library: the start of a process that imports an entry point and does nothing with it. */
import type { Bench, Line } from "./figures.ts";
import { median } from "./rounds.ts";

/** By name. */
export const startBenches: Readonly<Record<string, Bench>> = { start };

/** Entry points, and how many times as long as an empty program a program that imports one may take. */
const BARS = { "mod.ts": 1.7, "src/testing/mod.ts": 2.2, "src/cli/mod.ts": 2.4 } as const;
const ROUNDS = 20;
/** Rounds that fill caches and are not counted. */
const WARM_UP_ROUNDS = 2;

async function start(): Promise<Line[]> {
  const folder = await Deno.makeTempDir();
  const empty = await program(folder, "empty", "export {};\n");
  const programs = await Promise.all(
    Object.entries(BARS).map(async ([entry, bar]) => ({
      entry,
      bar,
      file: await program(folder, entry, `import "${new URL(`../${entry}`, import.meta.url)}";\n`),
    })),
  );
  const times = new Map<string, number[]>();
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
    for (const file of [empty, ...programs.map(({ file }) => file)]) {
      const startMs = performance.now();
      await new Deno.Command(Deno.execPath(), { args: ["run", "--no-check", file], stdin: "null" }).output();
      if (round >= WARM_UP_ROUNDS) times.set(file, [...times.get(file) ?? [], performance.now() - startMs]);
    }
  }
  await Deno.remove(folder, { recursive: true });
  return programs.map(({ entry, bar, file }) => {
    const value = median(times.get(file)!) / median(times.get(empty)!);
    return {
      figure: `a file that imports ${entry} / an empty one`,
      value: value.toFixed(2),
      bar: `≤ ${bar}`,
      met: value <= bar,
    };
  });
}

async function program(folder: string, name: string, text: string): Promise<string> {
  const file = `${folder}/${name.replaceAll("/", "_").replace(/\.ts$/, "")}.ts`;
  await Deno.writeTextFile(file, text);
  return file;
}
