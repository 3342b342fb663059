/** Producing: how jobs get into the log, and the errors that the caller gets if they do not. */
// Runs alone: it limits how long callers wait.
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  activeJobTopic,
  EnqueueError,
  Job,
  type KafkaOptions,
  RecordTooLargeError,
  UnknownTopicError,
} from "../../mod.ts";
import { counted, cuttableConnection, deleteTopic } from "../support/behaviours/faults.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";
import { asString, durationMs, type LogRecord } from "../support/behaviours/world.ts";
import { MachineMeter } from "../support/machine_meter.ts";

class PlainJob extends Job {
  perform(..._args: unknown[]) {}
}

class SyncJob extends PlainJob {
  static override kafkaOptions: KafkaOptions = { dispatchMethod: "produceSync" };
}

class KeyedJob extends PlainJob {
  static override kafkaOptions: KafkaOptions = { key: (job) => String(job.args[0]) };
}

class MissingJob extends PlainJob {
  static override queue = "missing";
}

class MissingSyncJob extends SyncJob {
  static override queue = "missing";
}

/** The arguments of a record's job. */
function args(record: LogRecord): unknown[] {
  return JSON.parse(asString(record.value)!).arguments;
}

const WITH_A_MISSING_TOPIC = {
  jobs: [PlainJob, MissingJob, MissingSyncJob],
  topics: [activeJobTopic("default"), activeJobTopic("missing")],
};

behaviour(
  "W1: the broker is offline and the buffer is full: the caller waits, then gets an EnqueueError; buffered jobs are sent later",
  async (world) => {
    await using connection = cuttableConnection(world);
    const buffer = { maxRecords: 10, maxWaitMs: 300 };
    const process = await world.process({ jobs: [PlainJob, SyncJob], broker: connection.source, buffer });
    await SyncJob.performLater(0);
    connection.cut();
    const buffered = [];
    for (let n = 1; n <= 10; n++) buffered.push(await PlainJob.performLater(n));
    assertEquals(buffered.map(({ status }) => status), Array(10).fill("buffered"));
    let error: EnqueueError | undefined;
    using machine = new MachineMeter();
    const waitedMs = await durationMs(async () => {
      error = await assertRejects(() => PlainJob.performLater(11), EnqueueError);
    });
    assert(waitedMs >= 299, `waited ${waitedMs} ms`);
    machine.assertWithin("wait", waitedMs, 3000);
    assertEquals(error!.written, "no");
    connection.restore();
    await process.app.flush();
    assertEquals(buffered.map(({ status }) => status), Array(10).fill("delivered"));
    await process.drain();
    assertEquals((await world.records()).map(args), Array.from({ length: 11 }, (_, n) => [n]));
    assertEquals(process.events("job.performed").length, 11);
    await process.close();
  },
);

behaviour(
  "W2: a topic does not exist: performLater, or the event and delivered(), report an error; other topics go on",
  async (world) => {
    const process = await world.process(WITH_A_MISSING_TOPIC);
    // A first job: an embedded broker makes all topics before it.
    await (await PlainJob.performLater(0)).delivered();
    await deleteTopic(world, "missing");
    world.allowErrors(/^enqueue: EnqueueError: .*missing/);
    const told = await assertRejects(() => MissingSyncJob.performLater(), EnqueueError, world.topic("missing"));
    assertEquals([told.written, told.cause instanceof UnknownTopicError], ["no", true]);
    const job = await MissingJob.performLater();
    const later = await assertRejects(() => job.delivered(), EnqueueError, world.topic("missing"));
    assertEquals([later.written, job.status, job.enqueueError], ["no", "failed", later]);
    const failed = await process.untilEvents("job.enqueue_failed", 2);
    assertEquals(failed.map(({ jobClass, written }) => [jobClass, written]), [
      ["MissingSyncJob", "no"],
      ["MissingJob", "no"],
    ]);
    // The caller got the error, so that there is no event.
    await process.untilEvents("error.occurred", 1);
    const good = await PlainJob.performLater(1);
    await good.delivered();
    assertEquals((await world.records()).map(args), [[0], [1]]);
  },
);

behaviour(
  "W3: a record exceeds the size limit: its EnqueueError states size and limit, and the rest of the batch is sent",
  async (world) => {
    const process = await world.process({ jobs: [SyncJob], maxPayloadBytes: 2_000_000 });
    const enqueue = (n: number) => SyncJob.performLater(n, n === 10 ? "x".repeat(1_100_000) : "");
    const results = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => enqueue(n)));
    assertEquals(results.map(({ status }) => status).filter((status) => status === "fulfilled").length, 19);
    const { reason } = results[10] as PromiseRejectedResult;
    assert(reason instanceof EnqueueError && reason.cause instanceof RecordTooLargeError, String(reason));
    assert(/has 1100\d{3} bytes, .* allows 1048588$/.test(reason.message), reason.message);
    assertEquals(reason.written, "no");
    assertEquals(
      (await world.records()).map((record) => args(record)[0]),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].concat(
        [11, 12, 13, 14, 15, 16, 17, 18, 19],
      ),
    );
    await process.drain();
    assertEquals(process.events("job.performed").length, 19);
  },
);

behaviour(
  "W4: 10,000 calls of performLater are not awaited: all jobs arrive, in order for each key, in few requests",
  async (world) => {
    await using log = counted(world);
    const topics = [activeJobTopic("default", { partitions: 4 })];
    const process = await world.process({ jobs: [KeyedJob], topics, broker: log.source });
    for (let n = 0; n < 10_000; n++) void KeyedJob.performLater(n % 100, n);
    await process.app.flush();
    const byKey = Map.groupBy((await world.records()).map(args), ([key]) => key as number);
    assertEquals(byKey.size, 100);
    for (const [key, jobs] of byKey) {
      assertEquals(jobs.map(([, n]) => n), Array.from({ length: 100 }, (_, index) => index * 100 + key));
    }
    assert(log.appends <= 15, `${log.appends} requests`);
    await process.close();
  },
);

behaviour(
  "W6: a job for a missing topic and one for a good topic are enqueued together: the second is performed within a second",
  async (world) => {
    const process = await world.process(WITH_A_MISSING_TOPIC);
    // A first job: an embedded broker makes all topics before it.
    await (await PlainJob.performLater(0)).delivered();
    await deleteTopic(world, "missing");
    world.allowErrors(/^enqueue: EnqueueError: .*missing/);
    await process.start({ topics: ["default"] });
    await process.untilEvents("job.performed", 1);
    using machine = new MachineMeter();
    const tookMs = await durationMs(async () => {
      void MissingJob.performLater();
      void PlainJob.performLater();
      await process.untilEvents("job.performed", 2);
    });
    machine.assertWithin("job of the good topic", tookMs, 1000);
    await process.untilEvents("error.occurred", 1);
  },
);

behaviour(
  "W7: max.message.bytes is 2000, and one job of 5 kB is among 200 small ones: 200 are performed, one error names size and limit",
  async (world) => {
    const topics = [activeJobTopic("default", { partitions: 1, config: { "max.message.bytes": "2000" } })];
    const process = await world.process({ jobs: [SyncJob], topics });
    const enqueue = (n: number) => SyncJob.performLater(n, n === 77 ? "x".repeat(5000) : "");
    const results = await Promise.allSettled(Array.from({ length: 201 }, (_, n) => enqueue(n)));
    const rejected = results.filter((result) => result.status === "rejected").map(({ reason }) => reason);
    assertEquals(rejected.length, 1);
    assert(/has 5\d{3} bytes, .* allows 2000$/.test(rejected[0].message), rejected[0].message);
    assert(rejected[0] instanceof EnqueueError && results[77]!.status === "rejected");
    await process.drain();
    assertEquals(process.events("job.performed").length, 200);
    const numbers = (await world.records()).map((record) => args(record)[0]);
    assertEquals(numbers, Array.from({ length: 201 }, (_, n) => n).filter((n) => n !== 77));
  },
);

// The hashes are those of Kafka's own UtilsTest; the Java client clears the sign bit and takes the remainder.
const HASHES: readonly (readonly [key: string, hash: number])[] = [
  ["21", -973932308],
  ["foobar", -790332482],
  ["a-little-bit-long-string", -985981536],
  ["a-little-bit-longer-string", -1486304829],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
  ["abc", 479470107],
];

behaviour("P6: a key always goes to the partition that Kafka's Java client would choose", async (world) => {
  const topics = [activeJobTopic("default", { partitions: 7 })];
  await world.process({ jobs: [KeyedJob], topics });
  for (const [key, hash] of HASHES) {
    const expected = Number(BigInt.asUintN(31, BigInt(hash))) % 7;
    for (let n = 0; n < 3; n++) {
      const job = await KeyedJob.performLater(key);
      await job.delivered();
      assertEquals(job.position?.partition, expected, key);
    }
  }
  const keys = new Map((await world.records()).map((record) => [asString(record.key), record.partition]));
  assertEquals(keys.size, HASHES.length);
});
