/** An owned partition of delayed jobs: the order of its appends, and what follows a failure. */
import { assert, assertEquals } from "@std/assert";
import { Job } from "../../mod.ts";
import { BrokerError, UnknownTopicError } from "../../src/errors.ts";
import { cancellationRecord, readScheduled, scheduleRecord } from "../../src/dispatch/schedule.ts";
import type { StoredRecord } from "../../src/broker/broker.ts";
import { every } from "../../src/recurring/mod.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { PartitionUnderTest, SCHEDULED, type SeenAppend } from "../support/scheduled_partition.ts";
import { until } from "../support/until.ts";

const scheduled = (under: PartitionUnderTest, jobId: string, value: string, inMs = 0) =>
  scheduleRecord({ value }, { jobId, dueAtMs: under.clock.nowMs() + inMs, targetTopic: "target" });

/** An append as `tombstone of the key` or `value to its topic`. */
const outline = ({ topic, record }: SeenAppend) =>
  record.value === null ? `tombstone ${record.key}` : `${record.value} to ${topic}`;

Deno.test("a job that was moved is released after the tombstone of its earlier schedule", async () => {
  await using under = await PartitionUnderTest.open();
  const [first, second] = [scheduled(under, "a", "first", 60_000), scheduled(under, "a", "second")];
  under.holds = (_topic, { value }) => value === null;
  await under.write(first, second);
  await under.deliver();
  await until(() => under.appends.length === 1, () => under.appends.map(outline).join());
  assertEquals(under.appends.map(outline), [`tombstone ${first.key}`]);
  under.appends[0]!.settle();
  await until(() => under.appends.length === 3, () => under.appends.map(outline).join());
  assertEquals(under.appends.map(outline).slice(1), ["second to target", `tombstone ${second.key}`]);
});

Deno.test("a released job is finished once its tombstone is acknowledged, which is tried again", async () => {
  await using under = await PartitionUnderTest.open();
  under.holds = (_topic, { value }) => value === null;
  const errors = under.events("error.occurred");
  const job = scheduled(under, "a", "one");
  await under.write(job);
  await under.deliver();
  await until(() => under.appends.length === 2, () => under.appends.map(outline).join());
  assertEquals([under.partition.front, under.partition.scheduleStatus().waiting], [0, 1]);
  under.appends[1]!.settle(new Error("not now"));
  await until(() => under.appends.length === 3, () => under.appends.map(outline).join());
  assertEquals([outline(under.appends[2]!), errors.length], [`tombstone ${job.key}`, 1]);
  under.appends[2]!.settle();
  await until(() => under.partition.front === 1, () => `${under.partition.front}`);
  assertEquals(under.partition.pendingMark()?.metadata, "");
});

Deno.test("the commit has the front, the live position, and the earliest due time between them", async () => {
  await using under = await PartitionUnderTest.open();
  const dueAtMs = under.clock.nowMs() + 5000;
  await under.write(
    scheduled(under, "a", "late", 90_000),
    scheduled(under, "b", "soon", 5000),
    scheduled(under, "c", "middle", 50_000),
  );
  await under.deliver();
  const { next, metadata } = under.partition.pendingMark()!;
  assertEquals([next, metadata], [0, `v1;w=3:${dueAtMs}`]);
});

Deno.test("a missing target is tried once a pass: its jobs get a later due time, and one is tried again", async () => {
  await using under = await PartitionUnderTest.open();
  const blocked = under.events("schedule.blocked");
  const jobs = Array.from({ length: 20 }, (_, n) => scheduled(under, `job-${n}`, `${n}`));
  under.holds = (topic) => topic === "target";
  await under.write(...jobs);
  await under.deliver();
  await until(() => under.appends.length === 20, () => under.appends.map(outline).join());
  const beganMs = performance.now();
  for (const append of under.appends) append.settle(new UnknownTopicError("no target"));
  const rewritten = () => under.appends.filter(({ topic, record }) => topic === SCHEDULED && record.value !== null);
  await until(() => rewritten().length === 19, () => under.appends.map(outline).join());
  assertEquals(blocked.map(({ target, reason }) => [target, reason]), [["target", "missing"]]);
  const stored = { ...rewritten()[0]!.record, offset: 0, timestampMs: 0 } as StoredRecord;
  const read = readScheduled(stored);
  assert(read.kind === "schedule" && read.rewrites === 1 && read.dueAtMs >= under.clock.nowMs() + 5000);
  await under.deliver();
  const tries = () => under.appends.filter(({ topic }) => topic === "target").length;
  await until(() => tries() === 21, () => `${tries()} tries`);
  // A second, not one for each job, doubled.
  assert(performance.now() - beganMs < 4000);
});

Deno.test("a job that was cancelled while it got a later due time is not released", async () => {
  await using under = await PartitionUnderTest.open();
  const cancelled = under.events("job.cancelled");
  const job = scheduleRecord({ value: "one" }, { jobId: "a", dueAtMs: 1, targetTopic: "undeclared" });
  under.holds = (topic, { value }) => topic === SCHEDULED && value === "one";
  await under.write(job);
  await under.deliver();
  await until(() => under.appends.length === 1, () => under.appends.map(outline).join());
  const [rewrite] = under.appends;
  assertEquals(outline(rewrite!), `one to ${SCHEDULED}`);
  // The cancellation is in the log before the record with the later time.
  const cancellation = cancellationRecord("a");
  await under.write(cancellation);
  await under.deliver();
  rewrite!.settle();
  await until(async () => {
    await under.deliver();
    return under.appends.length === 4;
  }, () => under.appends.map(outline).join());
  assertEquals(
    under.appends.slice(1).map(outline),
    [`tombstone ${job.key}`, `tombstone ${rewrite!.record.key}`, `tombstone ${cancellation.key}`],
  );
  await until(() => under.partition.scheduleStatus().waiting === 0, () => "the end");
  assertEquals(cancelled.map(({ jobId }) => jobId), ["a", "a"]);
});

Deno.test("a job whose due time passes while others are released is released, too", async () => {
  for (let inMs = 1; inMs <= 12; inMs++) {
    // A millisecond passes at each look.
    let timeMs = 1_000_000;
    const clock = {
      nowMs: () => timeMs++,
      callAt(atMs: number, fn: () => void): () => void {
        // Only the due time counts, not the time at which a standstill is looked for.
        if (atMs > timeMs + 1000) return () => {};
        const timer = setTimeout(() => {
          timeMs = Math.max(timeMs, atMs);
          fn();
        }, 0);
        return () => clearTimeout(timer);
      },
    };
    await using under = await PartitionUnderTest.open(clock);
    await until(() => under.partition.scheduleStatus().isReady, () => "the start");
    const dueAtMs = clock.nowMs() + inMs;
    await under.write(scheduleRecord({ value: "one" }, { jobId: "a", dueAtMs, targetTopic: "target" }));
    await under.deliver();
    await until(() => under.appends.length === 2, () => `${inMs} ms: ${under.appends.map(outline)}`, 3000);
  }
});

const HALF_A_DAY_MS = 12 * 3_600_000;

Deno.test("a reader that stood still reads again: a job whose tombstone it has never seen is not released", async () => {
  const clock = new ManualClock();
  await using under = await PartitionUnderTest.open(clock);
  const ready = under.events("schedule.ready");
  await until(() => ready.length === 1, () => "the start");
  const [gone, kept, late] = ["gone", "kept", "late"].map((jobId, n) =>
    scheduled(under, jobId, jobId, HALF_A_DAY_MS + n * HALF_A_DAY_MS / 2)
  );
  await under.write(gone!, kept!, late!);
  await under.deliver();
  await under.write({ key: gone!.key!, value: null });
  await under.passOver();
  clock.advance(HALF_A_DAY_MS * 1.75);
  await until(() => under.appends.length === 2, () => under.appends.map(outline).join());
  assertEquals(under.appends.map(outline), ["kept to target", `tombstone ${kept!.key}`]);
  assertEquals(ready.map(({ waiting }) => waiting), [0, 2]);
  await until(() => under.partition.scheduleStatus().waiting === 1, () => "the tombstone");
  // Records that were read are not read twice.
  await under.write(scheduled(under, "late", "moved"));
  await under.deliver();
  await until(() => under.appends.length === 5, () => under.appends.map(outline).join());
  assertEquals(under.appends.slice(2, 4).map(outline), [`tombstone ${late!.key}`, "moved to target"]);
});

Deno.test("a reader that stood still waits for its own releases before it reads again", async () => {
  const clock = new ManualClock();
  await using under = await PartitionUnderTest.open(clock);
  const ready = under.events("schedule.ready");
  under.holds = (_topic, { value }) => value === null;
  const [first, second] = [scheduled(under, "a", "one"), scheduled(under, "b", "two", HALF_A_DAY_MS)];
  await under.write(first, second);
  await under.deliver();
  await until(() => under.appends.length === 2, () => under.appends.map(outline).join());
  let reads = 0;
  under.beforeRead = () => void reads++;
  clock.advance(HALF_A_DAY_MS + 1);
  // By then one that does not wait has begun to read the log.
  for (let passes = 0; passes < 5; passes++) await under.passOver();
  assertEquals([reads, ready.length, under.partition.scheduleStatus().isReady], [0, 1, false]);
  under.appends[1]!.settle();
  await until(() => ready.length === 2, () => under.appends.map(outline).join());
  await until(() => under.appends.length === 4, () => under.appends.map(outline).join());
  assertEquals(under.appends.slice(2).map(outline), ["two to target", `tombstone ${second.key}`]);
});

// The check for timers that a test leaves behind is what fails here.
Deno.test("readings of the log that are not adopted leave no timer behind", async () => {
  class NoteJob extends Job {
    perform() {}
  }
  const clock = new ManualClock();
  const under = await PartitionUnderTest.open(clock, [every({ days: 365 }, NoteJob.of(), { id: "note" })]);
  const [ready, errors] = [under.events("schedule.ready"), under.events("error.occurred")];
  await until(() => ready.length === 1, () => "the start");
  let reads = 0;
  under.beforeRead = () => {
    reads++;
    if (reads === 1) clock.advance(HALF_A_DAY_MS + 1);
    if (reads === 2) throw new BrokerError("the network is not back yet");
  };
  clock.advance(HALF_A_DAY_MS + 1);
  await until(() => ready.length === 2, () => `${reads} reads`);
  assertEquals([reads, errors.map(({ error }) => error.message)], [3, ["the network is not back yet"]]);
  // The ownership ends while it reads.
  const held = Promise.withResolvers<void>();
  under.beforeRead = () => {
    reads++;
    return held.promise;
  };
  clock.advance(HALF_A_DAY_MS + 1);
  await until(() => reads === 4, () => `${reads} reads`);
  await under.partition.lose("closed");
  held.resolve();
  await under[Symbol.asyncDispose]();
});

Deno.test("a reader that nothing comes to for days did not stand still", async () => {
  const clock = new ManualClock();
  await using under = await PartitionUnderTest.open(clock);
  const ready = under.events("schedule.ready");
  await until(() => ready.length === 1, () => "the start");
  for (let minute = 0; minute < 2 * 24 * 60; minute++) clock.advance(60_000);
  assertEquals([ready.length, under.partition.scheduleStatus().isReady], [1, true]);
});
