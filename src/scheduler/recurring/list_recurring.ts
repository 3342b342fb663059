/** Lists the recurring jobs of an App with their last and next ticks, from the topic of delayed jobs. No worker needs to run. */
import type { BrokerAdmin } from "../../broker/broker.ts";
import { readForward } from "../../broker/read_forward.ts";
import { readScheduled } from "../../dispatch/schedule.ts";
import { UnknownTopicError } from "../../errors.ts";
import { jobNameOf } from "../../job/class_name.ts";
import type { JobClass } from "../../job/job.ts";
import type { RecurringDefinition } from "../../recurring/definition.ts";
import { textOf } from "../candidate.ts";
import { decodeTick, lastTickAtMs, RECURRING_PARTITION, recurringIdOf } from "./tick_record.ts";
import { addCancelled, nextTickAtMs } from "./tick_rules.ts";
import { TickTable } from "./tick_table.ts";

/** A recurring job as it is. */
export interface RecurringJob {
  /** Its id. */
  readonly id: string;
  /** The name of its class on the wire. */
  readonly jobClass: string;
  /** The cron expression, or the interval in words, such as `"every 5 minutes"`. */
  readonly schedule: string;
  /** The time zone of the cron expression; `null` for an interval. */
  readonly timeZone: string | null;
  /** The next tick, in milliseconds since 1970. One that is past waits for a worker. */
  readonly nextAtMs: number;
  /** The last tick that enqueued a job, in milliseconds since 1970; `null` if there is none. */
  readonly lastAtMs: number | null;
  /** The id of the job of the last tick; `null` if there is none. */
  readonly lastJobId: string | null;
}

/**
 * Lists the recurring jobs, in the order of their declaration.
 *
 * @param topic the topic of delayed jobs
 * @param group the consumer group of the schedulers
 * @param nowMs the time by the App's clock
 */
export async function listRecurring(
  admin: Pick<BrokerAdmin, "committed" | "read">,
  topic: string,
  group: string,
  definitions: readonly RecurringDefinition[],
  nowMs: number,
): Promise<RecurringJob[]> {
  const ticks = definitions.length === 0 ? new TickTable() : await readTicks(admin, topic, group, definitions, nowMs);
  return definitions.map((definition) => {
    const { id, job, schedule, timeZone } = definition;
    const tick = ticks.get(id);
    return {
      id,
      jobClass: jobNameOf(job.constructor as JobClass),
      schedule,
      timeZone,
      nextAtMs: tick?.tickAtMs ?? definition.next(nowMs),
      lastAtMs: tick?.last?.tickAtMs ?? null,
      lastJobId: tick?.last?.jobId ?? null,
    };
  });
}

/** Reads the records that count. A topic that does not exist has none. */
async function readTicks(
  admin: Pick<BrokerAdmin, "committed" | "read">,
  topic: string,
  group: string,
  definitions: readonly RecurringDefinition[],
  nowMs: number,
): Promise<TickTable> {
  const table = new TickTable();
  const offsetOfKey = new Map<string, number>();
  try {
    const partition = RECURRING_PARTITION;
    const from = (await admin.committed(group, topic)).find((each) => each.partition === partition)?.offset ?? 0;
    for await (const records of readForward(admin, { topic, partition }, { from, values: false })) {
      for (const record of records) {
        const read = readScheduled(record);
        const tick = read.kind === "schedule" ? decodeTick(record.offset, read) : null;
        if (tick !== null && table.add(tick, nowMs)) offsetOfKey.set(textOf(record.key!), record.offset);
        if (read.kind === "cancellation" && !read.isForgotten) cancelTick(table, read.jobId, definitions, nowMs);
        if (read.kind !== "tombstone") continue;
        const removed = offsetOfKey.get(textOf(record.key!));
        if (removed !== undefined) table.remove(removed);
      }
    }
  } catch (error) {
    if (!(error instanceof UnknownTopicError)) throw error;
  }
  return table;
}

/** Leaves out the tick that waits, as the owner of the partition will. */
function cancelTick(
  table: TickTable,
  jobId: string,
  definitions: readonly RecurringDefinition[],
  nowMs: number,
): void {
  const id = recurringIdOf(jobId);
  const record = id === null ? undefined : table.get(id);
  const definition = definitions.find((each) => each.id === id);
  if (record === undefined || definition === undefined) return;
  const cancelled = addCancelled(record.cancelled, [record.tickAtMs], nowMs);
  const afterMs = Math.max(nowMs, lastTickAtMs(record.last, nowMs));
  table.add({ ...record, cancelled, tickAtMs: nextTickAtMs(definition, afterMs, cancelled) }, nowMs);
}
