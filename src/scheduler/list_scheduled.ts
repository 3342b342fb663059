/**
 * Lists the jobs that wait. It reads the topic of delayed jobs from the position before which everything is finished, so that no
 * worker needs to run, and no group notices it.
 */
import type { BrokerAdmin } from "../broker/broker.ts";
import { readForward } from "../broker/read_forward.ts";
import { textOf } from "../broker/record_text.ts";
import { LATEST_MS } from "../support/clock.ts";
import type { TopicPartition } from "../support/position.ts";
import { jobIdOf, readScheduled } from "../dispatch/schedule.ts";

/** A job that waits. */
export interface ScheduledJob {
  /** Its id. */
  readonly jobId: string;
  /** The name of its class on the wire; `null` if its envelope cannot be read. */
  readonly jobClass: string | null;
  /** The full name of the topic to which it goes. */
  readonly queue: string;
  /** The time at which it is due. */
  readonly scheduledAt: Date;
  /** The partition of the topic of delayed jobs in which it waits. */
  readonly partition: number;
  /** Its offset there. */
  readonly offset: number;
}

/** Options of {@linkcode App.scheduled}. */
export interface ScheduledOptions {
  /** Most jobs to return. @default 100 */
  readonly limit?: number;
  /** The job after which the list begins: the last one of the page before. @default the first job */
  readonly after?: Pick<ScheduledJob, "scheduledAt" | "partition" | "offset">;
  /** Most records to read, for a list that must come in time however many jobs wait. @default no limit */
  readonly maxRecords?: number;
  /** Called if `maxRecords` ended the reading: sooner jobs may be missing in the list. @default not called */
  readonly onPartial?: () => void;
  /** Ends the reading: the call then throws its reason. @default it is read to the end */
  readonly signal?: AbortSignal;
}

/** A place in the list. */
export type Place = readonly [dueAtMs: number, partition: number, offset: number];

/** A job that waits, without what only its value has. */
export interface Waiting {
  readonly jobId: string;
  /** The full name of the topic to which it goes. */
  readonly queue: string;
  readonly place: Place;
}

/**
 * Lists the jobs that wait, soonest first.
 *
 * @param group the consumer group of the schedulers
 * @throws {UnknownTopicError} if the topic does not exist
 * @throws the reason of the signal
 */
export async function listScheduled(
  admin: Pick<BrokerAdmin, "committed" | "read">,
  topic: string,
  group: string,
  { limit = 100, after, maxRecords = Infinity, onPartial = () => {}, signal }: ScheduledOptions = {},
): Promise<ScheduledJob[]> {
  const waiting: Waiting[] = [];
  const partitions = await admin.committed(group, topic);
  let isComplete = true;
  for (const { partition, offset } of partitions) {
    const budget = { records: maxRecords / partitions.length, pages: Infinity };
    const found = await readWaiting(admin, { topic, partition }, offset ?? 0, budget, signal);
    for (const job of found.waiting) waiting.push(job);
    isComplete &&= found.isComplete;
  }
  if (!isComplete) onPartial();
  const from: Place | null = after === undefined ? null : [after.scheduledAt.getTime(), after.partition, after.offset];
  const page = waiting.filter(({ place }) => from === null || compare(place, from) > 0)
    .sort((a, b) => compare(a.place, b.place)).slice(0, limit);
  return await Promise.all(page.map(async ({ jobId, queue, place: [dueAtMs, partition, offset] }) => ({
    jobId,
    jobClass: await readJobClass(admin, topic, partition, offset, signal),
    queue,
    scheduledAt: new Date(dueAtMs),
    partition,
    offset,
  })));
}

/** The rest of what a reading may read. It counts down. */
export interface ReadingBudget {
  /** Records. */
  records: number;
  /** Pages, of 1 MiB of the log. */
  pages: number;
}

/**
 * Reads the schedules of a partition that nothing after them has removed.
 *
 * @param front the position to start at: everything before it is finished
 * @param budget the reading stops once it is used up; @default no limit
 * @returns the jobs, and whether the partition was read to its end
 */
export async function readWaiting(
  admin: Pick<BrokerAdmin, "read">,
  { topic, partition }: TopicPartition,
  front: number,
  budget: ReadingBudget = { records: Infinity, pages: Infinity },
  signal?: AbortSignal,
): Promise<{ readonly waiting: Iterable<Waiting>; readonly isComplete: boolean }> {
  const byJob = new Map<string, Waiting & { readonly key: string }>();
  for await (const records of readForward(admin, { topic, partition }, { from: front, values: false, signal })) {
    if (budget.records <= 0 || budget.pages <= 0) return { waiting: byJob.values(), isComplete: false };
    budget.records -= records.length;
    budget.pages--;
    for (const record of records) {
      const found = readScheduled(record);
      if (found.kind === "cancellation") byJob.delete(found.jobId);
      else if (found.kind === "tombstone") {
        // The key of a schedule begins with its job: a tombstone of an earlier schedule leaves the job.
        const jobId = jobIdOf(record.key);
        if (jobId !== null && byJob.get(jobId)?.key === textOf(record.key!)) byJob.delete(jobId);
      } else if (found.kind === "schedule") {
        const { jobId, targetTopic: queue } = found;
        const dueAtMs = Math.min(found.dueAtMs, LATEST_MS);
        byJob.set(jobId, { jobId, queue, key: textOf(record.key!), place: [dueAtMs, partition, record.offset] });
      }
    }
  }
  return { waiting: byJob.values(), isComplete: true };
}

async function readJobClass(
  admin: Pick<BrokerAdmin, "read">,
  topic: string,
  partition: number,
  offset: number,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  const options = { from: offset, maxBytes: 1, ...(signal === undefined ? {} : { signal }) };
  const { records: [record] } = await admin.read(topic, partition, options);
  if (record?.offset !== offset || record.value === null) return null;
  try {
    const jobClass: unknown = JSON.parse(textOf(record.value))?.job_class;
    return typeof jobClass === "string" ? jobClass : null;
  } catch {
    return null;
  }
}

function compare(a: Place, b: Place): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}
