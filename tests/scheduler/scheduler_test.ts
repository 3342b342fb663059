/** The scheduler of a worker: `--once`, a missing topic, metrics, status, and proof of the ownership. */
import { activeJobTopic, App, Job } from "@activejob/kafka";
import { healthHandler, Metrics } from "@activejob/kafka/web";
import { assert, assertEquals } from "@std/assert";
import { scheduleRecord } from "../../src/dispatch/schedule.ts";
import { FaultInjectionLog } from "../support/fault_injection_log.ts";
import { heldBroker } from "../support/controlled_broker.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { until } from "../support/until.ts";

const SECOND_MS = 1000;
const TOPIC = "shop_scheduled_jobs";

function setUp(options: Partial<ConstructorParameters<typeof App>[0]> = {}) {
  const performed: number[] = [];
  class NumberJob extends Job {
    perform(n: number): void {
      performed.push(n);
    }
  }
  const log = new FaultInjectionLog();
  const clock = new ManualClock();
  const app = new App({
    name: "shop",
    broker: log.source,
    jobs: [NumberJob],
    topics: [activeJobTopic("default"), activeJobTopic("other")],
    clock,
    commitIntervalMs: 1,
    logger: false,
    ...options,
  });
  return { app, log, clock, performed, NumberJob };
}

Deno.test("a worker of --once releases and performs what is due at its start, and ignores the rest", async () => {
  const { app, clock, performed, NumberJob } = setUp();
  await using _ = app;
  const waits = [1, 2, 3, 4].map((seconds) => NumberJob.set({ wait: { seconds } }).of(seconds));
  await app.enqueueAll(waits);
  await app.flush();
  clock.advance(2 * SECOND_MS);
  await app.worker().run(undefined, { once: true });
  assertEquals([performed, (await app.scheduled()).length], [[1, 2], 2]);
  await app.worker({ scheduler: false }).run(undefined, { once: true });
  clock.advance(SECOND_MS);
  await app.worker({ scheduler: false }).run(undefined, { once: true });
  assertEquals(performed, [1, 2]);
  await app.worker().run(undefined, { once: true });
  assertEquals([performed, (await app.scheduled()).length], [[1, 2, 3], 1]);
});

Deno.test("a worker of --once beside another worker waits until that one has released what is due", async () => {
  const { app, clock, performed, NumberJob } = setUp();
  await using _ = app;
  const other = app.worker({ topics: ["other"] });
  const run = other.run();
  await app.enqueueAll([NumberJob.set({ wait: { seconds: 1 } }).of(1), NumberJob.set({ wait: { hours: 1 } }).of(2)]);
  await app.flush();
  await until(() => other.status().scheduler?.waiting === 2, () => JSON.stringify(other.status()));
  clock.advance(SECOND_MS);
  await app.worker({ topics: ["default"] }).run(undefined, { once: true });
  assertEquals(performed, [1]);
  await other.stop();
  await run;
});

Deno.test("status and metrics have what waits, how long it is overdue and how late it was, and no lag", async () => {
  const { app, clock, NumberJob } = setUp();
  await using _ = app;
  const metrics = new Metrics();
  metrics.attach(app);
  const worker = app.worker();
  const handler = healthHandler(worker, metrics);
  const run = worker.run();
  await app.enqueueAll([1, 2, 3600].map((seconds) => NumberJob.set({ wait: { seconds } }).of(seconds)));
  await app.flush();
  await app.cancelScheduled((await app.scheduled())[1]!.jobId);
  await until(() => worker.status().scheduler?.waiting === 2, () => JSON.stringify(worker.status().scheduler));
  clock.advance(SECOND_MS + 200);
  await until(() => worker.status().scheduler?.waiting === 1, () => JSON.stringify(worker.status().scheduler));
  const scrape = await (await handler(new Request("http://localhost/metrics"))).text();
  for (
    const line of [
      'activejob_delayed_waiting{topic="shop_scheduled_jobs",partition="0"} 1',
      'activejob_delayed_overdue_seconds{topic="shop_scheduled_jobs",partition="0"} 0',
      'activejob_delayed_ready{topic="shop_scheduled_jobs",partition="0"} 1',
      "activejob_delayed_scheduled_total 3",
      "activejob_delayed_cancelled_total 1",
      "activejob_delayed_lateness_seconds_count 1",
      'activejob_delayed_lateness_seconds_bucket{le="0.25"} 1',
      'activejob_delayed_lateness_seconds_bucket{le="0.1"} 0',
    ]
  ) {
    assert(scrape.includes(`${line}\n`), `${line} in ${scrape}`);
  }
  assert(!/lag\{[^}]*scheduled/.test(scrape));
  assertEquals(worker.status().groups.map(({ group }) => group), ["shop"]);
  await worker.stop();
  await run;
});

Deno.test("a job that is overdue counts from its due time while its target does not take it", async () => {
  const log = new FaultInjectionLog();
  const broker = heldBroker(log);
  const { app, clock, performed, NumberJob } = setUp({ broker });
  await using _ = app;
  const worker = app.worker();
  const run = worker.run();
  await app.enqueueAll([
    NumberJob.set({ wait: { seconds: 1 }, queue: "other" }).of(1),
    NumberJob.set({ wait: { seconds: 2 } }).of(2),
  ]);
  await app.flush();
  await until(() => worker.status().scheduler?.waiting === 2, () => JSON.stringify(worker.status().scheduler));
  const hold = broker.hold("other");
  clock.advance(5 * SECOND_MS);
  await hold.held;
  // The other target goes on.
  await until(() => performed.length === 1, () => `${performed}`);
  await until(() => worker.status().scheduler?.waiting === 1, () => JSON.stringify(worker.status().scheduler));
  assertEquals([performed, worker.status().scheduler!.oldestOverdueMs], [[2], 4 * SECOND_MS]);
  hold.release();
  await until(() => performed.length === 2, () => `${performed}`);
  await worker.stop();
  await run;
});

Deno.test("nothing is released while the ownership is not proved", async () => {
  const log = new FaultInjectionLog();
  const consumers: Parameters<FaultInjectionLog["block"]>[0][] = [];
  const source = {
    ...log.source,
    async open(context: Parameters<typeof log.source.open>[0]) {
      const broker = await log.source.open(context);
      const consume = broker.consume.bind(broker);
      broker.consume = (options, sink) => {
        const consumer = consume(options, sink);
        if (options.group.endsWith(".scheduler")) consumers.push(consumer);
        return consumer;
      };
      return broker;
    },
  };
  const { app, clock, performed, NumberJob } = setUp({ broker: source });
  await using _ = app;
  const worker = app.worker();
  const run = worker.run();
  await app.enqueue(NumberJob.set({ wait: { seconds: 1 } }).of(1));
  await app.flush();
  await until(() => worker.status().scheduler?.waiting === 1, () => JSON.stringify(worker.status().scheduler));
  log.block(consumers[0]!);
  clock.advance(SECOND_MS);
  // A job of now, through the same log: by then a release would have been written as well.
  await app.enqueue(NumberJob.of(2));
  await until(() => performed.length === 1, () => `${performed}`);
  await until(() => worker.status().scheduler?.isSessionValid === false, () => "the session to be invalid");
  assertEquals([performed, log.topic("default")!.partitions[0]!.high], [[2], 1]);
  log.unblock(consumers[0]!);
  await until(() => performed.length === 2, () => `${performed}`);
  await worker.stop();
  await run;
});

Deno.test("nothing is released before everything was read that was there at the start", async () => {
  const { app, log, clock, performed } = setUp();
  await using _ = app;
  await app.applyTopics();
  await using broker = log.open();
  const schedule = (n: number) => {
    const value = JSON.stringify({ job_class: "NumberJob", job_id: `job-${n}`, arguments: [n] });
    const jobId = n === 5000 ? "job-0" : `job-${n}`;
    return scheduleRecord({ value: value + " ".repeat(400) }, {
      jobId,
      dueAtMs: clock.nowMs(),
      targetTopic: "default",
    });
  };
  // The last one moves the first one: they are in different fetches.
  for (let at = 0; at <= 5000; at += 1000) {
    await broker.append(TOPIC, Array.from({ length: Math.min(1000, 5001 - at) }, (_, n) => schedule(at + n)));
  }
  await app.worker().run(undefined, { once: true });
  assertEquals([performed.length, performed.includes(0), performed.at(-1)], [5000, false, 5000]);
});
