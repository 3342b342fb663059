/** `deno task test`, in a copy of the project with other tests: its last line and its exit code tell the truth. */
import { assertEquals } from "@std/assert";
import { copyProject } from "../../tasks/copy.ts";
import { deno } from "../../tasks/process.ts";

const PASSES = `Deno.test("passes", () => {});\nDeno.test.ignore("is left out", () => {});\n`;
const STEPS =
  `Deno.test("has steps", async (t) => { await t.step("one", () => {}); await t.step("two", () => {}); });\n`;
const FAILS = `Deno.test("fails", () => { throw new Error("as it should"); });\n`;
const LEAKS = `Deno.test("leaks", () => { setTimeout(() => {}, 1000); });\n`;
const STANDS_OUTSIDE =
  `Deno.test("sees no Kafka", () => { if (Deno.env.has("BROKER_URL")) throw new Error("It does"); });\n`;

/** A port that nothing listens on: one that was free a moment ago. */
function closedPort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return listener.addr.port;
}

const nowhere = `127.0.0.1:${closedPort()}`;

/** What is planted, with what arguments and environment it is run, and what must come out. */
const CASES: readonly {
  readonly name: string;
  readonly tests: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly lines: readonly string[];
  readonly code: number;
}[] = [
  {
    name: "counts tests over all files, not their steps",
    tests: { "a_test.ts": PASSES, "b/c_test.ts": STEPS + FAILS, "kafka/d_test.ts": FAILS },
    args: ["--kafka=off"],
    lines: ["The Kafka tests were left out: --kafka=off was given", "2 passed, 1 failed"],
    code: 1,
  },
  {
    name: "takes paths and a filter, and fails if nothing is executed",
    tests: { "a_test.ts": PASSES, "b/c_test.ts": FAILS },
    args: ["tests/a_test.ts", "--filter", "nothing"],
    lines: ["No test was executed", "0 passed, 0 failed"],
    code: 1,
  },
  {
    name: "counts files that cannot be compiled as one failed test",
    tests: { "a_test.ts": `${PASSES}export const a: number = "";\n` },
    args: ["tests/a_test.ts"],
    lines: ["0 passed, 1 failed"],
    code: 1,
  },
  {
    name: "fails a test that leaks",
    tests: { "a_test.ts": LEAKS + PASSES },
    args: ["tests/a_test.ts"],
    lines: ["1 passed, 1 failed"],
    code: 1,
  },
  {
    name: "fails where the Kafka in BROKER_URL does not answer, and hides it from the tests that need none",
    tests: { "a_test.ts": STANDS_OUTSIDE, "kafka/b_test.ts": PASSES },
    env: { BROKER_URL: nowhere },
    lines: [
      `The Kafka tests were left out: BROKER_URL is "${nowhere}", but nothing answers there`,
      "1 passed, 1 failed",
    ],
    code: 1,
  },
  {
    name: "goes without a Kafka where none is required",
    tests: { "a_test.ts": PASSES, "kafka/b_test.ts": FAILS },
    args: ["--kafka=auto"],
    env: { BROKER_URL: nowhere },
    lines: [
      `The Kafka tests were left out: BROKER_URL is "${nowhere}", but nothing answers there`,
      "1 passed, 0 failed",
    ],
    code: 0,
  },
];

for (const { name, tests, args = [], env = {}, lines, code } of CASES) {
  Deno.test(`deno task test ${name}`, async () => {
    await using copy = await copyProject();
    await Deno.remove(new URL("tests/", copy.url), { recursive: true });
    for (const [file, source] of Object.entries(tests)) {
      const url = new URL(`tests/${file}`, copy.url);
      await Deno.mkdir(new URL("./", url), { recursive: true });
      await Deno.writeTextFile(url, source);
    }
    const ended = await deno(["run", "-A", "tasks/test.ts", ...args], {
      cwd: copy.url,
      env: { BROKER_URL: undefined, CI: undefined, ...env },
    });
    assertEquals(ended.stdout.trimEnd().split("\n").slice(-lines.length), lines);
    assertEquals(ended.code, code);
  });
}
