/**
 * Delayed jobs on the broker in `BROKER_URL`: `delays.ts <what> <jobs>`.
 *
 * | what | prints |
 * |---|---|
 * | `release` | jobs that are all due are released in so many a second, by a worker that performs none |
 * | `prepare <name>` | nothing: so many jobs of 500 bytes wait in the topic of an App of that name |
 * | `start <name>` | the seconds until a worker has read them, and its memory in megabytes |
 * | `now`, `wait` | jobs that are enqueued a second, without and with a wait |
 */
import type { App } from "@activejob/kafka";
import { scheduleRecord } from "../../src/dispatch/schedule.ts";
import { readBrokerSource } from "../../src/broker/source.ts";
import { Monitor } from "../../src/monitor/monitor.ts";
import { envelope, finish, PADDING } from "../payload.ts";
import { benchApp, NoopJob } from "../workload.ts";

const [what, count, given] = Deno.args as [string, string, string | undefined];
const jobs = Number(count);
const name = given ?? `bench-${crypto.randomUUID()}`;
const TOPIC = `${name}_jobs`;
const HOUR_MS = 3_600_000;

const app = benchApp(TOPIC, { name, scheduledTopic: { partitions: 1 } }, { partitions: 1 });
await app.applyTopics();

/** Writes schedules of envelopes, as the dispatcher does. */
async function fill(dueAtMs: () => number, bytes?: number): Promise<void> {
  await using broker = await readBrokerSource(Deno.env.get("BROKER_URL")!).open({
    clientId: "bench",
    monitor: new Monitor(),
  });
  for (let from = 0; from < jobs; from += 1000) {
    const records = Array.from({ length: Math.min(1000, jobs - from) }, (_, at) => {
      const schedule = { jobId: crypto.randomUUID(), dueAtMs: dueAtMs(), targetTopic: TOPIC };
      return { ...scheduleRecord({ value: envelope(from + at, bytes) }, schedule), partition: 0 };
    });
    for (const outcome of await broker.append(`${name}_scheduled_jobs`, records)) if (!outcome.ok) throw outcome.error;
  }
}

/** Starts a worker that performs nothing. */
function startQuiet(app: App) {
  const worker = app.worker();
  worker.quiet();
  void worker.run();
  return worker;
}

const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
};

if (what === "release") {
  const dueAtMs = Date.now();
  await fill(() => dueAtMs);
  let [released, firstMs] = [0, 0];
  app.on("job.released", () => {
    if (released++ === 0) firstMs = performance.now();
  });
  const worker = startQuiet(app);
  await until(() => released === jobs && worker.status().scheduler!.waiting === 0);
  finish({ perSecond: jobs / (performance.now() - firstMs) * 1000 });
} else if (what === "prepare") {
  await fill(() => Date.now() + HOUR_MS + Math.random() * 1000 * HOUR_MS, 500);
  finish({});
} else if (what === "start") {
  const startMs = performance.now();
  const worker = startQuiet(app);
  await until(() => worker.status().scheduler?.partitions[0]?.isReady === true);
  if (worker.status().scheduler!.waiting !== jobs) throw new Error(`${worker.status().scheduler!.waiting} wait`);
  const result = { seconds: (performance.now() - startMs) / 1000, megabytes: Deno.memoryUsage().rss / 1e6 };
  // So that the next round need not wait until the session of this one expires.
  await worker.stop();
  finish(result);
} else {
  const enqueue = what === "wait"
    ? (index: number) => NoopJob.set({ wait: { hours: 1 } }).performLater(index, PADDING)
    : (index: number) => NoopJob.performLater(index, PADDING);
  await enqueue(0);
  await app.flush();
  const startMs = performance.now();
  for (let index = 1; index <= jobs; index++) {
    const enqueued = enqueue(index);
    if (index % 1000 === 0) await enqueued;
  }
  await app.flush();
  finish({ perSecond: jobs / (performance.now() - startMs) * 1000 });
}
