/** Whether the job of a last tick is finished: its cost, and the places where it may be. */
import { assertEquals, assertRejects } from "@std/assert";
import type { ReadOptions } from "../../../src/broker/broker.ts";
import { cancellationRecord, scheduleRecord } from "../../../src/dispatch/schedule.ts";
import { UnknownTopicError } from "../../../src/errors.ts";
import { tickJobIdOf } from "../../../src/recurring/definition.ts";
import { OpenJobs } from "../../../src/scheduler/recurring/open_jobs.ts";
import { FaultInjectionLog } from "../../support/fault_injection_log.ts";

const HOUR_MS = 3_600_000;
const { signal } = new AbortController();

/** The last tick of a recurring job, whose job was the first record of the topic. */
function lastTick(id = "note", hour = 0) {
  const tickAtMs = hour * HOUR_MS;
  return { tickAtMs, jobId: tickJobIdOf(id, tickAtMs), position: { topic: "target", partition: 0, offset: 0 } };
}

const recordOf = (jobId: string) => ({ key: null, value: JSON.stringify({ job_id: jobId, arguments: [jobId] }) });

/** A topic with one partition and one of delayed jobs, and the offsets that were read of both. */
async function openTopics() {
  const log = new FaultInjectionLog();
  const broker = log.open();
  await broker.admin.create([{ name: "scheduled", config: { "cleanup.policy": "compact" } }, { name: "target" }]);
  const read: Record<string, number> = { target: 0, scheduled: 0 };
  const admin = {
    ends: (topic: string) => broker.admin.ends(topic),
    committed: (group: string, topic: string) => broker.admin.committed(group, topic),
    read: async (topic: string, partition: number, options: ReadOptions) => {
      const page = await broker.admin.read(topic, partition, options);
      read[topic]! += page.records.length;
      return page;
    },
  };
  const openJobs = new OpenJobs({ admin, groupOf: () => "jobs", topic: "scheduled", group: "schedulers", signal });
  return {
    log,
    broker,
    openJobs,
    /** Appends records to the topic. */
    append: (...jobIds: string[]) => broker.append("target", jobIds.map(recordOf)),
    /** Commits that everything before an offset is finished. */
    finishBefore: (offset: number) => broker.admin.seek("jobs", [{ topic: "target", partition: 0, offset }]),
    /** Returns the numbers of records that were read since the last call. */
    takeRead: () => {
      const { target, scheduled } = read;
      [read.target, read.scheduled] = [0, 0];
      return [target, scheduled];
    },
    [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
  };
}

const OTHERS = Array.from({ length: 5000 }, (_, n) => `other-${n}`);

Deno.test("a job whose topic was deleted is open only if it is among the delayed jobs", async () => {
  const log = new FaultInjectionLog();
  await using broker = log.open();
  const { admin } = broker;
  const openJobs = new OpenJobs({ admin, groupOf: () => "group", topic: "scheduled", group: "group", signal });
  const look = () => openJobs.isOpen(lastTick());
  // Also the error of a topic that must be there.
  await assertRejects(look, UnknownTopicError, "scheduled");
  await admin.create([{ name: "scheduled", config: { "cleanup.policy": "compact" } }, { name: "target" }]);
  await broker.append("target", [{ key: null, value: "{}" }]);
  assertEquals(await look(), true);
  log.deleteTopic("target");
  assertEquals(await look(), false);
  const schedule = { jobId: lastTick().jobId, dueAtMs: Date.now() + 60_000, targetTopic: "target" };
  await broker.append("scheduled", [scheduleRecord({ value: "{}" }, schedule)]);
  assertEquals(await look(), true);
});

Deno.test("a job that waits or runs is known by its position: nothing is read, however much waits behind it", async () => {
  await using topics = await openTopics();
  await topics.append(lastTick().jobId, ...OTHERS);
  assertEquals([await topics.openJobs.isOpen(lastTick()), topics.takeRead()], [true, [0, 0]]);
});

Deno.test("what waits behind a finished job is read once, for all recurring jobs, and then only what has come since", async () => {
  await using topics = await openTopics();
  const { openJobs } = topics;
  await topics.append(lastTick().jobId, ...OTHERS);
  await topics.finishBefore(1);
  assertEquals([await openJobs.isOpen(lastTick()), topics.takeRead()], [false, [OTHERS.length, 0]]);
  const next = lastTick("note", 1);
  openJobs.forget(lastTick().jobId);
  openJobs.expect(next.jobId);
  openJobs.expect("another/1970-01-01T01:00:00.000Z");
  await topics.append(next.jobId, "other", "other");
  await topics.finishBefore(1);
  assertEquals([await openJobs.isOpen(next), topics.takeRead()], [true, [3, 0]]);
});

Deno.test("a new owner reads what waits once, for the jobs of all recurring jobs", async () => {
  await using topics = await openTopics();
  const { openJobs } = topics;
  const last = Array.from({ length: 10 }, (_, n) => lastTick(`note-${n}`));
  await topics.append(lastTick().jobId, ...OTHERS);
  await topics.finishBefore(1);
  for (const { jobId } of last) openJobs.know(jobId);
  assertEquals(await Promise.all(last.map((each) => openJobs.isOpen(each))), last.map(() => false));
  assertEquals(topics.takeRead(), [OTHERS.length, 0]);
});

Deno.test("the record of a retry keeps its job open until it is finished, and a mention of its id does not", async () => {
  await using topics = await openTopics();
  const { openJobs } = topics;
  const last = lastTick();
  openJobs.expect(last.jobId);
  await topics.append(last.jobId);
  await topics.finishBefore(1);
  const mention = { job_id: "other", arguments: [last.jobId, { job_id: last.jobId }] };
  await topics.broker.append("target", [{ key: null, value: JSON.stringify(mention) }]);
  assertEquals(await openJobs.isOpen(last), false);
  await topics.append(last.jobId, "other");
  assertEquals([await openJobs.isOpen(last), await openJobs.isOpen(last)], [true, true]);
  await topics.finishBefore(3);
  topics.takeRead();
  assertEquals([await openJobs.isOpen(last), topics.takeRead()], [false, [0, 0]]);
});

Deno.test("a retry that waits among the delayed jobs keeps its job open until its tombstone, or a cancellation", async () => {
  await using topics = await openTopics();
  const { openJobs, broker } = topics;
  const last = lastTick();
  await topics.append(last.jobId);
  await topics.finishBefore(1);
  const schedule = () => {
    const due = { jobId: last.jobId, dueAtMs: Date.now() + 60_000, targetTopic: "target" };
    return scheduleRecord({ value: "{}" }, due);
  };
  const [first, second, third] = [schedule(), schedule(), schedule()];
  await broker.append("scheduled", [first, second]);
  assertEquals(await openJobs.isOpen(last), true);
  // That of the one which was moved says nothing of its successor.
  await broker.append("scheduled", [{ key: first.key!, value: null }]);
  assertEquals(await openJobs.isOpen(last), true);
  await broker.append("scheduled", [{ key: second.key!, value: null }]);
  assertEquals(await openJobs.isOpen(last), false);
  await broker.append("scheduled", [third]);
  assertEquals(await openJobs.isOpen(last), true);
  await broker.append("scheduled", [cancellationRecord(last.jobId)]);
  assertEquals(await openJobs.isOpen(last), false);
  // The schedulers have finished all, so its tombstone is not read.
  await broker.append("scheduled", [schedule()]);
  assertEquals(await openJobs.isOpen(last), true);
  const [ends] = await broker.admin.ends("scheduled");
  await broker.admin.seek("schedulers", [{ topic: "scheduled", partition: 0, offset: ends!.high }]);
  assertEquals(await openJobs.isOpen(last), false);
});

Deno.test("a job of another owner is looked for from what is not finished on, also in what was read before", async () => {
  await using topics = await openTopics();
  const { openJobs } = topics;
  const other = lastTick("other");
  await topics.append(other.jobId, lastTick().jobId, lastTick().jobId);
  await topics.finishBefore(2);
  // Reads all of it, before the job is known.
  assertEquals(await openJobs.isOpen(other), false);
  assertEquals(await openJobs.isOpen(lastTick()), true);
});

Deno.test("a topic that was made again is read from its beginning", async () => {
  await using topics = await openTopics();
  const { openJobs, log, broker } = topics;
  const last = lastTick();
  openJobs.expect(last.jobId);
  await topics.append(last.jobId, ...OTHERS);
  await topics.finishBefore(1);
  assertEquals(await openJobs.isOpen(last), false);
  log.deleteTopic("target");
  await broker.admin.create([{ name: "target" }]);
  await topics.append("other", last.jobId);
  assertEquals(await openJobs.isOpen({ ...last, position: { ...last.position, offset: 7 } }), true);
});
