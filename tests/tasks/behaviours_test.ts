/** The list of promised behaviours: each behaviour has a test, and the page says the same as the tests. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  type BehaviourTest,
  findBehaviourTests,
  findProblems,
  formatPage,
  readPage,
  readTestSources,
} from "../../tasks/behaviours.ts";

Deno.test("docs/behaviours.md lists each promised behaviour with its tests", () => {
  const problems = findProblems(findBehaviourTests(readTestSources()), readPage());
  assertEquals(problems, [], "If the tests are right: deno task check:behaviours --write");
});

// The names are put together here, so that this file itself shows no behaviour.
const call = (head: string, id: string, sentence = "a job") => `${head}"${id}: ${sentence}"`;

Deno.test("findBehaviourTests() finds tests by the id at the start of their names, except ignored ones", () => {
  const tests = findBehaviourTests(
    new Map([
      ["a.ts", [call("Deno.test(", "A1"), call("row(\n  ", "B13", 'a \\"b\\"'), call("name: ", "bad input 3")].join()],
      ["b.ts", [call("Deno.test(", "A1", "another"), call("Deno.test.ignore(", "A2"), call("// see ", "A3")].join()],
      ["c.ts", "row(`" + "W5: a job ${how} is 'sent' again`)"],
    ]),
  );
  assertEquals(tests, [
    { id: "A1", sentence: "a job", path: "a.ts" },
    { id: "B13", sentence: 'a "b"', path: "a.ts" },
    { id: "bad input 3", sentence: "a job", path: "a.ts" },
    { id: "A1", sentence: "another", path: "b.ts" },
    { id: "W5", sentence: "a job … is 'sent' again", path: "c.ts" },
  ]);
});

Deno.test("formatPage() escapes the characters that Markdown would read as markup", () => {
  const test = { id: "A1", sentence: "__proto__ | <b> [a] of *", path: "tests/behaviours/a_test.ts" };
  assertStringIncludes(
    formatPage([test]),
    "| A1 | \\_\\_proto\\_\\_ \\| \\<b> \\[a\\] of \\* | [a_test.ts](../tests/behaviours/a_test.ts) |\n",
  );
});

Deno.test("findProblems() finds a missing test, an unknown id, and a page that differs", () => {
  const all = findBehaviourTests(readTestSources());
  const page = formatPage(all);
  assertEquals(findProblems(all, page), []);
  const [first] = all.filter(({ id }) => id === "P6") as [BehaviourTest];
  const row = (test: BehaviourTest) => formatPage([test]).split("\n").find((line) => line.startsWith("| P6 "));
  assertEquals(findProblems(all.filter((test) => test !== first), page), [
    "Behaviour P6 has no test",
    `docs/behaviours.md has the line "${row(first)}", which the tests do not give`,
  ]);
  const moved = { ...first, path: "tests/moved_test.ts" };
  assertEquals(findProblems(all.map((test) => test === first ? moved : test), page), [
    `docs/behaviours.md lacks the line "${row(moved)}"`,
    `docs/behaviours.md has the line "${row(first)}", which the tests do not give`,
  ]);
  assertEquals(findProblems([...all, { ...first, id: "P99" }], page), [
    `${first.path} shows behaviour P99, which is not in LISTS of tasks/behaviours.ts`,
  ]);
  const [start, ...sections] = page.split("\n## ");
  assertEquals(findProblems(all, [start, ...sections.reverse()].join("\n## ")), [
    "docs/behaviours.md has its lines in another order",
  ]);
});
