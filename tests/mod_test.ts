/** The cost of importing the library, by what it causes Deno to load. */
import { assertEquals } from "@std/assert";

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

for (const entry of ["mod.ts", "src/testing/mod.ts", "src/cli/mod.ts"]) {
  Deno.test(`importing ${entry} reads no global that Deno loads when it is first read, such as the timers`, async () => {
    const program = PROGRAM.replace("MODULE", JSON.stringify(new URL(`../${entry}`, import.meta.url)));
    const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", "--no-check", program] }).output();
    const read: string[] = JSON.parse(new TextDecoder().decode(stdout));
    assertEquals(read.filter((name) => !CHEAP.includes(name)), []);
  });
}
