/** The first minutes of a new user: a fresh clone, two terminals, and nothing else. */
// Runs alone: it measures milliseconds from enqueued to performed.
import { assertEquals, assertMatch } from "@std/assert";
import { copyProject } from "../../tasks/copy.ts";
import { root } from "../../tasks/process.ts";
import { Child } from "../support/child.ts";
import { MachineMeter } from "../support/machine_meter.ts";

Deno.test("the quickstart: deno task worker on a fresh clone performs what deno task enqueue enqueues, within 100 ms", async () => {
  await using clone = await copyProject();
  await using worker = new Child(["worker"], { command: "task", cwd: clone.url });
  try {
    await worker.line(/"event":"worker\.started"/);
    const welcome = async (userId: number) => JSON.parse(await worker.line(new RegExp(`Welcome, user ${userId}"`)));

    await using enqueue = new Child(["enqueue", "4711"], { command: "task", cwd: clone.url });
    const { code, stdout } = await enqueue.ended();
    assertMatch(stdout.join("\n"), /^Enqueued WelcomeJob [0-9a-f-]{36} to default\/0@0$/);
    assertEquals(code, 0);
    assertEquals((await welcome(4711)).details, { note: "from another process", asked: 1 });

    const script = new URL("tests/examples/enqueue_stamped.ts", root).pathname;
    await using stamped = new Child([script], { cwd: clone.url });
    const latenciesMs: number[] = [];
    using machine = new MachineMeter();
    for (let userId = 1; userId <= 9; userId++) {
      await stamped.writeLine(String(userId));
      const acknowledgedMs = Number((await stamped.line(new RegExp(`^${userId} `))).split(" ")[1]);
      latenciesMs.push(Date.parse((await welcome(userId)).time) - acknowledgedMs);
    }
    latenciesMs.sort((a, b) => a - b);
    machine.assertWithin("median from acknowledged to performed", latenciesMs[4]!, 100, () => ` of ${latenciesMs}`);
  } finally {
    // The task passes the signal on to the worker, which would outlive a killed task.
    worker.signal("SIGTERM");
    assertEquals((await worker.ended()).code, 0);
  }
});
