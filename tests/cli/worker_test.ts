/** `worker`: its options, its output and its exit codes. Stops are tested in `tests/behaviours/stopping_test.ts`. */
import { assertEquals } from "@std/assert";
import { EXIT } from "../../src/cli/exit_codes.ts";
import { root } from "../../tasks/process.ts";
import { Child, CLI, cli } from "../support/child.ts";
import { testCommandLines } from "../support/command_lines.ts";

const HELLO = "tests/cli/apps/hello.ts";

testCommandLines([
  { args: ["worker", "--app"], code: EXIT.usage, stderr: /^error: Option "--app" needs a value: --app MODULE$/ },
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
    stderr: /^error: Option "--health-host" needs "--health-port" as well$/,
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
]);

Deno.test("worker --once performs the jobs that are there, and ends although a timer of the App runs", async () => {
  const { code, stdout } = await cli(["worker", "--app", HELLO, "--once"]);
  assertEquals(stdout.sort(), ["hello 1", "hello 2", "hello 3", "other"]);
  assertEquals(code, EXIT.ok);
});

Deno.test("worker --topics performs jobs of these topics only", async () => {
  const { code, stdout } = await cli(["worker", "--app", HELLO, "--once", "--topics", "other", "--concurrency", "2"]);
  assertEquals(stdout, ["other"]);
  assertEquals(code, EXIT.ok);
});

Deno.test("the only permission of a worker on the memory broker is to read the modules", async () => {
  await using child = new Child([CLI, "worker", "--app", HELLO, "--once"], {
    options: ["--no-prompt", "--allow-read=tests/cli/apps,mod.ts,src"],
  });
  const { code, stdout, stderr } = await child.ended();
  assertEquals(code, EXIT.ok, stderr.join("\n"));
  assertEquals(stdout.length, 4);
});

Deno.test("enqueued jobs that were not delivered are counted, and the worker exits with 2", async () => {
  await using child = new Child([CLI, "worker", "--app", "tests/cli/apps/undelivered.ts"]);
  await child.line(/^buffered$/);
  child.signal("SIGTERM");
  const { code, stderr } = await child.ended();
  assertEquals(stderr.at(-1), "error: The worker could not stop within 100 ms: 2 jobs were not delivered");
  assertEquals(code, 2);
});

Deno.test("a TSTP while the App is loaded quiets the worker", async () => {
  await using child = new Child([CLI, "worker", "--app", "tests/cli/apps/slow_load.ts"]);
  await child.line(/^loading$/);
  child.signal("SIGTSTP");
  await child.line(/^quieted$/);
  await child.line(/"event":"worker\.started"/);
  child.signal("SIGTERM");
  const { code, stdout } = await child.ended();
  assertEquals(code, 0);
  assertEquals(stdout.filter((line) => line === "performed"), []);
});

Deno.test("Ctrl-C prints which jobs the worker waits for, how long, and how to end it at once; TERM does not", async () => {
  const waits = {
    SIGINT: [
      "Waiting for at most 0.1 s, since 1 job still runs: LingerJob from default/0@0 (a second Ctrl-C ends it at once)",
    ],
    SIGTERM: [],
  };
  for (const [signal, printed] of Object.entries(waits)) {
    await using child = new Child([CLI, "worker", "--app", "tests/cli/apps/lingering.ts"]);
    await child.line(/^begun$/);
    child.signal(signal as Deno.Signal);
    const { code, stderr } = await child.ended();
    assertEquals([code, stderr.filter((line) => line.startsWith("Waiting"))], [2, printed], signal);
  }
});

/** Redirections to which logs cannot be written: a device that is always full, a pipe without a reader. */
const BROKEN_OUTPUTS = { "a full disk": "2>/dev/full", "a closed pipe": "2> >(exec true)" };

for (const [name, redirection] of Object.entries(BROKEN_OUTPUTS)) {
  Deno.test({
    name: `a worker that logs to ${name} performs its jobs`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      const command = new Deno.Command("bash", {
        args: [
          "-c",
          `"$0" run -A "$1" worker --app tests/cli/apps/hello.ts --once ${redirection}`,
          Deno.execPath(),
          CLI,
        ],
        cwd: root,
      });
      const { code, stdout } = await command.output();
      assertEquals(new TextDecoder().decode(stdout).trim().split("\n").sort(), [
        "hello 1",
        "hello 2",
        "hello 3",
        "other",
      ]);
      assertEquals(code, 0);
    },
  });
}
