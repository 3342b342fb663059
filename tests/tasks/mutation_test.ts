/** The runner of the mutants distinguishes a guard that a test notices from one that no test notices. */
import { assertEquals } from "@std/assert";
import { findMisplacedGuards, findSyntaxErrors, type Mutant } from "../../tasks/mutation/mutant.ts";
import { runMutants } from "../../tasks/mutation/runner.ts";
import { root } from "../../tasks/process.ts";
import { MUTANTS } from "../mutation/mod.ts";

const read = (file: string) => Deno.readTextFileSync(new URL(file, root));

const base: Mutant = {
  what: "noticed",
  file: "tasks/check_tag.ts",
  find: "tag === `v${version}`",
  replace: "true",
  tests: ["tests/tasks/check_tag_test.ts"],
};

async function runAndCollect(mutants: readonly Mutant[]): Promise<(readonly [string, string | null])[]> {
  const outcomes: (readonly [string, string | null])[] = [];
  const { signal } = new AbortController();
  await runMutants(mutants, { atOnce: 2, signal, ended: ({ what }, problem) => outcomes.push([what, problem]) });
  return outcomes;
}

Deno.test("runMutants() finds a guard that no test notices, and a change that breaks the file", async () => {
  const outcomes = await runAndCollect([
    base,
    { ...base, what: "noticed by one", only: "accepts the" },
    { ...base, what: "without a test", only: "no such test" },
    { ...base, what: "unnoticed", find: "Deno.exit(1)", replace: "" },
    { ...base, what: "broken", replace: "(" },
  ]);
  assertEquals(outcomes, [
    ["noticed", null],
    ["noticed by one", null],
    [
      "without a test",
      `without the guard in tasks/check_tag.ts, "no such test" in tests/tasks/check_tag_test.ts could not be run`,
    ],
    ["unnoticed", "without the guard in tasks/check_tag.ts, tests/tasks/check_tag_test.ts passed"],
    ["broken", "without the guard in tasks/check_tag.ts, tests/tasks/check_tag_test.ts could not be run"],
  ]);
});

Deno.test("runMutants() finds tests that do not pass, or do not exist, without any change", async () => {
  const outcomes = await runAndCollect([{ ...base, tests: ["tests/tasks/no_such_test.ts"] }]);
  assertEquals(outcomes, [["noticed", "without any change, tests/tasks/no_such_test.ts could not be run"]]);
});

Deno.test("findMisplacedGuards() finds a text that is missing or not unique", () => {
  const sources: Record<string, string> = { "a.ts": "one two two" };
  const of = (find: string) => findMisplacedGuards([{ ...base, file: "a.ts", find }], (file) => sources[file]!);
  assertEquals(of("one"), []);
  assertEquals(of("two"), ['"noticed": the text to replace must be in a.ts once, but it is there 2 times: two']);
  assertEquals(of("three"), ['"noticed": the text to replace must be in a.ts once, but it is there 0 times: three']);
});

Deno.test("findSyntaxErrors() finds a change that cannot be parsed", async () => {
  const broken = { ...base, what: "broken", replace: "(" };
  assertEquals(await findSyntaxErrors([base, broken], read), [
    '"broken": the changed tasks/check_tag.ts cannot be parsed: SyntaxError: Expression expected',
  ]);
});

Deno.test("tests/mutation/ names guards that are in their files once", () => {
  assertEquals(findMisplacedGuards(MUTANTS, read), []);
});
