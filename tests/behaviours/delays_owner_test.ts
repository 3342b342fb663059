/** The owner of delayed jobs: killed, replaced in mid-release, with little memory, and with jobs that wait for a year. */
import { assert, assertEquals } from "@std/assert";
import { Job } from "../../mod.ts";
import type { BrokerSource, NewRecord } from "../../src/broker/broker.ts";
import { cancellationRecord, scheduleRecord } from "../../src/dispatch/schedule.ts";
import { SCHEDULED_TOPIC_CONFIG } from "../../src/routing/scheduled_topic.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";
import {
  delayedProcess,
  NoteJob,
  noteRecord,
  scheduledQueue,
  untilNoted,
  untilWaiting,
} from "../support/behaviours/delayed.ts";
import { RunLog, runLogRecord } from "../support/behaviours/run_log.ts";
import { asString, until, type World } from "../support/behaviours/world.ts";
import { MachineMeter } from "../support/machine_meter.ts";
import { Random } from "../support/random.ts";

const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;

/** Appends to the topic of delayed jobs, a thousand at a time. */
async function appendScheduled(world: World, records: readonly NewRecord[]): Promise<void> {
  for (let at = 0; at < records.length; at += 1000) {
    await world.append(records.slice(at, at + 1000), scheduledQueue(world));
  }
}

behaviour(
  "T4: the owner is killed with -9 again and again: no job is lost, and at most a thousand a kill run again",
  { on: ["sqlite", "kafka"], because: "a process is killed" },
  async (world) => {
    const JOBS = 3000;
    const random = new Random(4);
    class RunLogJob extends Job {
      perform(): void {}
    }
    await world.process({ jobs: [RunLogJob], scheduledTopic: { partitions: 2 } });
    await using runLog = new RunLog(world);
    const beganMs = Date.now();
    await appendScheduled(
      world,
      Array.from({ length: JOBS }, (_, n) => ({
        ...scheduleRecord(runLogRecord(n), {
          jobId: `job-${n}`,
          dueAtMs: beganMs + random.integer(500, 8000),
          targetTopic: world.topic(),
        }),
        partition: n % 2,
      })),
    );
    const workers = [runLog.start("none"), runLog.start("none")];
    await Promise.all(workers.map((worker) => worker.line(/^worker\.started /)));
    const KILLS = 5;
    for (let kill = 0; kill < KILLS; kill++) {
      await new Promise((resolve) => setTimeout(resolve, random.next() * 2 * SECOND_MS));
      const victim = random.integer(0, 1);
      workers[victim]!.signal("SIGKILL");
      workers[victim] = runLog.start("none");
      await workers[victim].line(/^worker\.started /);
    }
    const ended = () => new Set(runLog.ended());
    await until(() => ended().size === JOBS, () => `${JOBS} jobs to end, not ${ended().size}`, 60_000);
    for (const worker of workers) worker.signal("SIGTERM");
    for (const worker of workers) await worker.ended();
    const released = (await world.records()).length;
    assert(released - JOBS <= 1000 * KILLS, `${released - JOBS} releases too many`);
    const next = await world.process({ jobs: [RunLogJob], scheduledTopic: { partitions: 2 } });
    await next.drain();
    assertEquals((await next.app.scheduled()).length, 0);
  },
);

behaviour("T5: a partition moves to another worker in mid-release: no job is lost", async (world) => {
  const JOBS = 3000;
  const options = { scheduledTopic: { partitions: 2 } };
  const { process, clock } = await delayedProcess(world, options);
  const { process: other } = await delayedProcess(world, options, clock);
  await appendScheduled(
    world,
    Array.from({ length: JOBS }, (_, n) => ({
      ...scheduleRecord(noteRecord(n), { jobId: `job-${n}`, dueAtMs: clock.nowMs(), targetTopic: world.topic() }),
      partition: n % 2,
    })),
  );
  await process.start();
  await until(() => process.events("job.released").length >= 300, () => "releases");
  await other.start();
  await until(
    () => other.worker.status().scheduler!.partitions.some(({ isReady }) => isReady),
    () => JSON.stringify(other.worker.status().scheduler),
  );
  await until(() => new Set(NoteJob.got).size === JOBS, () => `${new Set(NoteJob.got).size} jobs`);
  await untilWaiting(process, 0);
  await untilWaiting(other, 0);
  const doubled = [process, other].flatMap((each) => each.events("job.released")).length - JOBS;
  assert(doubled >= 0 && doubled <= 1000, `${doubled} were released again`);
});

behaviour("T5: a late tombstone of a former owner removes nothing that was scheduled after it", async (world) => {
  const runs: string[] = [];
  class ScheduledAgainJob extends Job {
    perform(): void {
      runs.push(`${this.executions}`);
    }
  }
  const gate = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const topic = world.topic(scheduledQueue(world));
  const sleepy: BrokerSource = {
    ...world.source,
    async open(context) {
      const broker = await world.source.open(context);
      const append = broker.append.bind(broker);
      broker.append = async (to, records, options) => {
        if (to === topic && records.some(({ value }) => value === null)) {
          held.resolve();
          await gate.promise;
        }
        return await append(to, records, options);
      };
      return broker;
    },
  };
  const { process: former, clock } = await delayedProcess(world, { jobs: [ScheduledAgainJob], broker: sleepy });
  const { process: next } = await delayedProcess(world, { jobs: [ScheduledAgainJob] }, clock);
  await former.start({ topics: ["default"] });
  const first = scheduleRecord({
    value: JSON.stringify({ job_class: "ScheduledAgainJob", job_id: "one", arguments: [] }),
  }, {
    jobId: "one",
    dueAtMs: clock.nowMs() + SECOND_MS,
    targetTopic: world.topic(),
  });
  await appendScheduled(world, [{ ...first, partition: 0 }]);
  await untilWaiting(former, 1);
  clock.advance(SECOND_MS);
  await held.promise;
  await until(() => runs.length === 1, () => `${runs}`);
  await former.untilEvents("offset.committed", 1);
  const again = scheduleRecord({
    value: JSON.stringify({ job_class: "ScheduledAgainJob", job_id: "one", arguments: [], executions: 1 }),
  }, {
    jobId: "one",
    dueAtMs: clock.nowMs() + 5 * SECOND_MS,
    targetTopic: world.topic(),
  });
  await appendScheduled(world, [{ ...again, partition: 0 }]);
  const stopped = former.stop();
  await next.start();
  await untilWaiting(next, 1);
  gate.resolve();
  await stopped;
  const tombstones = async () => (await world.client.admin.read(topic, 0, { from: 1, maxBytes: 1_000_000 })).high;
  await until(async () => await tombstones() >= 3, () => "the late tombstone");
  await next.stop();
  const before = runs.length;
  await next.start();
  await untilWaiting(next, 1);
  assertEquals(runs.length, before);
  clock.advance(5 * SECOND_MS);
  await until(() => runs.length === before + 1, () => `${runs}`);
  await untilWaiting(next, 0);
  assertEquals(runs.at(-1), "2");
});

behaviour(
  "T5: an owner that stood still for half a day reads its partition again before it releases",
  async (world) => {
    let isCompacted = false, removed = 0;
    // As if the tombstone was removed from the log before it was delivered.
    const source: BrokerSource = {
      ...world.source,
      async open(context) {
        const broker = await world.source.open(context);
        const consume = broker.consume.bind(broker);
        broker.consume = (options, sink) => {
          const records: typeof sink.records = (ownership, batch) => {
            const kept = isCompacted ? batch.records.filter(({ value }) => value !== null) : batch.records;
            removed += batch.records.length - kept.length;
            sink.records(ownership, { ...batch, records: kept });
          };
          const get = (target: typeof sink, name: keyof typeof sink) =>
            name === "records" ? records : target[name]?.bind(target);
          return consume(options, new Proxy(sink, { get: (target, name) => get(target, name as keyof typeof sink) }));
        };
        return broker;
      },
    };
    const { process, clock } = await delayedProcess(world, { broker: source });
    const seen: string[] = [];
    process.app.on("schedule.ready", ({ waiting }) => seen.push(`${waiting} wait`));
    process.app.on("job.released", ({ jobId }) => seen.push(`${jobId} released`));
    await process.start();
    await untilWaiting(process, 0);
    const [gone, kept] = ["gone", "kept"].map((jobId) =>
      scheduleRecord(noteRecord(jobId), {
        jobId,
        dueAtMs: clock.nowMs() + 12 * HOUR_MS,
        targetTopic: world.topic(),
      })
    );
    await appendScheduled(world, [gone!, kept!].map((record) => ({ ...record, partition: 0 })));
    await untilWaiting(process, 2);
    isCompacted = true;
    await appendScheduled(world, [{ key: gone!.key!, value: null, partition: 0 }]);
    await until(() => removed === 1, () => "the tombstone");
    isCompacted = false;
    clock.advance(12 * HOUR_MS + 1);
    await untilNoted(1);
    await untilWaiting(process, 0);
    assertEquals([NoteJob.got, seen], [["kept"], ["0 wait", "1 wait", "kept released"]]);
  },
);

behaviour(
  "T9: very many wait, half of them cancelled, with memory for few: the others are released in order",
  async (world) => {
    const JOBS = world.brokerName === "memory" ? 100_000 : 10_000;
    const random = new Random(9);
    let [reads, records] = [0, 0];
    const counted: BrokerSource = {
      ...world.source,
      async open(context) {
        const broker = await world.source.open(context);
        const read = broker.admin.read.bind(broker.admin);
        broker.admin.read = async (...args) => {
          const page = await read(...args);
          reads++;
          records += page.records.length;
          return page;
        };
        return broker;
      },
    };
    const { process, clock } = await delayedProcess(world, { broker: counted, maxBufferedBytes: 4 * 1024 * 1024 });
    const dueAtMs = Array.from({ length: JOBS }, () => clock.nowMs() + random.integer(1, 1_000_000));
    await appendScheduled(
      world,
      dueAtMs.map((due, n) => ({
        ...scheduleRecord(noteRecord(n), { jobId: `job-${n}`, dueAtMs: due, targetTopic: world.topic() }),
        partition: 0,
      })),
    );
    await appendScheduled(
      world,
      dueAtMs.flatMap((_, n) => n % 2 === 0 ? [] : [{ ...cancellationRecord(`job-${n}`), partition: 0 }]),
    );
    clock.advance(1_000_000);
    const worker = process.app.worker();
    worker.quiet();
    const run = worker.run();
    const status = () => worker.status().scheduler;
    await until(
      () => status()?.partitions[0]?.isReady === true && status()!.waiting === 0,
      () => JSON.stringify(status()),
      120_000,
    );
    await worker.stop();
    await run;
    const released = (await world.records()).map(({ value }) => JSON.parse(asString(value)!).arguments[0] as number);
    const wanted = dueAtMs.flatMap((_, n) => n % 2 === 0 ? [n] : []).sort((a, b) => dueAtMs[a]! - dueAtMs[b]! || a - b);
    assertEquals(released.length, wanted.length);
    assertEquals(released, wanted);
    assertEquals(process.events("job.cancelled").length, JOBS / 2);
    assert(reads <= JOBS / 2 && records <= 30 * JOBS, `${reads} reads of ${records} records`);
  },
);

/** The settings of the topic, and small numbers, so that Kafka compacts it within seconds. */
const QUICKLY_COMPACTED = {
  ...SCHEDULED_TOPIC_CONFIG,
  "segment.ms": "200",
  "segment.bytes": "1048576",
  "min.cleanable.dirty.ratio": "0.01",
  "delete.retention.ms": "1000",
};

behaviour(
  "T10: a job waits for a year while very many come and go: the log and the start stay small",
  async (world) => {
    const JOBS = 20_000;
    if (world.brokerName === "kafka") {
      const name = world.topic(scheduledQueue(world));
      await world.client.admin.create([{ name, partitions: 1, config: QUICKLY_COMPACTED }]);
    }
    const { process, clock } = await delayedProcess(world);
    const at = (n: number, waitMs: number) => ({
      ...scheduleRecord(noteRecord(n), {
        jobId: `job-${n}`,
        dueAtMs: clock.nowMs() + waitMs,
        targetTopic: world.topic(),
      }),
      partition: 0,
    });
    await appendScheduled(world, [at(-1, YEAR_MS - SECOND_MS)]);
    const worker = process.app.worker();
    worker.quiet();
    const run = worker.run();
    await appendScheduled(world, Array.from({ length: JOBS }, (_, n) => at(n, 0)));
    await until(
      () => worker.status().scheduler?.waiting === 1 && process.events("job.released").length === JOBS,
      () => JSON.stringify(worker.status().scheduler),
      60_000,
    );
    // Without a group: a tombstone stays until each group has read it.
    const left = async () => {
      let [count, from] = [0, 0];
      while (true) {
        const options = { from, maxBytes: 1_000_000, values: false };
        const { records, next, high } = await world.client.admin.read(world.topic(scheduledQueue(world)), 0, options);
        count += records.length;
        if (next >= high) return count;
        from = next;
      }
    };
    let now = 0;
    await until(
      async () => {
        // The memory log removes some tombstones at each delivery, and Kafka those that are not in the newest segment.
        await appendScheduled(world, [{ ...cancellationRecord("none"), partition: 0 }]);
        return (now = await left()) < 100;
      },
      () => `the tombstones to be removed, but ${now} are left`,
    );
    await worker.stop();
    await run;
    const { offset, metadata } = (await world.client.admin.committed(
      `${world.group}.scheduler`,
      world.topic(scheduledQueue(world)),
    ))[0]!;
    assertEquals(offset, 0);
    assert(/;w=\d+:\d+$/.test(metadata) && metadata.length < 200, metadata);
    using machine = new MachineMeter();
    await process.start();
    await untilWaiting(process, 1);
    const ready = process.events("schedule.ready").at(-1)!;
    assertEquals(ready.waiting, 1);
    machine.assertWithin("reading at the start", ready.readMs, 2000);
    await untilNoted(0);
  },
);
