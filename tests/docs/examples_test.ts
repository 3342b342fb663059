/**
 * Every `@example` in the source is type-checked and run, as a user would run it: against the entry points of the
 * package.
 */
import { assert, assertStringIncludes } from "@std/assert";
import { filesUnder, root } from "../../tasks/process.ts";
import { openPlayground } from "./snippets.ts";

/** An example: its file and its source. */
interface Example {
  readonly at: string;
  readonly text: string;
}

async function examples(): Promise<Example[]> {
  const found: Example[] = [];
  for (const path of ["mod.ts", ...filesUnder("src/", ".ts")]) {
    const source = await Deno.readTextFile(new URL(path, root));
    for (const match of source.matchAll(/^ *\* ```ts\n((?: *\*.*\n)*?) *\* ```$/gm)) {
      const line = source.slice(0, match.index).split("\n").length;
      found.push({ at: `${path}:${line}`, text: match[1]!.replaceAll(/^ *\* ?/gm, "") });
    }
  }
  return found;
}

Deno.test("every example of the documentation comments runs", async () => {
  const all = await examples();
  assert(all.length >= 10, `only ${all.length} examples were found`);
  await using playground = await openPlayground();
  for (const { at, text } of all) {
    assertStringIncludes(text, 'from "@activejob/kafka', `${at} must import what it shows, as its reader does`);
    await playground.write(`examples/${at.replaceAll(/\W/g, "_")}.ts`, text, true);
  }
  await playground.check();
  await playground.load();
});
