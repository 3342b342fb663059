/** The command line from outside: real child processes on the memory broker, their output and their exit codes. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { EXIT } from "../../src/cli/exit_codes.ts";
import { VERSION } from "../../src/cli/version.ts";
import { Child, CLI, cli } from "../support/child.ts";

const HELLO = "tests/cli/apps/hello.ts";
const BROKEN = "tests/cli/apps/broken.ts";

Deno.test("VERSION is the version in deno.json", async () => {
  const config = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
  assertEquals(VERSION, config.version);
});

/** Command lines, how they end, and the whole of their first line on one of the streams. */
const CASES: readonly {
  readonly args: readonly string[];
  readonly code: number;
  readonly stdout?: RegExp;
  readonly stderr?: RegExp;
}[] = [
  { args: ["--version"], code: EXIT.ok, stdout: new RegExp(`^@activejob/kafka ${VERSION.replaceAll(".", "\\.")}$`) },
  { args: ["--help"], code: EXIT.ok, stdout: /^Background jobs on Kafka\.$/ },
  { args: ["help", "worker"], code: EXIT.ok, stdout: /^Perform jobs until stopped\.$/ },
  { args: ["enqueue", "--app", "--help"], code: EXIT.ok, stdout: /^Enqueue one job, / },
  { args: [], code: EXIT.usage, stderr: /^Background jobs on Kafka\.$/ },
  { args: ["wroker"], code: EXIT.usage, stderr: /^error: Unknown command "wroker"; did you mean "worker"\?/ },
  { args: ["help", "skipp"], code: EXIT.usage, stderr: /^error: Unknown command "skipp"; did you mean "skip"\?/ },
  { args: ["--app", "x"], code: EXIT.usage, stderr: /^error: Unknown option "--app": the command comes first$/ },
  {
    args: ["worker", "--onec"],
    code: EXIT.usage,
    stderr: /^error: Unknown option "--onec" of "worker"; did you mean "--once"\?/,
  },
  { args: ["worker", "-x"], code: EXIT.usage, stderr: /^error: Unknown option "-x" of "worker"/ },
  { args: ["worker"], code: EXIT.usage, stderr: /^error: Option "--app MODULE" is missing/ },
  { args: ["worker", "--app"], code: EXIT.usage, stderr: /^error: Option "--app" needs a value: --app MODULE$/ },
  { args: ["worker", "--app="], code: EXIT.usage, stderr: /^error: Option "--app" needs a value: --app MODULE$/ },
  {
    args: ["worker", "--once=yes"],
    code: EXIT.usage,
    stderr: /^error: Option "--once" takes no value, but it is "yes"$/,
  },
  {
    args: ["worker", "--app", HELLO, "more"],
    code: EXIT.usage,
    stderr: /^error: "worker" takes options only, but it is given "more"$/,
  },
  {
    args: ["worker", "app.ts"],
    code: EXIT.usage,
    stderr: /^error: "worker" takes options only, but it is given "app.ts"; did you mean --app app.ts\?$/,
  },
  {
    args: ["worker", "--app", HELLO, "--concurrency", "0"],
    code: EXIT.usage,
    stderr: /^error: Option "--concurrency" must be an integer from 1 up, but it is "0"$/,
  },
  {
    args: ["worker", "--app", HELLO, "--concurrency=-1"],
    code: EXIT.usage,
    stderr: /^error: Option "--concurrency" must be an integer from 1 up, but it is "-1"$/,
  },
  {
    args: ["worker", "--app", HELLO, "--health-port", "65536"],
    code: EXIT.usage,
    stderr: /^error: Option "--health-port" must be a port from 0 to 65535, but it is "65536"$/,
  },
  {
    args: ["worker", "--app", HELLO, "--health-port", "http"],
    code: EXIT.usage,
    stderr: /^error: Option "--health-port" must be a port from 0 to 65535, but it is "http"$/,
  },
  {
    args: ["worker", "--app", HELLO, "--health-host", "::1"],
    code: EXIT.usage,
    stderr: /^error: Option "--health-host" says where to listen, but there is no "--health-port"$/,
  },
  {
    args: ["worker", "--app", HELLO, "--topics", ","],
    code: EXIT.usage,
    stderr: /^error: Option "--topics" must name topics, such as default,mail, but it is ","$/,
  },
  {
    args: ["worker", "--app", HELLO, "--topics", "deflt"],
    code: EXIT.failed,
    stderr: /^error: No topic declares the queue "deflt"; did you mean "default"\?/,
  },
  {
    args: ["worker", "--app", "nowhere.ts"],
    code: EXIT.failed,
    stderr: /^error: Cannot load the App: there is no module "nowhere\.ts" \(file:\/\/.*\/nowhere\.ts\)$/,
  },
  {
    args: ["worker", "--app", "src/support/validation.ts"],
    code: EXIT.failed,
    stderr:
      /^error: Cannot find the App in "src\/support\/validation\.ts": it must export one as "app" or as its default, but /,
  },
  {
    args: ["worker", "--app", "tests/cli/apps/two.ts"],
    code: EXIT.failed,
    stderr: /^error: Cannot choose an App of "tests\/cli\/apps\/two\.ts": "app" and its default are different Apps$/,
  },
  {
    args: ["worker", "--app", "tests/cli/apps/other_name.ts"],
    code: EXIT.failed,
    stderr: /but it exports "shop" \(an App: export it as "app"\)$/,
  },
  {
    args: ["worker", "--app", BROKEN],
    code: EXIT.failed,
    stderr:
      /^error: Cannot load the App from "tests\/cli\/apps\/broken\.ts": InvalidConfigurationError: Unknown option "concurency" of new App\(\); did you mean "concurrency"\?/,
  },
  {
    args: ["worker", "--app", "tests/cli/apps/not_app.ts"],
    code: EXIT.failed,
    stderr: /^error: Cannot find the App in "tests\/cli\/apps\/not_app\.ts": its "app" is not an App, but an object$/,
  },
  {
    args: ["worker", "--app", "tests/cli/apps/throws.ts"],
    code: EXIT.failed,
    stderr: /: Error: boom at load, at file:\/\/.*\/tests\/cli\/apps\/throws\.ts:2:\d+ \(--debug shows the stack\)$/,
  },
  { args: ["topics"], code: EXIT.usage, stderr: /^error: "topics" can "apply", but it is not said what to do$/ },
  { args: ["topics", "list"], code: EXIT.usage, stderr: /^error: "topics" can "apply", but it is asked to "list"$/ },
  { args: ["topics", "apply", "--app", HELLO], code: EXIT.ok, stdout: /^default: unchanged$/ },
  {
    args: ["skip", "--app", HELLO],
    code: EXIT.usage,
    stderr: /^error: "skip" needs one record, such as default\/0@41/,
  },
  { args: ["skip", "--app", HELLO, "default"], code: EXIT.usage, stderr: /but it is given "default"$/ },
  { args: ["skip", "--app", HELLO, "default/0@1e99"], code: EXIT.usage, stderr: /but it is given "default\/0@1e99"$/ },
  {
    args: ["skip", "--app", HELLO, "nope/0@1"],
    code: EXIT.failed,
    stderr: /^error: No topic declares the queue "nope"/,
  },
  { args: ["skip", "--app", HELLO, "default/0@0"], code: EXIT.ok, stdout: /^Passed over default\/0@0$/ },
  {
    args: ["skip", "--app", HELLO, "default/0@1"],
    code: EXIT.failed,
    stderr: /^error: Cannot skip default\/0@1: group "hello" is at offset 0/,
  },
  {
    args: ["enqueue", "--app", HELLO, "HelloJob", "[4]"],
    code: EXIT.ok,
    stdout: /^default\/0@3$/,
    stderr: /^note: the broker "memory:" ends with this process, and the job with it$/,
  },
  { args: ["enqueue", "--app", HELLO, "OtherJob"], code: EXIT.ok, stdout: /^other\/[01]@\d$/ },
  {
    args: ["enqueue", "--app", HELLO, "HeloJob"],
    code: EXIT.failed,
    stderr: /error: The App "hello" has no job class "HeloJob"; did you mean "HelloJob"\?/,
  },
  { args: ["enqueue", "--app", HELLO], code: EXIT.usage, stderr: /^error: "enqueue" needs a class/ },
  {
    args: ["enqueue", "--app", HELLO, "HelloJob", "{}"],
    code: EXIT.usage,
    stderr: /^error: The arguments of the job must be a JSON array, but they are "{}"$/,
  },
  { args: ["enqueue", "--app", HELLO, "HelloJob", "[1"], code: EXIT.usage, stderr: /but "\[1" is no JSON: / },
  {
    args: ["enqueue", "--app", "tests/cli/apps/away.ts", "--timeout-ms", "100", "SyncJob"],
    code: EXIT.failed,
    stderr: /error: The broker "memory:" did not answer within 100 ms: the job may have been written$/m,
  },
  {
    args: ["topics", "apply", "--app", "tests/cli/apps/away.ts", "--timeout-ms", "100"],
    code: EXIT.failed,
    stderr: /^error: The broker "memory:" did not answer within 100 ms/,
  },
];

for (const { args, code, stdout, stderr } of CASES) {
  Deno.test(`the command line "${args.join(" ")}" ends with ${code}`, async () => {
    const ended = await cli(args);
    assertEquals(ended.code, code, ended.stderr.join("\n"));
    if (stdout !== undefined) assertMatch(ended.stdout[0] ?? "", stdout);
    if (stderr !== undefined) assertMatch(ended.stderr.join("\n").replace(/\n(Help: |\n).*/s, ""), stderr);
    // What is asked for goes to standard output, what went wrong does not.
    if (stdout === undefined) assertEquals(ended.stdout, []);
  });
}

Deno.test("an error shows its stack only where --debug asks for it", async () => {
  const [plain, debug] = await Promise.all([
    cli(["worker", "--app", BROKEN]),
    cli(["worker", "--app", BROKEN, "--debug"]),
  ]);
  assertEquals(plain.stderr.length, 1);
  assertEquals(debug.stderr[0], plain.stderr[0]);
  assert(debug.stderr.some((line) => /^ +at .*broken\.ts/.test(line)), debug.stderr.join("\n"));
});

Deno.test("what cannot be understood leads to the help of its command, as far as there is one", async () => {
  for (
    const [args, help] of [[["worker", "--onec"], " worker"], [["help", "wroker"], ""], [["--app", "x"], ""]] as const
  ) {
    const { stderr } = await cli(args);
    assertEquals(stderr.at(-1), `Help: deno run -A @activejob/kafka/cli${help} --help`);
  }
});

Deno.test("who enqueues on a Kafka that cannot be reached reads one story: it is not written, and why", async () => {
  const { stderr } = await cli([
    "enqueue",
    "--app",
    "tests/cli/apps/unreachable.ts",
    "--timeout-ms",
    "3000",
    "PingJob",
  ]);
  const logged = stderr.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  assertEquals(logged.filter(({ event }) => event === "job.enqueue_failed").map(({ written }) => written), ["no"]);
  assertEquals(stderr.filter((line) => line.includes("disposed of")), []);
  assertMatch(
    stderr.at(-1)!,
    /^error: The broker "kafka:.*" did not answer within 3000 ms: the job was not written: Cannot ask .*ECONNREFUSED/,
  );
});

Deno.test("the help of every command has its usage, its options and examples", async () => {
  for (const command of ["worker", "topics", "skip", "enqueue"]) {
    const { stdout } = await cli(["help", command]);
    const text = stdout.join("\n");
    assertMatch(text, new RegExp(`\nUsage:\n  deno run -A @activejob/kafka/cli ${command} --app MODULE \\[options\\]`));
    assertMatch(text, /\nOptions:\n {2}--app MODULE/);
    assertMatch(text, new RegExp(`\nExamples:\n  deno run -A @activejob/kafka/cli ${command} `));
  }
});

Deno.test("worker --once performs what is there, and ends though the App's module has a timer", async () => {
  const { code, stdout } = await cli(["worker", "--app", HELLO, "--once"]);
  assertEquals(stdout.sort(), ["hello 1", "hello 2", "hello 3", "other"]);
  assertEquals(code, EXIT.ok);
});

Deno.test("worker --topics performs the jobs of these topics only", async () => {
  const { code, stdout } = await cli(["worker", "--app", HELLO, "--once", "--topics", "other", "--concurrency", "2"]);
  assertEquals(stdout, ["other"]);
  assertEquals(code, EXIT.ok);
});

Deno.test("the worker needs no permission but to read the modules of the library and of the App", async () => {
  await using child = new Child([CLI, "worker", "--app", HELLO, "--once"], {
    options: ["--no-prompt", "--allow-read=tests/cli/apps,mod.ts,src"],
  });
  const { code, stdout, stderr } = await child.ended();
  assertEquals(code, EXIT.ok, stderr.join("\n"));
  assertEquals(stdout.length, 4);
});

Deno.test("a promise that a job leaves behind is reported with the job, and the worker goes on", async () => {
  const { code, stdout, stderr } = await cli(["worker", "--app", "tests/cli/apps/rejection.ts", "--once"]);
  assertEquals(code, EXIT.ok, stderr.join("\n"));
  assertEquals(stdout, ["left one behind", "the next one"]);
  const errors = stderr.map((line) => JSON.parse(line)).filter(({ event }) => event === "error.occurred");
  assertEquals(errors.length, 1);
  assertEquals(errors[0].where, "unhandled rejection while 1 job still runs: CarelessJob from default/0@0");
  assertEquals(errors[0].error.message, "left behind");
});

Deno.test("a promise that is rejected when its job has ended is reported with where it was made", async () => {
  const { code, stderr } = await cli(["worker", "--app", "tests/cli/apps/ended.ts", "--once"]);
  assertEquals(code, EXIT.ok, stderr.join("\n"));
  const errors = stderr.map((line) => JSON.parse(line)).filter(({ event }) => event === "error.occurred");
  assertEquals(errors.map(({ where }) => where), ["unhandled rejection of a job that has ended, or of no job"]);
  assertStringIncludes(errors[0].error.stack, "tests/cli/apps/ended.ts");
});

Deno.test("an error in a timer ends the process as a crash does, and names the jobs that it takes along", async () => {
  const { code, stderr } = await cli(["worker", "--app", "tests/cli/apps/crash.ts"]);
  assertEquals(code, 1);
  const text = stderr.join("\n");
  assertStringIncludes(text, "Error: thrown in a timer");
  assertMatch(
    text,
    /^error: An error that no job caught ends the process while 1 job still runs: CrashJob from default\/0@0; .*: deno run -A .* skip --app tests\/cli\/apps\/crash\.ts default\/0@0$/m,
  );
});
