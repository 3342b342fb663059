/** A job that its target refuses for good becomes a dead letter of that target. */
import { describeError } from "../errors.ts";
import { writeDeadLetter } from "../worker/partition/dead_letter.ts";
import { toQueuedRecord } from "../worker/partition/queued_record.ts";
import type { Candidate } from "./candidate.ts";
import type { SchedulerContext } from "./context.ts";

/** The partition in which the job waits. */
export interface RefusedJobOptions {
  readonly context: SchedulerContext;
  readonly partition: number;
  /** The consumer group that dead letters name. */
  readonly group: string;
}

/** Writes the dead letter. @returns whether it is written; `false` also if the target has no dead letter topic */
export async function writeRefusedJob(
  { context, partition, group }: RefusedJobOptions,
  targetTopic: string,
  candidate: Candidate,
  error: Error,
): Promise<boolean> {
  const topic = context.findTarget(targetTopic)?.deadLetterTopic ?? null;
  if (topic === null) return false;
  const { offset, key, value, timestampMs, schedule } = candidate;
  const source = { topic: context.topic, partition, offset };
  const { headers } = schedule;
  const record = toQueuedRecord({ offset, key, value, headers, timestampMs }, offset + 1);
  const described = describeError(error);
  const letter = { source, record, group, attempts: 0, error: described };
  const outcome = await writeDeadLetter(topic, letter, context.append);
  if (!outcome.ok) {
    context.monitor.reportError("dead letter", outcome.error);
    return false;
  }
  const { jobId } = schedule;
  const event = { ...source, to: outcome.position, attempts: 0, error: described, jobClass: null, jobId };
  context.monitor.emit("record.dead_lettered", event);
  return true;
}
