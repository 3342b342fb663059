/** The list of promised behaviours: each is a test, or is listed as open. */
import { assertEquals } from "@std/assert";
import { progressPage, provedRows, readProgress, testSources, wrongRows } from "../../tasks/rows.ts";

Deno.test("docs/progress.md says of each row what the tests say", () => {
  const wrong = wrongRows(provedRows(testSources()), readProgress());
  assertEquals(wrong, [], "If the tests are right: deno task rows --write");
});

// The names are put together here, so that this file itself proves no row.
const call = (head: string, id: string) => `${head}"${id}: a job"`;

Deno.test("provedRows() takes a test by the id at the start of its name, and none that is left out", () => {
  const proved = provedRows(
    new Map([
      ["a.ts", [call("Deno.test(", "A1"), call("row(\n  ", "B13"), call("name: ", "bad input 3")].join(";\n")],
      ["b.ts", [call("Deno.test(", "A1"), call("Deno.test.ignore(", "A2"), call("// see ", "A3")].join(";\n")],
    ]),
  );
  assertEquals([...proved], [["A1", ["a.ts", "b.ts"]], ["B13", ["a.ts"]], ["bad input 3", ["a.ts"]]]);
});

Deno.test("wrongRows() finds a row that is missing, listed as open though proved, or proved elsewhere", () => {
  const before = new Map([["A1", ["a.ts"]]]);
  const page = progressPage(before);
  assertEquals(wrongRows(before, page), []);
  assertEquals(wrongRows(new Map(), page), ["Row A1 has no test, and is not listed as open"]);
  const after = new Map([["A1", ["b.ts"]], ["A2", ["b.ts"]]]);
  assertEquals(wrongRows(after, page), [
    'Row A1 is proved by b.ts, but docs/progress.md says "a.ts"',
    'Row A2 is proved by b.ts, but docs/progress.md says "open"',
  ]);
  assertEquals(wrongRows(before, null).length, 81);
});
