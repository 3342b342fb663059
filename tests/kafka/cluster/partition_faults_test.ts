/** Partitions without a leader, and topics that are deleted, beside others that have nothing to do with it. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { activeJobTopic, App, EnqueueError, Job, kafka, type KafkaOptions } from "../../../mod.ts";
import { partitionOfKey } from "../../../src/broker/partitioner.ts";
import { SCHEDULED_TOPIC_CONFIG } from "../../../src/routing/scheduled_topic.ts";
import { clusterTest, finishLoad, useThreeBrokers } from "../../support/kafka/cluster_fault.ts";
import { Load } from "../../support/kafka/load.ts";
import { MachineMeter } from "../../support/machine_meter.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import type { ThreeBrokers } from "../../support/kafka/three_brokers.ts";
import { until } from "../../support/until.ts";
import { nthEvent } from "../../support/worker.ts";

/** Of topics whose partitions have one replica each. */
const ONE_REPLICA = { "min.insync.replicas": "1" };
/** Time for which a topic is away, in milliseconds: longer than three sessions, and than the metadata may be old. */
const AWAY_MS = 35_000;

useThreeBrokers();

clusterTest("C5: a partition without a leader waits alone; one event tells it, and one its end", async (three) => {
  const topic = "C5-own";
  await three.create(
    { name: topic, replicas: [[1], [2]], config: ONE_REPLICA },
    { name: "C5-other", replicas: [[2]], config: ONE_REPLICA },
  );
  const group = await three.groupOn(1, "C5");
  await using load = await Load.start({ brokers: three.brokers, group, topics: { [topic]: 2 } });
  load.begins();
  await three.kill(2);
  await load.worker.line(/^partition\.leaderless /);
  await load.untilPerforming([{ topic, partition: 0 }]);
  load.ends();
  await three.restore();
  await load.worker.line(/^partition\.led /);
  await load.untilPerforming();
  await finishLoad(load, { maxTwice: 0 });
  const standstillMs = load.standstillMs({ topic, partition: 0 });
  console.log(`  standstill ${standstillMs} ms`);
  load.assertWithin("standstill of the partition with a leader", standstillMs, 500);
  const told = load.worker.lines.filter((line) => /^partition\.lea?d|^topic\./.test(line));
  assertEquals(told.map((line) => line.replace(/,"elapsedMs".*/, "}")), [
    `partition.leaderless {"topic":"${topic}","partition":1}`,
    `partition.led {"topic":"${topic}","partition":1}`,
  ]);
});

class NoteJob extends Job {
  static override kafkaOptions: KafkaOptions<NoteJob> = { dispatchMethod: "produceSync", key: (job) => job.args[0] };
  static performed: (string | null)[] = [];

  perform(key: string | null) {
    NoteJob.performed.push(key);
  }
}

clusterTest(
  "C6: processes that start while partitions have no leader enqueue and perform in the others; the status names them",
  async (three) => {
    const topic = "C6-own", kept = "C6-kept", lost = "C6-lost";
    await three.create(
      { name: topic, replicas: [[1], [2]], config: ONE_REPLICA },
      { name: kept, replicas: [[3]], config: ONE_REPLICA },
      { name: lost, replicas: [[2]], config: ONE_REPLICA },
    );
    const group = await three.groupOn(1, "C6");
    await three.kill(2);
    await three.untilLedBy(topic, 1, null);
    const deliveryTimeoutMs = 4000;
    using machine = new MachineMeter();
    const startedMs = performance.now();
    await using app = new App({
      name: group,
      broker: kafka({ brokers: [three.brokers[0]!], deliveryTimeoutMs }),
      jobs: [NoteJob],
      topics: [activeJobTopic(topic)],
      logger: false,
    });
    const led = app.run(() => NoteJob.set({ queue: topic }).performLater(keyOf(0)));
    const notLedMs = performance.now();
    const notLed = assertRejects(
      () => app.run(() => NoteJob.set({ queue: topic }).performLater(keyOf(1))),
      EnqueueError,
    );
    const keyless = Array.from({ length: 20 }, () => app.run(() => NoteJob.set({ queue: topic }).performLater(null)));
    const positions = (await Promise.all([led, ...keyless])).map((job) => job.position!.partition);
    assertEquals(positions, Array.from(positions, () => 0));
    const performed = new Promise<void>((resolve) =>
      app.on("job.performed", () => NoteJob.performed.length === positions.length && resolve())
    );
    const leaderless = nthEvent(app, "partition.leaderless");
    const stop = new AbortController();
    const running = app.worker().run(stop.signal);
    await performed;
    const startMs = performance.now() - startedMs;
    assertEquals(await leaderless, { topic, partition: 1 });
    assertEquals((await notLed).written, "no");
    const refusedMs = performance.now() - notLedMs;
    console.log(`  started within ${Math.round(startMs)} ms, refused after ${Math.round(refusedMs)} ms`);
    machine.assertWithin("start", startMs, 5000);
    stop.abort();
    await running;
    await assertStatus(three, group, { topic, kept, lost });
  },
);

/** Checks the status while partition 1 of `topic` and that of `lost` have no leader. */
async function assertStatus(
  three: ThreeBrokers,
  name: string,
  { topic, kept, lost }: Readonly<Record<"topic" | "kept" | "lost", string>>,
): Promise<void> {
  await using app = new App({
    name,
    broker: kafka({ brokers: [three.brokers[0]!] }),
    jobs: [NoteJob],
    topics: [topic, kept, lost].map((name) => activeJobTopic(name)),
    reports: false,
    logger: false,
  });
  for (const queue of [topic, topic, kept]) await app.run(() => NoteJob.set({ queue }).performLater(keyOf(0)));
  using machine = new MachineMeter();
  const askedMs = performance.now();
  const { topics, notes } = await app.status({ timeoutMs: 5000 });
  const tookMs = performance.now() - askedMs;
  console.log(`  status within ${Math.round(tookMs)} ms`);
  machine.assertWithin("status", tookMs, 5000);
  const shown = topics.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition, state, lag, oldestWaitingMs, reason }) =>
      `${topic}/${partition} ${state} ${lag} ${oldestWaitingMs === null ? reason : "with its age"}`
    )
  );
  const reason = "it has no leader: the broker that holds it is away";
  assertEquals(shown.sort(), [
    `${kept}/0 no worker 1 with its age`,
    `${lost}/0 unknown null ${reason}`,
    `${topic}/0 no worker 2 with its age`,
    `${topic}/1 unknown null ${reason}`,
  ]);
  assertEquals(topics.map(({ topic, lag }) => `${topic} ${lag}`).sort(), [
    `${kept} 1`,
    `${lost} null`,
    `${topic} null`,
  ]);
  assertEquals(notes, []);
}

/** Returns a key of a partition. */
function keyOf(partition: number): string {
  for (let n = 0;; n++) if (partitionOfKey(`${n}`, 2) === partition) return `${n}`;
}

class DelayedJob extends Job {
  static performed: string[] = [];

  perform(what: string) {
    DelayedJob.performed.push(what);
  }
}

clusterTest(
  "T7: the topic of some delayed jobs has no leader: they wait, others are released; it has one: they are performed",
  async (three) => {
    const [led, lost] = ["T7-led", "T7-lost"];
    const name = await three.groupOn(1, "T7");
    await three.create(
      { name: led, replicas: [[1]], config: ONE_REPLICA },
      { name: lost, replicas: [[2]], config: ONE_REPLICA },
      {
        name: `${name}_scheduled_jobs`,
        replicas: [[1, 3]],
        config: { ...SCHEDULED_TOPIC_CONFIG, ...ONE_REPLICA },
      },
    );
    const clock = new ManualClock();
    await using app = new App({
      name,
      broker: kafka({ brokers: [three.brokers[0]!], deliveryTimeoutMs: 3000 }),
      jobs: [DelayedJob],
      topics: [activeJobTopic(led), activeJobTopic(lost)],
      clock,
      logger: false,
    });
    const names = (topic: string) => Array.from({ length: 50 }, (_, n) => `${topic} ${n}`);
    const jobs = [led, lost].flatMap((queue) => {
      const later = DelayedJob.set({ wait: { hours: 1 }, queue });
      return names(queue).map((what) => later.of(what));
    });
    await app.enqueueAll(jobs);
    await app.flush();
    await three.kill(2);
    await three.untilLedBy(lost, 0, null);
    const worker = app.worker();
    const running = worker.run();
    const waiting = () => worker.status().scheduler?.waiting;
    await until(() => waiting() === 100, () => `${waiting()} wait`, 30_000);
    const blocked = nthEvent(app, "schedule.blocked");
    clock.advance(3_600_000);
    const { target, reason } = await blocked;
    assertEquals([target, reason], [lost, "unavailable"]);
    await until(() => DelayedJob.performed.length === 50, () => `${DelayedJob.performed}`, 30_000);
    await until(() => waiting() === 50, () => `${waiting()} wait`);
    assertEquals(DelayedJob.performed.toSorted(), names(led).sort());
    await three.start(2);
    await until(() => DelayedJob.performed.length === 100, () => `${DelayedJob.performed}`, 60_000);
    await until(() => waiting() === 0, () => `${waiting()} wait`);
    assertEquals(DelayedJob.performed.toSorted(), [...names(led), ...names(lost)].sort());
    await worker.stop();
    await running;
  },
);

clusterTest(
  "C7: of two topics one is deleted and created again after half a minute: the other goes on within 1 s, and then both",
  async (three) => {
    const kept = "C7-kept", deleted = { name: "C7-deleted", replicas: [[3, 1, 2], [1, 2, 3]] } as const;
    await three.create({ name: kept, replicas: [[1, 2, 3], [2, 3, 1]] }, deleted);
    const group = await three.groupOn(1, "C7");
    await using load = await Load.start({ brokers: three.brokers, group, topics: { [kept]: 2, [deleted.name]: 2 } });
    load.begins();
    await three.delete(deleted.name);
    load.noteDeleted(deleted.name);
    await load.worker.line(/^topic\.missing /);
    await load.run(AWAY_MS);
    await three.create(deleted);
    await load.worker.count(/^topic\.recreated /, 2);
    await load.untilPerforming();
    load.ends();
    const { notAcknowledged } = await finishLoad(load, { maxTwice: 0 });
    assert(notAcknowledged > 0, "The calls while the topic was away failed");
    const standstillMs = load.worstStandstillMs(kept);
    console.log(`  standstill of the other topic ${standstillMs} ms`);
    load.assertWithin("standstill of the other topic", standstillMs, 1000);
    assertEquals(load.worker.lines.filter((line) => line.startsWith("topic.missing")).length, 1);
    assertEquals(load.worker.lines.filter((line) => line.startsWith("topic.recreated")).length, 2);
    // Not that of the scheduler.
    const joins = load.worker.lines.filter((line) => /": generation/.test(line.replaceAll("\\", "")));
    assertEquals(joins.filter((line) => !line.includes(".scheduler")).length, 1);
  },
);
