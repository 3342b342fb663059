/** Limits and gates without a worker, for tests: a job is its id. */
import type { LimitedJob } from "@activejob/kafka";
import { EnvelopeCodec } from "../../src/job/envelope.ts";
import { Monitor } from "../../src/monitor/monitor.ts";
import type { Bucket } from "../../src/worker/limits/bucket.ts";
import { Gate } from "../../src/worker/limits/gate.ts";
import { Limit } from "../../src/worker/limits/limit.ts";
import type { DecodedJob } from "../../src/worker/partition/decode.ts";
import type { QueuedRecord } from "../../src/worker/partition/queued_record.ts";
import { ManualClock } from "./manual_clock.ts";

const codec = new EnvelopeCodec({ serializers: [], currentAttributes: [], railsCurrentAttributes: [] });

/** Makes a limit. */
export function limitOf(
  by: ((job: LimitedJob) => string) | null,
  createBucket: () => Bucket,
  monitor: Monitor = new Monitor(),
): Limit {
  return new Limit({ where: "test", by, createBucket, codec, monitor });
}

/** A gate whose jobs are strings, and the jobs that it has woken. */
export function gateOf(limits: readonly Limit[]) {
  const clock = new ManualClock();
  const records = new Map<string, QueuedRecord>();
  const woken: string[] = [];
  const slots = { areFree: true };
  const gate = new Gate({
    limits,
    describe: (envelope) => ({ jobId: envelope.jobId } as LimitedJob),
    nowMs: () => clock.nowMs(),
    callAt: (timeMs, fn) => clock.callAt(timeMs, fn),
    owner: {
      hasSlot: () => slots.areFree,
      onWoken: (record) => void woken.push([...records].find(([, each]) => each === record)![0]),
    },
  });
  const recordOf = (job: string) => {
    if (!records.has(job)) records.set(job, { key: null, offset: records.size, limitValues: null } as QueuedRecord);
    return records.get(job)!;
  };
  return {
    clock,
    gate,
    woken,
    slots,
    enter: (job: string) => gate.enter(recordOf(job), { envelope: { jobId: job } } as DecodedJob),
    leave: (job: string) => gate.leave(recordOf(job)),
    drop: (job: string) => gate.drop(recordOf(job)),
  };
}
