/** What a worker's process has to say at its end. Rows S1 to S6 of `tests/behaviours` have the rest. */
import { assertEquals } from "@std/assert";
import { root } from "../../tasks/process.ts";
import { Child, CLI } from "../support/child.ts";

Deno.test("jobs that could not be delivered are counted, and the worker exits with 2", async () => {
  await using child = new Child([CLI, "worker", "--app", "tests/cli/apps/undelivered.ts"]);
  await child.line(/^buffered$/);
  child.signal("SIGTERM");
  const { code, stderr } = await child.ended();
  assertEquals(stderr.at(-1), "error: The worker could not stop within 100 ms: 2 jobs were not delivered");
  assertEquals(code, 2);
});

Deno.test("a TSTP that comes while the App is loaded is not forgotten", async () => {
  await using child = new Child([CLI, "worker", "--app", "tests/cli/apps/slow_load.ts"]);
  await child.line(/^loading$/);
  child.signal("SIGTSTP");
  await child.line(/^quieted$/);
  // The worker has joined, has fetched, and commits nothing: what it could have performed is there.
  await child.line(/"event":"worker\.started"/);
  child.signal("SIGTERM");
  const { code, stdout } = await child.ended();
  assertEquals(code, 0);
  assertEquals(stdout.filter((line) => line === "performed"), []);
});

Deno.test("Ctrl-C says for whom it waits, how long, and how not to wait; a supervisor's TERM is not answered", async () => {
  const waits = {
    SIGINT: [
      "Waiting for at most 0.1 s, since 1 job still runs: LingerJob from default/0@0 (a second Ctrl-C ends it at once)",
    ],
    SIGTERM: [],
  };
  for (const [signal, said] of Object.entries(waits)) {
    await using child = new Child([CLI, "worker", "--app", "tests/cli/apps/lingering.ts"]);
    await child.line(/^begun$/);
    child.signal(signal as Deno.Signal);
    const { code, stderr } = await child.ended();
    assertEquals([code, stderr.filter((line) => line.startsWith("Waiting"))], [2, said], signal);
  }
});

/** Where logs go that cannot be written: a device that is always full, a pipe that nobody reads. */
const NOWHERE = { "a full disk": "2>/dev/full", "a reader that is gone": "2> >(exec true)" };

for (const [name, redirection] of Object.entries(NOWHERE)) {
  Deno.test({
    name: `a worker that logs to ${name} performs its jobs all the same`,
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
