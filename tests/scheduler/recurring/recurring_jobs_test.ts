/** The recurring jobs of a partition without a worker: the order of their records, and records that other programs write. */
import { assertEquals } from "@std/assert";
import { Job } from "../../../mod.ts";
import { cancellationRecord, scheduleRecord } from "../../../src/dispatch/schedule.ts";
import { every } from "../../../src/recurring/mod.ts";
import type { NewRecord } from "../../../src/broker/broker.ts";
import { encodeTick, scheduleIdOf } from "../../../src/scheduler/recurring/tick_record.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import { PartitionUnderTest } from "../../support/scheduled_partition.ts";
import { until } from "../../support/until.ts";

class NoteJob extends Job {
  perform() {}
}

const HOUR_MS = 3_600_000;

Deno.test("a cancelled tick stays in the log until the next one is written: a new owner knows of it", async () => {
  await using under = await PartitionUnderTest.open(new ManualClock(), [
    every({ hours: 1 }, NoteJob.of(), { id: "tick" }),
  ]);
  const cancelled = under.events("job.cancelled");
  const shown = () => under.appends.map(({ record }) => record.value === null ? "tombstone" : "tick").join();
  await until(() => under.appends.length === 1, shown);
  await until(async () => {
    await under.deliver();
    return under.partition.scheduleStatus().waiting === 1;
  }, shown);
  under.holds = (_topic, { value }) => value !== null;
  await under.write(cancellationRecord(scheduleIdOf("tick")));
  await under.deliver();
  await until(() => under.appends.length === 2, shown);
  // A tombstone would come after a read of the log.
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve));
  assertEquals([shown(), cancelled.length], ["tick,tick", 0]);
  under.appends[1]!.settle();
  await until(() => cancelled.length === 1, shown);
  await until(() => under.appends.length === 4, shown);
  assertEquals(shown(), "tick,tick,tombstone,tombstone");
});

Deno.test("a tick that an owner with other code has forgotten comes nevertheless", async () => {
  const clock = new ManualClock();
  await using former = await PartitionUnderTest.open(clock, [every({ hours: 1 }, NoteJob.of(), { id: "tick" })]);
  await until(() => former.appends.length === 1, () => "the first tick");
  const tick = former.appends[0]!.record;
  await using without = await PartitionUnderTest.open(clock, []);
  await without.write(tick);
  await without.deliver();
  await until(() => without.appends.length === 1, () => "the tick to be forgotten");
  // The new owner reads both, before their tombstones.
  await using next = await PartitionUnderTest.open(clock, [every({ hours: 1 }, NoteJob.of(), { id: "tick" })], [
    tick,
    without.appends[0]!.record,
  ]);
  const ticks = () => next.appends.filter(({ record }) => record.value !== null);
  await next.deliver();
  await until(() => ticks().length === 1, () => `${ticks().length} ticks`);
  const dueAt = (record: NewRecord) =>
    new TextDecoder().decode(record.headers!.find(([name]) => name === "due-at")![1]!);
  assertEquals(dueAt(ticks()[0]!.record), dueAt(tick));
});

Deno.test("a record whose time makes it due before its tick is written again, and is not read in a loop", async () => {
  const clock = new ManualClock();
  await using under = await PartitionUnderTest.open(clock, [every({ hours: 1 }, NoteJob.of(), { id: "tick" })]);
  await until(() => under.appends.length === 1, () => `${under.appends.length} appends`);
  await under.deliver();
  // The broker's clock was in 1970 when it took the record.
  const { record } = under.appends[0]!;
  const stored = {
    ...record,
    key: record.key!,
    value: record.value,
    headers: record.headers!,
    timestampMs: 0,
    offset: 7,
  };
  under.partition.add({ records: [stored], next: 8, highWatermark: 8 });
  await until(() => under.appends.length >= 2, () => `${under.appends.length} appends`);
  assertEquals(under.appends[1]!.record.headers, record.headers);
});

Deno.test("recurring jobs that are not in the code are forgotten, however many records name one", async () => {
  const clock = new ManualClock();
  await using under = await PartitionUnderTest.open(clock, [every({ hours: 1 }, NoteJob.of(), { id: "tick" })]);
  const cancelled = under.events("job.cancelled");
  const tickAtMs = clock.nowMs() + HOUR_MS;
  const recurring = encodeTick({ tickAtMs, definition: "", last: null, ends: null, cancelled: [] });
  const forge = (id: string) =>
    scheduleRecord({ value: "{}" }, { jobId: scheduleIdOf(id), dueAtMs: tickAtMs, targetTopic: "target", recurring });
  for (const round of [1, 2]) {
    await under.write(...Array.from({ length: 50 }, (_, n) => forge(`forged-${n}`)));
    await until(async () => {
      await under.deliver();
      return cancelled.length === 50 * round;
    }, () => `${cancelled.length} of ${50 * round} cancelled`);
  }
  assertEquals(under.partition.scheduleStatus().waiting, 1);
});

Deno.test("the event loop turns while a number of recurring jobs have a step to do", async () => {
  const slow = (n: number) => {
    const definition = every({ hours: 1 }, NoteJob.of(), { id: `tick-${n}` });
    const next = (afterMs: number) => {
      if (computed++ === 0) setTimeout(() => computedAtTimer = computed, 0);
      const endMs = performance.now() + 2;
      while (performance.now() < endMs);
      return definition.next(afterMs);
    };
    return { ...definition, next };
  };
  let computed = 0;
  let computedAtTimer = -1;
  await using under = await PartitionUnderTest.open(new ManualClock(), Array.from({ length: 50 }, (_, n) => slow(n)));
  await until(() => under.appends.length === 50, () => `${under.appends.length} of 50 first ticks`);
  assertEquals([computedAtTimer > 0, computedAtTimer < 50, computed], [true, true, 50]);
});
