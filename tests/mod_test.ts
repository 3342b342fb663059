/** The cost of importing the library, by what it causes Deno to load. */
import { assert, assertEquals } from "@std/assert";
import { readSources, type Sources } from "../tasks/imports.ts";

/** Replaces each global that is read through a getter, and prints the names of those that an import reads. */
const PROGRAM = `
const read = new Set();
for (const object of [globalThis, Deno]) {
  for (const [name, { get, set, configurable }] of Object.entries(Object.getOwnPropertyDescriptors(object))) {
    if (get === undefined || !configurable) continue;
    const getter = () => {
      read.add(name);
      return get.call(object);
    };
    Object.defineProperty(object, name, { configurable, get: getter, set });
  }
}
await import(MODULE);
console.log(JSON.stringify([...read]));
`;

/** Globals that take no time to load. */
const CHEAP = ["TextDecoder", "TextEncoder"];

/** The entry points, and the number of files that each may load at once. A file costs 0.2 ms, an empty program 20 ms. */
const LIMITS = { "mod.ts": 79, "src/testing/mod.ts": 113, "src/cli/mod.ts": 18 };

for (const entry of Object.keys(LIMITS)) {
  Deno.test(`importing ${entry} reads no global that Deno loads when it is first read, such as the timers`, async () => {
    const program = PROGRAM.replace("MODULE", JSON.stringify(new URL(`../${entry}`, import.meta.url)));
    const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", "--no-check", program] }).output();
    const read: string[] = JSON.parse(new TextDecoder().decode(stdout));
    assertEquals(read.filter((name) => !CHEAP.includes(name)), []);
  });
}

Deno.test("each entry point loads few files at once; the others are loaded when they are first needed", async () => {
  const sources = await readSources();
  for (const [entry, limit] of Object.entries(LIMITS)) {
    const { size } = collectLoaded(sources, entry);
    assert(size <= limit, `${entry} loads ${size} files at once, but at most ${limit} are allowed`);
  }
});

/** The files that a file loads at once, itself included. */
function collectLoaded(sources: Sources, file: string, loaded: Set<string> = new Set()): Set<string> {
  if (loaded.has(file)) return loaded;
  loaded.add(file);
  for (const { to, lazy } of sources.get(file)?.imports ?? []) {
    if (!lazy && sources.has(to)) collectLoaded(sources, to, loaded);
  }
  return loaded;
}
