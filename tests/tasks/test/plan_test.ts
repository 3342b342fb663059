/** The plan of `deno task test`: every file runs, in the right runs and order. */
import { assertEquals } from "@std/assert";
import { root } from "../../../tasks/process.ts";
import { estimateSeconds, formatCount, formatSeconds, planRuns, type TestFile } from "../../../tasks/test/plan.ts";
import RECORDED from "../../../tasks/test/times.json" with { type: "json" };

const file = (path: string, alone: TestFile["alone"] = "never"): TestFile => ({ path, alone });

const FILES = [
  file("tests/a_test.ts"),
  file("tests/behaviours/a_test.ts"),
  file("tests/behaviours/b_test.ts"),
  file("tests/kafka/a_test.ts", "always"),
  file("tests/worker/a_test.ts"),
  file("tests/worker/b_test.ts"),
  file("tests/worker/c/c_test.ts"),
];

const TIMES = {
  "tests/behaviours/a_test.ts": 5,
  "tests/behaviours/b_test.ts on Kafka": 9,
  "tests/worker/b_test.ts": 6,
};

Deno.test("planRuns() runs behaviours without and on Kafka, the others once, the longest first", () => {
  const runs = planRuns(FILES, TIMES, { groupShort: false });
  assertEquals(runs.map(({ name }) => name), [
    "tests/behaviours/b_test.ts on Kafka",
    "tests/worker/b_test.ts",
    "tests/behaviours/a_test.ts",
    "tests/a_test.ts",
    "tests/behaviours/b_test.ts",
    "tests/worker/a_test.ts",
    "tests/worker/c/c_test.ts",
    "tests/behaviours/a_test.ts on Kafka",
    "tests/kafka/a_test.ts on Kafka",
  ]);
  assertEquals(runs.map(({ seconds }) => seconds), [9, 6, 5, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4]);
  assertEquals(runs.filter(({ isAlone }) => isAlone).map(({ name }) => name), ["tests/kafka/a_test.ts on Kafka"]);
});

Deno.test("planRuns() joins short files of a module, and never a long one or one that runs alone", () => {
  const runs = planRuns(FILES, TIMES, { groupShort: true });
  assertEquals(runs.map(({ name }) => name), [
    "tests/behaviours/b_test.ts on Kafka",
    "tests/worker/b_test.ts",
    "tests/behaviours/a_test.ts",
    "tests/worker (2 files)",
    "tests/a_test.ts",
    "tests/behaviours/b_test.ts",
    "tests/behaviours/a_test.ts on Kafka",
    "tests/kafka/a_test.ts on Kafka",
  ]);
  assertEquals(runs[3]!.paths, ["tests/worker/a_test.ts", "tests/worker/c/c_test.ts"]);
  assertEquals(runs[3]!.seconds, 0.8);

  const alone = planRuns([file("tests/a_test.ts"), file("tests/b_test.ts", "always")], {}, { groupShort: true });
  assertEquals(alone.map(({ paths }) => paths.length), [1, 1]);
  const onKafka = planRuns([file("tests/behaviours/a_test.ts", "on Kafka")], {}, { groupShort: true });
  assertEquals(onKafka.map(({ isAlone }) => isAlone), [false, true]);
});

Deno.test("planRuns() fills a run up to 5 seconds, and starts another one", () => {
  const paths = Array.from({ length: 7 }, (_, n) => `tests/a/${n}_test.ts`);
  const times = Object.fromEntries(paths.map((path) => [path, 1]));
  const runs = planRuns(paths.map((path) => file(path)), times, { groupShort: true });
  assertEquals(runs.map(({ seconds }) => seconds), [5, 2]);
  assertEquals(runs.flatMap(({ paths }) => paths).sort(), paths);
});

Deno.test("planRuns() leaves out files that take longer than a limit", () => {
  const runs = planRuns(FILES, TIMES, { groupShort: false, maxSeconds: 5 });
  const names = runs.map(({ name }) => name);
  assertEquals(names.includes("tests/behaviours/a_test.ts"), true);
  assertEquals(names.some((name) => /worker\/b_test|behaviours\/b_test.ts on Kafka/.test(name)), false);
});

Deno.test("estimateSeconds() is that of runs side by side, and then of those alone", () => {
  const runs = planRuns(FILES, TIMES, { groupShort: false });
  assertEquals(estimateSeconds([], 2), 0);
  assertEquals(Math.round(estimateSeconds(runs, 1) * 10), 224);
  // 9 and five times 0.4 beside 6 + 5, then 0.4 alone.
  assertEquals(Math.round(estimateSeconds(runs, 2) * 10), 114);
});

Deno.test("formatSeconds() and formatCount() write figures with their units", () => {
  assertEquals([0.2, 59.4, 60, 185].map(formatSeconds), ["1 s", "59 s", "1 min 0 s", "3 min 5 s"]);
  assertEquals([formatCount([1], "file"), formatCount([], "file")], ["1 file", "0 files"]);
});

Deno.test("times.json lists only files that exist: after a move, a long file would count as a short one", async () => {
  for (const key of Object.keys(RECORDED)) await Deno.stat(new URL(key.replace(/ on Kafka$/, ""), root));
});
