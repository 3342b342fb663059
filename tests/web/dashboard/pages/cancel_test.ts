/** Cancelling a job that waits or runs, from the page of its record, its topic and its worker. */
import { activeJobTopic, App, Job } from "@activejob/kafka";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { openDashboard } from "../../../support/dashboard.ts";
import { until } from "../../../support/until.ts";

class LongJob extends Job {
  static performed: number[] = [];
  async perform(n: number) {
    LongJob.performed.push(n);
    await new Promise((_, reject) => this.signal.addEventListener("abort", () => reject(this.signal.reason)));
  }
}

function createApp(more = {}) {
  LongJob.performed = [];
  return new App({
    name: "shop",
    broker: "memory:",
    jobs: [LongJob],
    topics: [activeJobTopic("default", { partitions: 1, ordering: "none" })],
    logger: false,
    ...more,
  });
}

Deno.test("an operator cancels a job that waits from the page of its record, and one that runs from its topic and worker", async () => {
  await using app = createApp();
  const cancelled: [string, string, string | null | undefined][] = [];
  app.on("job.cancelled", ({ jobId, state, why }) => void cancelled.push([jobId, state, why]));
  const [first, second, waiting] = [
    await LongJob.performLater(1),
    await LongJob.performLater(2),
    await LongJob.performLater(3),
  ];
  await app.flush();
  const { open, press, api, follow } = openDashboard(app);
  const record = await open("topics/default/records/0@2");
  const outcome = await press(record, "Cancel job", [["why", "not needed"]]);
  assertStringIncludes(outcome.text, `Cancelled job ${waiting.jobId}: it is not performed`);

  const worker = app.worker();
  const running = worker.run();
  await until(async () => (await api("topics/default")).running.length === 2, () => "a worker reports two jobs");
  const topic = await press(await open("topics/default"), `Cancel job ${first.jobId}`);
  assertStringIncludes(topic.text, `Cancelled job ${first.jobId}`);
  const host = (await app.workers())[0]!.host;
  await press(await follow(await open("workers"), host), `Cancel job ${second.jobId}`);
  await until(() => cancelled.length === 3, () => `three are cancelled, but ${cancelled.length} were`);
  assertEquals(cancelled, [
    [waiting.jobId, "waiting", "not needed"],
    [first.jobId, "running", null],
    [second.jobId, "running", null],
  ]);
  assertEquals(LongJob.performed, [1, 2]);
  // A finished job cannot be cancelled.
  await worker.stop();
  await running;
  assert(!(await open("topics/default/records/0@0")).html.includes("<form"));
});

Deno.test("a reader, and an App without orders, have no form to cancel; a post that names no job is refused", async () => {
  await using app = createApp();
  await LongJob.performLater(1);
  await app.flush();
  const path = "topics/default/records/0@0";
  assert(!(await openDashboard(app, "read").open(path)).html.includes("<form"));
  await using without = createApp({ name: "other", control: false });
  await without.run(() => LongJob.performLater(1));
  await without.flush();
  assert(!(await openDashboard(without).open(path)).html.includes("<form"));
  const { open } = openDashboard(app);
  const headers = { "sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded" };
  assertStringIncludes((await open(path, { method: "POST", body: "action=cancel", headers })).text, "names no job");
  assertEquals(app.pending, 0);
});
