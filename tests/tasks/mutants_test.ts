/** The runner of the mutants: it must tell a guard that tests miss from one that they do not. */
import { assertEquals } from "@std/assert";
import { root } from "../../tasks/process.ts";
import { type Mutant, survivors } from "../../tasks/mutants.ts";
import { MUTANTS } from "../mutation/mod.ts";

const base: Mutant = {
  what: "noticed",
  file: "tasks/check_tag.ts",
  find: "tag === `v${version}`",
  replace: "true",
  tests: ["tests/tasks/check_tag_test.ts"],
};

Deno.test("survivors() reports a guard that no test misses, that no longer stands there, or that breaks the file", async () => {
  const said: string[] = [];
  const wrong = await survivors([
    base,
    { ...base, what: "unnoticed", find: "Deno.exit(1)", replace: "" },
    { ...base, what: "moved", find: "tag == version" },
    { ...base, what: "broken", replace: "(" },
  ], (line) => said.push(line));
  assertEquals(said, ["noticed (failed): noticed"]);
  assertEquals(wrong, [
    "unnoticed: tasks/check_tag.ts lost it, and tests/tasks/check_tag_test.ts passed",
    "moved: the guard must stand once in tasks/check_tag.ts, but it stands there 0 times",
    "broken: tasks/check_tag.ts lost it, and tests/tasks/check_tag_test.ts could not be run",
  ]);
});

Deno.test("survivors() reports tests that fail, or are not there, without any change", async () => {
  const wrong = await survivors([{ ...base, tests: ["tests/tasks/no_such_test.ts"] }], () => {});
  assertEquals(wrong, ["Without any change, tests/tasks/no_such_test.ts could not be run: they can notice nothing"]);
});

Deno.test("every guard that a mutant takes away stands in its file, once", () => {
  for (const { what, file, find } of MUTANTS) {
    assertEquals(Deno.readTextFileSync(new URL(file, root)).split(find).length - 1, 1, what);
  }
});
