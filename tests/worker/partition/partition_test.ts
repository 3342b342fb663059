/** An owned partition on the memory broker: what a previous owner finished, and offsets without a record. */
import { assertEquals } from "@std/assert";
import type { Broker, BrokerSource, ConsumerSink, Ownership } from "../../../src/broker/broker.ts";
import { FaultInjectionLog } from "../../support/fault_injection_log.ts";
import { LimitedBroker } from "../../support/limited_broker.ts";
import { Partition } from "../../../src/worker/partition/partition.ts";
import { until } from "../../support/until.ts";
import { nthEvent, setUpWorker, turns } from "../../support/worker.ts";

Deno.test("a record that an earlier owner finished beyond the committed offset is not performed again", async () => {
  const { app, worker, log, committed, errors, runs, enqueue } = setUpWorker();
  await using _ = app;
  await enqueue(0, 1, 2, 3, 4);
  await log.commitAs("shop", { topic: "default", partition: 0, offset: 1 }, "v1;f=1-2,3-4");
  await worker.run(undefined, { once: true });
  assertEquals([runs, committed()?.offset, errors], [[1, 3], 5, []]);
});

/** A source that shows the sink of the worker's consumer, and its first ownership. */
function watchedSource(source: BrokerSource) {
  const watched = Promise.withResolvers<{ sink: ConsumerSink; ownership: Ownership }>();
  const open = async (context: Parameters<BrokerSource["open"]>[0]): Promise<Broker> => {
    const broker = await source.open(context);
    const consume = broker.consume.bind(broker);
    broker.consume = (options, sink) => {
      const assigned = sink.assigned.bind(sink);
      sink.assigned = (added, continued) => {
        assigned(added, continued);
        watched.resolve({ sink, ownership: added[0]! });
      };
      return consume(options, sink);
    };
    return broker;
  };
  return { source: { ...source, name: source.name, open }, watched: watched.promise };
}

Deno.test("an empty batch moves the front past offsets without a record, and is committed", async () => {
  const { app, log, worker } = setUpWorker();
  await using _ = app;
  const started = nthEvent(app, "worker.started");
  const committed = nthEvent(app, "offset.committed");
  const run = worker.run();
  await started;
  log.appendControl({ topic: "default", partition: 0 }, 3);
  assertEquals((await committed).offset, 3);
  const { position, lag, waiting } = worker.status().groups[0]!.partitions[0]!;
  assertEquals([position, lag, waiting], [3, 0, 0]);
  await worker.stop();
  await run;
});

Deno.test("a record that cannot be copied ends the worker, and nothing behind it is committed", async () => {
  const { broker } = setUpWorker();
  const { source, watched } = watchedSource(broker);
  const { app, worker, errors } = setUpWorker({}, { broker: source });
  await using _ = app;
  let offset: number | null = null;
  app.on("offset.committed", (event) => offset = event.offset);
  const failed = nthEvent(app, "error.occurred");
  const run = worker.run().then(() => "ended", (error) => error.constructor.name);
  const { sink, ownership } = await watched;
  const record = { key: null, value: null, headers: [], timestampMs: 0 };
  const unreadable = { ...record, offset: 1, value: 5 as unknown as Uint8Array };
  sink.records(ownership, {
    records: [{ ...record, offset: 0 }, unreadable, { ...record, offset: 2 }],
    next: 3,
    highWatermark: 3,
  });
  assertEquals((await failed).where, "consumer of group shop");
  assertEquals([await run, worker.status().failure?.errorClass, errors.length], ["TypeError", "TypeError", 1]);
  await until(() => worker.isStopped, () => worker.status().state);
  assertEquals((offset ?? 0) <= 1, true, `${offset} was committed`);
});

Deno.test("a used up lookahead is reported once, and again after a record was finished", async () => {
  const { app, worker, steps, enqueue } = setUpWorker({ ordering: "none", maxMessages: 2 });
  await using _ = app;
  let isBroken = true;
  steps.perform = () => {
    if (isBroken) throw new Error("no");
  };
  const reports: (number | null)[] = [];
  app.on("partition.exhausted", ({ front }) => void reports.push(front));
  await enqueue(0, 1, 2);
  let failures = 0;
  app.on("job.failed", () => void failures++);
  const run = worker.run();
  await until(() => failures >= 6, () => `${failures} failures`);
  assertEquals(reports, [0]);
  isBroken = false;
  await until(() => worker.status().groups[0]!.partitions[0]!.position === 3, () => JSON.stringify(worker.status()));
  assertEquals(worker.status().groups[0]!.partitions[0]!.isExhausted, false);
  await worker.stop();
  await run;
});

Deno.test("a job does not start while the commit would have no space for its end, until the front has moved", async () => {
  const log = new FaultInjectionLog();
  // The metadata has 15 characters besides its head: one for each record from the front on.
  const broker = new LimitedBroker(log, 20);
  const { app, worker, steps, runs, enqueue } = setUpWorker({ ordering: "none" }, { broker });
  await using _ = app;
  const release = Promise.withResolvers<void>();
  steps.perform = (n) => n === 0 ? release.promise : undefined;
  const all = Array.from({ length: 100 }, (_, n) => n);
  await enqueue(...all);
  const run = worker.run();
  await until(() => runs.length >= 15, () => `${runs.length} jobs have started`);
  await turns(20);
  assertEquals(runs, all.slice(0, 15));
  release.resolve();
  await until(() => worker.status().groups[0]!.partitions[0]!.position === 100, () => JSON.stringify(worker.status()));
  assertEquals(runs, all);
  await worker.stop();
  await run;
});

Deno.test("a lost partition ends once its jobs have ended, also after many ran side by side", async () => {
  const { app, worker, runs, enqueue } = setUpWorker({ ordering: "none" }, { concurrency: 2 });
  await using _ = app;
  const all = Array.from({ length: 200 }, (_, n) => n);
  await enqueue(...all);
  let isEnded = false;
  const { lose } = Partition.prototype;
  Partition.prototype.lose = function (reason) {
    const ended = lose.call(this, reason);
    ended.then(() => isEnded = true);
    return ended;
  };
  try {
    await worker.run(undefined, { once: true });
    assertEquals(runs.length, all.length);
    await until(() => isEnded, () => "the partition has not ended", 5000);
  } finally {
    Partition.prototype.lose = lose;
  }
});
