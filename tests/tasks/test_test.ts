/** `deno task test`, in a copy of the project with other tests: its last lines and its exit code are true. */
import { assertEquals } from "@std/assert";
import { copyProject } from "../../tasks/copy.ts";
import { deno, type Ended } from "../../tasks/process.ts";

const PASSES = `Deno.test("passes", () => {});\nDeno.test.ignore("is left out", () => {});\n`;
const STEPS =
  `Deno.test("has steps", async (t) => { await t.step("one", () => {}); await t.step("two", () => {}); });\n`;
const FAILS = `Deno.test("fails", () => { throw new Error("as it should"); });\n`;
const LEAKS = `Deno.test("leaks", () => { setTimeout(() => {}, 1000); });\n`;
const SEES_NO_KAFKA =
  `Deno.test("sees no Kafka", () => { if (Deno.env.has("BROKER_URL")) throw new Error("It does"); });\n`;

/** An address without a listener: no system gives this port to a program that asks for any. */
const nowhere = "127.0.0.1:1";

/** `PATH` without Java. */
const NO_JAVA = { PATH: "/nowhere" };
const NO_JAVA_LINE = "The Kafka tests were left out: Cannot start Kafka: Java 17 or later is not on the PATH";

/** `PATH` without Ruby. */
const NO_RUBY = { PATH: "/nowhere" };
const NO_RUBY_LINE = "The tests with Ruby were left out: there is no Ruby: apt-get install ruby ruby-activejob";

/** `PATH` without Chromium. */
const NO_CHROMIUM = { PATH: "/nowhere" };
const NO_CHROMIUM_LINE = "The tests with Chromium were left out: there is no Chromium: apt-get install chromium";

/** A folder with a `ruby` that has Active Job. */
const fakeRuby = await Deno.makeTempDir();
await Deno.writeTextFile(`${fakeRuby}/ruby`, "#!/bin/sh\n", { mode: 0o755 });
addEventListener("unload", () => Deno.removeSync(fakeRuby, { recursive: true }));

/**
 * The planted tests, the arguments and environment of the run, and the last lines and the exit code that it must have.
 */
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
    args: ["tests", "--no-check", "--kafka=off"],
    lines: [
      "The Kafka tests were left out: --kafka=off was given",
      "Failed: tests/b/c_test.ts",
      "2 passed, 1 failed",
    ],
    code: 1,
  },
  {
    name: "takes paths and a filter, and fails if nothing is executed",
    tests: { "a_test.ts": PASSES, "b/c_test.ts": FAILS },
    args: ["--no-check", "tests/a_test.ts", "--filter", "nothing"],
    lines: ["No test was executed", "0 passed, 0 failed"],
    code: 1,
  },
  {
    name: "counts files with wrong types as one failed test, and runs none",
    tests: { "a_test.ts": `${PASSES}export const a: number = "";\n`, "b_test.ts": FAILS },
    args: ["tests"],
    lines: ["The types are wrong: no test was run", "0 passed, 1 failed"],
    code: 1,
  },
  {
    name: "counts a file that cannot be loaded as one failed test",
    tests: { "a_test.ts": `${PASSES}throw new Error("while it loads");\n`, "b/b_test.ts": PASSES },
    lines: ["Failed: tests/a_test.ts", "1 passed, 1 failed"],
    code: 1,
  },
  {
    name: "fails a test that leaks",
    tests: { "a_test.ts": LEAKS + PASSES },
    lines: ["Failed: tests/a_test.ts", "1 passed, 1 failed"],
    code: 1,
  },
  {
    name: "fails if no Kafka responds at BROKER_URL, and hides it from tests that need none",
    tests: { "a_test.ts": SEES_NO_KAFKA, "kafka/b_test.ts": PASSES },
    env: { BROKER_URL: nowhere },
    lines: [
      `The Kafka tests were left out: BROKER_URL is "${nowhere}", but nothing answers there`,
      "1 passed, 1 failed",
    ],
    code: 1,
  },
  {
    name: "passes without a Kafka, also with CI=true",
    tests: { "a_test.ts": PASSES, "kafka/b_test.ts": FAILS },
    env: { CI: "true", ...NO_JAVA },
    lines: [NO_JAVA_LINE, "1 passed, 0 failed"],
    code: 0,
  },
  {
    name: "fails without a Kafka if it is required",
    tests: { "a_test.ts": PASSES, "kafka/b_test.ts": FAILS },
    args: ["tests", "--no-check", "--require", "kafka"],
    env: NO_JAVA,
    lines: [NO_JAVA_LINE, "1 passed, 1 failed"],
    code: 1,
  },
  {
    name: "passes without a Ruby, and says so",
    tests: { "a_test.ts": PASSES, "rails/b_test.ts": PASSES },
    env: NO_RUBY,
    lines: [NO_RUBY_LINE, "2 passed, 0 failed"],
    code: 0,
  },
  {
    name: "fails without a Ruby if it is required",
    tests: { "a_test.ts": PASSES, "rails/b_test.ts": PASSES },
    args: ["tests", "--no-check", "--require=ruby"],
    env: NO_RUBY,
    lines: [NO_RUBY_LINE, "2 passed, 1 failed"],
    code: 1,
  },
  {
    name: "passes without a Chromium, and says so",
    tests: { "a_test.ts": PASSES, "web/browser/b_test.ts": PASSES },
    env: NO_CHROMIUM,
    lines: [NO_CHROMIUM_LINE, "2 passed, 0 failed"],
    code: 0,
  },
  {
    name: "fails without a Chromium if it is required",
    tests: { "a_test.ts": PASSES, "web/browser/b_test.ts": PASSES },
    args: ["tests", "--no-check", "--require=chromium"],
    env: NO_CHROMIUM,
    lines: [NO_CHROMIUM_LINE, "2 passed, 1 failed"],
    code: 1,
  },
  {
    name: "fails if a Ruby is required and no test with one was executed",
    tests: { "a_test.ts": PASSES, "rails/b_test.ts": `Deno.test.ignore("is left out", () => {});\n` },
    args: ["tests", "--no-check", "--require", "ruby"],
    env: { PATH: fakeRuby },
    lines: ["No test was executed with Ruby", "1 passed, 1 failed"],
    code: 1,
  },
];

/** The parts of the library that the tasks import. */
const IMPORTED = ["errors.ts", "support"];

/** Removes the tests, and the code that no task imports: checking its types would take most of the time. */
async function removeOthers(project: URL): Promise<void> {
  const library = new URL("src/", project);
  const parts = Array.from(Deno.readDirSync(library), ({ name }) => name).filter((name) => !IMPORTED.includes(name));
  const others = ["tests", "bench", "examples", "mod.ts"].map((name) => new URL(name, project));
  for (const url of [...others, ...parts.map((name) => new URL(name, library))]) {
    await Deno.remove(url, { recursive: true });
  }
}

/** Runs `deno task test` in a copy of the project that has these tests only. */
async function runTests(
  tests: Readonly<Record<string, string>>,
  args: readonly string[] = ["tests", "--no-check"],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended & { lines: string[] }> {
  await using copy = await copyProject();
  await removeOthers(copy.url);
  for (const [file, source] of Object.entries(tests)) {
    const url = new URL(`tests/${file}`, copy.url);
    await Deno.mkdir(new URL("./", url), { recursive: true });
    await Deno.writeTextFile(url, source);
  }
  const ended = await deno(["run", "-A", "tasks/test.ts", ...args], {
    cwd: copy.url,
    env: { BROKER_URL: undefined, CI: undefined, ...env },
  });
  return { ...ended, lines: ended.stdout.trimEnd().split("\n") };
}

for (const { name, tests, args, env, lines, code } of CASES) {
  Deno.test(`deno task test ${name}`, async () => {
    const ended = await runTests(tests, args, env);
    assertEquals(ended.lines.slice(-lines.length), lines, ended.stdout + ended.stderr);
    assertEquals(ended.code, code);
  });
}

Deno.test("deno task test prints stages, each run with its number and time, and the output of failed runs", async () => {
  const { lines } = await runTests({
    "a_test.ts": `// Runs alone: it measures time.\n${PASSES}`,
    "b/c_test.ts": FAILS,
    "d/e_test.ts": PASSES,
  }, ["tests"]);
  const shown = lines.map((line) => line.replaceAll(/(\d+ min )?\d+ s\b|\d+\.\d s/g, "… s"));
  assertEquals(shown.filter((line) => /^(\d+ files|\[)/.test(line)), [
    `3 files in 3 runs, 0 on Kafka, ${
      Math.max(2, Math.min(navigator.hardwareConcurrency, 4))
    } at once: expected time … s`,
    "[1/3] Check the types",
    "[2/3] 2 runs side by side, the longest first",
    "[3/3] 1 run one after the other: they measure time",
  ]);
  assertEquals(shown.filter((line) => /^3\/3/.test(line)), ["3/3   … s  tests/a_test.ts: 1 passed"]);
  assertEquals(shown.filter((line) => /^[12]\/3/.test(line)).map((line) => line.replace(/^.* {2}/, "")).sort(), [
    "tests/b/c_test.ts: 0 passed, 1 FAILED (… s left)",
    "tests/d/e_test.ts: 1 passed (… s left)",
  ]);
  assertEquals(lines.some((line) => line.includes("as it should")), true);
});

/** A `java` that ends when the file `started` appears beside it, or after a minute, when it writes the file `late`. */
const SLOW_JAVA = `#!/bin/sh
folder=$(/usr/bin/dirname "$0")
tries=0
until [ -e "$folder/started" ]; do
  if [ $tries = 1200 ]; then echo > "$folder/late"; exit 1; fi
  tries=$((tries + 1))
  /bin/sleep 0.05
done
exit 1
`;

Deno.test({
  name: "deno task test runs tests without Kafka while the Kafka still starts",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${folder}/java`, SLOW_JAVA, { mode: 0o755 });
      const write = `Deno.test("runs", () => Deno.writeTextFileSync("${folder}/started", ""));\n`;
      const { lines } = await runTests({ "a_test.ts": write, "kafka/b_test.ts": PASSES }, undefined, { PATH: folder });
      assertEquals(lines.at(-1), "1 passed, 0 failed");
      const files = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
      assertEquals(files, ["java", "started"]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("deno task test refuses arguments that it does not know, and exits with 2", async () => {
  for (
    const [args, message] of [
      [
        ["--require", "kafak"],
        'Cannot read --require: unknown part "kafak"; did you mean "kafka"? (declared: "kafka", "ruby", "chromium", "node")',
      ],
      [["--require=kafka", "--kafka=off"], "--kafka=off contradicts --require kafka"],
      [["--kafka=maybe"], 'Cannot read --kafka: it must be "auto", "required" or "off", but it is "maybe"'],
      [["tests/no_such"], 'There is no file or folder "tests/no_such"; the value of an option is written with "="'],
      [["--record-times", "tests/tasks"], "--record-times measures the whole suite: it takes no paths and no options"],
    ] as const
  ) {
    const { code, stdout, stderr } = await deno(["run", "-A", "tasks/test.ts", ...args]);
    assertEquals([stdout, code], ["", 2]);
    assertEquals(stderr.trimEnd().split(": --option=value")[0], message);
  }
});
