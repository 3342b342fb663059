/** `--once`: when it ends, and which stuck records it reports. */
import { App, type AppOptions, Job, type TopicOptions } from "@activejob/kafka";
import { assert, assertEquals } from "@std/assert";
import type { BrokerSource } from "../../src/broker/broker.ts";
import { until } from "../support/until.ts";
import { nthEvent, setUpWorker, stepEnvelope, turns } from "../support/worker.ts";

Deno.test("a stop does not wait for a request of --once to a log that is offline", async () => {
  const { app, log, worker, enqueue } = setUpWorker();
  await enqueue(1);
  app.on("worker.started", () => log.goOffline());
  const started = nthEvent(app, "worker.started");
  const run = worker.run(undefined, { once: true });
  await started;
  await turns(1);
  await worker.stop();
  assertEquals(await run, { unfinished: [], stuck: [] });
  log.goOnline();
  await app.close();
});

Deno.test("--once ends with the stuck records, but not before all other partitions are performed", async () => {
  const { app, log, worker, steps, runs, errors } = setUpWorker({ partitions: 2 });
  await using _ = app;
  await app.applyTopics();
  const release = Promise.withResolvers<void>();
  steps.perform = async (n) => {
    if (n === 1) throw new Error("no");
    await release.promise;
  };
  log.append("default", [{ partition: 0, value: stepEnvelope(1) }, { partition: 1, value: stepEnvelope(2) }, {
    partition: 1,
    value: stepEnvelope(3),
  }]);
  let isEnded = false;
  const run = worker.run(undefined, { once: true }).finally(() => isEnded = true);
  const stuck = () => worker.status().groups[0]?.partitions[0]?.stuck ?? [];
  await until(() => stuck().length > 0, () => JSON.stringify(worker.status()));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assertEquals(isEnded, false, "the other partition still works");
  release.resolve();
  assertEquals((await run).stuck, [{ topic: "default", partition: 0, offset: 0 }]);
  assertEquals([runs.filter((n) => n > 1), errors], [[2, 3], []]);
});

Deno.test("--once with keys side by side ends with the stuck records, but not before other keys are performed", async () => {
  const { app, log, worker, steps, runs } = setUpWorker({ ordering: "key" });
  await using _ = app;
  await app.applyTopics();
  const release = Promise.withResolvers<void>();
  steps.perform = async (n) => {
    if (n === 1) throw new Error("no");
    await release.promise;
  };
  const append = (n: number, key: string) => log.append("default", [{ key, value: stepEnvelope(n) }]);
  append(1, "bad");
  append(2, "good");
  append(3, "bad");
  append(4, "good");
  let isEnded = false;
  const run = worker.run(undefined, { once: true }).finally(() => isEnded = true);
  await until(
    () => worker.status().groups[0]?.partitions[0]?.stuck.length === 1,
    () => JSON.stringify(worker.status()),
  );
  await turns(50);
  assertEquals(isEnded, false, "another key still works");
  release.resolve();
  assertEquals((await run).stuck, [{ topic: "default", partition: 0, offset: 0 }]);
  assertEquals(runs.filter((n) => n !== 1), [2, 4]);
});

/** Two Apps of one group on one log; the worker of the first is stuck at its only record. */
async function setUpStuck(value: string, topic: TopicOptions = {}, options: Partial<AppOptions> = {}) {
  const first = setUpWorker(topic, options);
  first.steps.perform = () => {
    throw new Error("always");
  };
  await first.app.applyTopics();
  first.log.append("default", [{ value }]);
  const run = first.worker.run();
  await until(() => first.committed()?.metadata.includes("w=0"), () => JSON.stringify(first.committed()));
  const runs: number[] = [];
  class NewJob extends Job {
    perform(n: number) {
      runs.push(n);
    }
  }
  const second = new App({ ...first.app.options, broker: first.broker, jobs: [NewJob] });
  return { first, second, run, runs };
}

const STUCK = [{ topic: "default", partition: 0, offset: 0 }];

Deno.test("--once beside another worker whose partition is stuck ends after its next try, and names the record", async () => {
  const { first, second, run } = await setUpStuck(stepEnvelope(1));
  assertEquals(await second.worker().run(undefined, { once: true }), { unfinished: [], stuck: STUCK });
  assertEquals(first.worker.status().groups[0]!.partitions[0]!.stuck.length, 1);
  await first.worker.stop();
  await run;
  await first.app.close();
  await second.close();
});

Deno.test("--once waits for the time of a session if the worker of a stuck partition commits nothing", async () => {
  const sessionTimeoutMs = 1000;
  const { first, second, run } = await setUpStuck("not an envelope", {}, { sessionTimeoutMs });
  const startedMs = performance.now();
  assertEquals(await second.worker().run(undefined, { once: true }), { unfinished: [], stuck: STUCK });
  assert(performance.now() - startedMs >= sessionTimeoutMs);
  await first.worker.stop();
  await run;
  await first.app.close();
  await second.close();
});

Deno.test("--once asks twice a second, not at each look, what other workers have committed", async () => {
  const { first, second: unused, run } = await setUpStuck("not an envelope", {}, { sessionTimeoutMs: 1000 });
  await unused.close();
  let requests = 0;
  const open: BrokerSource["open"] = async (context) => {
    const broker = await first.broker.open(context);
    const committed = broker.admin.committed.bind(broker.admin);
    broker.admin.committed = (...args) => (requests++, committed(...args));
    return broker;
  };
  await using second = new App({ ...first.app.options, broker: { ...first.broker, open } });
  const startedMs = performance.now();
  assertEquals((await second.worker().run(undefined, { once: true })).stuck, STUCK);
  // One at the start, for the targets.
  const most = 2 + (performance.now() - startedMs) / 500;
  assert(requests <= most, `It asked ${requests} times, at most ${most} are expected`);
  await first.worker.stop();
  await run;
  await first.app.close();
});

Deno.test("--once takes over the stuck partition of a worker that ends, and performs its record", async () => {
  const value = JSON.stringify({ job_class: "NewJob", arguments: [7] });
  const { first, second, run, runs } = await setUpStuck(value, { unknownJobs: { retryForMs: 0 } });
  const joined = nthEvent(second, "worker.started");
  const report = second.worker().run(undefined, { once: true });
  await joined;
  await turns(3);
  await first.worker.stop();
  assertEquals([await report, runs], [{ unfinished: [], stuck: [] }, [7]]);
  assertEquals(first.committed(), { offset: 1, metadata: "" });
  await run;
  await first.app.close();
  await second.close();
});
