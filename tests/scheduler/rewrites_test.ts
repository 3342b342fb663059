/** Jobs that are written with a later due time, since their target is missing. */
import { assertEquals } from "@std/assert";
import type { NewRecord, StoredRecord } from "../../src/broker/broker.ts";
import { scheduleRecord } from "../../src/dispatch/schedule.ts";
import { toCandidate } from "../../src/scheduler/candidate.ts";
import type { SchedulerContext } from "../../src/scheduler/context.ts";
import { Rewrites } from "../../src/scheduler/rewrites.ts";
import { ScheduleIndex } from "../../src/scheduler/schedule_index.ts";
import { TargetQueue } from "../../src/scheduler/target_queue.ts";

Deno.test("no more than a thousand rewritten jobs wait to be read: removals that wait for them pause the reading", async () => {
  const index = new ScheduleIndex();
  const target = new TargetQueue("missing");
  for (let offset = 0; offset < 2500; offset++) {
    const record = scheduleRecord({ value: "{}" }, { jobId: `job-${offset}`, dueAtMs: 0, targetTopic: "missing" });
    const stored = { ...record, offset, timestampMs: 0 } as StoredRecord;
    const key = record.key as string;
    index.add({ offset, key, jobIdLength: key.lastIndexOf(":"), dueAtMs: 0, bytes: 1 });
    target.due.push(toCandidate(stored, 0)!);
  }
  const written: NewRecord[] = [];
  const append = (topic: string, record: NewRecord) => {
    written.push(record);
    return Promise.resolve({ ok: true, position: { topic, partition: 0, offset: 2500 + written.length } } as const);
  };
  const context: Partial<SchedulerContext> = {
    topic: "scheduled",
    append,
    clock: { nowMs: () => 0, callAt: () => () => {} },
  };
  let writing: Promise<void> = Promise.resolve();
  const rewrites = new Rewrites({
    context: context as SchedulerContext,
    partition: 0,
    index,
    canAppend: () => true,
    track: (promise) => void (writing = promise),
    onProgress: () => {},
  });
  const delay = async () => {
    rewrites.delay(target, 0);
    await writing;
    return written.length;
  };
  assertEquals([await delay(), await delay()], [1000, 1000]);
  for (let offset = 0; offset < 10; offset++) rewrites.end(offset);
  assertEquals([await delay(), target.due.length], [1010, 1490]);
});
