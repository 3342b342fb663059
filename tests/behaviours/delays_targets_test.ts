/** Delayed jobs whose target does not take them, and records that are forged: they hold up no other job. */
import { assert, assertEquals } from "@std/assert";
import { activeJobTopic, kafka } from "../../mod.ts";
import { scheduleRecord } from "../../src/dispatch/schedule.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";
import { KAFKA_URL } from "../support/behaviours/brokers.ts";
import {
  delayedProcess,
  NoteJob,
  noteRecord,
  scheduledQueue,
  untilNoted,
  untilWaiting,
} from "../support/behaviours/delayed.ts";
import { deleteTopic } from "../support/behaviours/faults.ts";
import { until, type World } from "../support/behaviours/world.ts";

const MINUTE_MS = 60_000;
const encoder = new TextEncoder();

/** Appends records to the topic of delayed jobs, due in so many milliseconds by the clock of the system. */
async function schedule(world: World, jobs: readonly { what: unknown; queue: string; dueAtMs: number }[]) {
  await world.append(
    jobs.map(({ what, queue, dueAtMs }, n) => ({
      ...scheduleRecord(noteRecord(what), { jobId: `job-${n}`, dueAtMs, targetTopic: world.topic(queue) }),
      partition: 0,
    })),
    scheduledQueue(world),
  );
}

const brokers = [KAFKA_URL.replace(/^kafka:\/\//, "")];

behaviour(
  "T7: the topic of some jobs is missing: they wait, others are released; it is created: they are performed",
  async (world) => {
    world.allowErrors(/^scheduler: |UnknownTopicError/);
    const { process, clock } = await delayedProcess(world, {
      topics: ["default", "other"].map((name) => activeJobTopic(name, { partitions: 1 })),
      // A record for a missing topic is given up after it.
      ...(world.brokerName === "kafka" ? { broker: kafka({ brokers, deliveryTimeoutMs: 2000 }) } : {}),
    });
    await process.start({ topics: ["default"] });
    await deleteTopic(world, "other");
    const dueAtMs = clock.nowMs() - 1;
    const jobs = Array.from({ length: 20 }, (_, n) => ({ what: n, queue: n % 2 === 0 ? "default" : "other", dueAtMs }));
    await schedule(world, jobs);
    await untilNoted(10);
    const blocked = await process.untilEvents("schedule.blocked", 1);
    assertEquals([blocked[0]!.target, blocked[0]!.reason], [world.topic("other"), "missing"]);
    await process.app.applyTopics();
    await until(
      async () => {
        clock.advance(MINUTE_MS);
        return process.worker.status().scheduler!.waiting === 0 && (await world.records("other")).length >= 10;
      },
      () => `all jobs to be released: ${JSON.stringify(process.worker.status().scheduler)}`,
    );
    await process.stop();
    await process.drain();
    assertEquals(NoteJob.got.slice(0, 10), [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
    assertEquals(NoteJob.got.slice(10).sort((a, b) => Number(a) - Number(b)), [1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
    assertEquals(process.events("schedule.blocked").length, 1);
  },
);

behaviour(
  "T7: jobs that their topic refuses for good go to its dead letter topic, and others are released",
  async (world) => {
    const { process, clock } = await delayedProcess(world, {
      topics: [
        activeJobTopic("default", { partitions: 1 }),
        activeJobTopic("small", {
          partitions: 1,
          config: { "max.message.bytes": "500" },
          deadLetterQueue: { topic: "dead" },
        }),
      ],
    });
    const dueAtMs = clock.nowMs() - 1;
    await schedule(world, [
      { what: "x".repeat(2000), queue: "small", dueAtMs },
      { what: "small", queue: "small", dueAtMs },
      { what: "default", queue: "default", dueAtMs },
    ]);
    await process.start();
    await untilNoted(2);
    const [dead] = await process.untilEvents("record.dead_lettered", 1);
    assertEquals([dead!.error.errorClass, dead!.topic, dead!.to.topic], [
      "RecordTooLargeError",
      world.topic(scheduledQueue(world)),
      world.topic("dead"),
    ]);
    await untilWaiting(process, 0);
    assertEquals([...NoteJob.got].sort(), ["default", "small"]);
    assertEquals((await world.records("dead")).length, 1);
  },
);

behaviour(
  "T8: forged records are set aside, wait or are clamped, and the jobs between them are released",
  async (world) => {
    const maxDelayMs = 3_600_000;
    const { process, clock } = await delayedProcess(world, { maxDelayMs });
    const headers = (due: string, target = world.topic()) =>
      [["due-at", encoder.encode(due)], ["target-topic", encoder.encode(target)]] as const;
    const past = String(clock.nowMs() - 1);
    await world.append(
      [
        { key: "a:1", value: "{}" },
        { key: "b:1", value: "{}", headers: headers("NaN") },
        { key: "c:1", value: "{}", headers: headers("-1") },
        { key: "no job", value: "{}", headers: headers(past) },
        { key: new Uint8Array([255, 58, 49]), value: "{}", headers: headers(past) },
        { ...noteRecord("one"), key: "d:1", headers: headers(past) },
        { key: "e:1", value: "no JSON", headers: headers(past) },
        { ...noteRecord("undeclared"), key: "f:1", headers: headers(past, "another") },
        { ...noteRecord("undeclared"), key: "f2:1", headers: headers(past, world.topic(scheduledQueue(world))) },
        { ...noteRecord("year 275761"), key: "g:1", headers: headers("8639999999999999") },
        { ...noteRecord("beyond any date"), key: "h:1", headers: headers("9999999999999999") },
        { ...noteRecord("two"), key: "i:1", headers: headers(past) },
      ].map((record) => ({ ...record, partition: 0 })),
      scheduledQueue(world),
    );
    await process.start();
    await untilNoted(2);
    await process.untilEvents("record.dead_lettered", 1);
    assertEquals(NoteJob.got, ["one", "two"]);
    assertEquals(process.events("schedule.unreadable").map(({ offset, reason }) => [offset, reason]), [
      [0, 'it has no valid "due-at"'],
      [1, 'it has no valid "due-at"'],
      [2, 'it has no valid "due-at"'],
      [3, "its key names no job"],
      [4, "its key names no job"],
    ]);
    const clamped = process.events("schedule.clamped");
    assertEquals(clamped.map(({ jobId, dueAtMs }) => [jobId, dueAtMs]), [["g", 8639999999999999], [
      "h",
      9999999999999999,
    ]]);
    assert(clamped.every(({ clampedToMs }) => clampedToMs <= clock.nowMs() + maxDelayMs));
    assertEquals(process.events("schedule.blocked").map(({ target, reason }) => [target, reason]), [
      ["another", "undeclared"],
      [world.topic(scheduledQueue(world)), "undeclared"],
    ]);
    await untilWaiting(process, 4);
    clock.advance(maxDelayMs + 1);
    await untilNoted(4);
    assertEquals(NoteJob.got.slice(2), ["year 275761", "beyond any date"]);
    assertEquals(process.worker.status().scheduler!.partitions[0]!.unreadable, 5);
  },
);
