/** `enqueue`. */
import { assertEquals, assertMatch } from "@std/assert";
import { EXIT } from "../../src/cli/exit_codes.ts";
import { cli } from "../support/child.ts";
import { testCommandLines } from "../support/command_lines.ts";

const HELLO = "tests/cli/apps/hello.ts";

testCommandLines([
  {
    args: ["enqueue", "--app", HELLO, "HelloJob"],
    code: EXIT.ok,
    stdout: /^default\/0@3$/,
    stderr: /^note: .*\nnote: HelloJob\.perform\(\) declares 1 parameter, but 0 arguments are given$/,
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
  { args: ["enqueue", "--app", HELLO, "HelloJob", "[1"], code: EXIT.usage, stderr: /but "\[1" is not JSON: / },
  {
    args: ["enqueue", "--app", "tests/cli/apps/away.ts", "--timeout-ms", "100", "SyncJob"],
    code: EXIT.failed,
    stderr: /error: The broker "memory:" did not respond within 100 ms: the job may have been written$/m,
  },
]);

Deno.test("enqueue prints one line for a job that is refused", async () => {
  const args = ["enqueue", "--app", "tests/cli/apps/refusing.ts", "LargeJob", JSON.stringify(["x".repeat(110_000)])];
  const { code, stderr } = await cli(args);
  assertEquals(code, EXIT.failed);
  assertEquals(stderr.length, 2, stderr.join("\n"));
  assertMatch(stderr[0]!, /^note: the broker "memory:" ends with this process/);
  assertMatch(stderr[1]!, /^error: Cannot enqueue LargeJob: /);
});

Deno.test("enqueue on a Kafka that cannot be reached prints that the job was not written, and why", async () => {
  const { stderr } = await cli([
    "enqueue",
    "--app",
    "tests/cli/apps/unreachable.ts",
    "--timeout-ms",
    "5000",
    "PingJob",
  ]);
  assertEquals(stderr.filter((line) => line.includes("job.enqueue_failed")), []);
  assertEquals(stderr.filter((line) => line.includes("disposed of")), []);
  assertMatch(
    stderr.at(-1)!,
    /^error: The broker "kafka:.*" did not respond within 5000 ms: the job was not written: .*ECONNREFUSED/,
  );
});
