/**
 * The scheduler of a worker: it releases the delayed jobs of the partitions that the worker owns. Its partitions share
 * the limit of releases without a tombstone, and the memory for values.
 */
import type { Broker } from "../broker/broker.ts";
import { UnknownTopicError } from "../errors.ts";
import type { Monitor } from "../monitor/monitor.ts";
import { deleteRetentionMs } from "../routing/scheduled_topic.ts";
import type { Clock } from "../support/clock.ts";
import { sleep } from "../support/deadline.ts";
import type { GroupPlan } from "../worker/group_plan.ts";
import type { Append } from "../worker/partition/dead_letter.ts";
import type { WorkerScheduler } from "../worker/scheduler.ts";
import type { GroupStatus, SchedulerStatus } from "../worker/status.ts";
import { decodeSchedulePosition } from "./commit_position.ts";
import type { ReleaseTarget, SchedulerContext } from "./context.ts";
import type { RecurringOptions } from "./recurring/context.ts";
import { RECURRING_PARTITION } from "./recurring/tick_record.ts";
import { ReleaseLimit } from "./release_limit.ts";
import { ScheduledPartition } from "./scheduled_partition.ts";
import { SelectedEvents } from "./selected_events.ts";

/** The parts that a scheduler works with. */
export interface SchedulerOptions {
  readonly broker: Broker;
  /** The consumer group. */
  readonly group: string;
  /** The full name of the topic in which delayed jobs wait. */
  readonly topic: string;
  readonly clock: Clock;
  /** The longest wait of a job, in milliseconds. */
  readonly maxDelayMs: number;
  /** The largest value of a job, in bytes. */
  readonly maxPayloadBytes: number;
  readonly monitor: Monitor;
  /** Appends a record, after those that the sender of its topic holds. It never rejects. */
  readonly append: Append;
  /** Finds a topic to which jobs may be released, by its full name. */
  readonly findTarget: (topic: string) => ReleaseTarget | undefined;
  /** The recurring jobs of the App. */
  readonly recurring?: RecurringOptions | undefined;
  /** The memory for the values of jobs that are due soon, in bytes. */
  readonly maxValueBytes: number;
}

/** The time between two looks at partitions, and at the commits of other workers, in milliseconds. */
const LOOK_MS = 10;
const ASK_MS = 250;
/** The shortest time that counts as a standstill, in milliseconds. */
const MIN_STANDSTILL_MS = 1000;

/** See the module. */
export class Scheduler implements WorkerScheduler {
  readonly plan: GroupPlan;
  readonly monitor: Monitor;
  readonly #options: SchedulerOptions;
  readonly #partitions = new Set<ScheduledPartition>();
  /** The time for which a tombstone stays in the topic, in milliseconds; `null` until it was asked for. */
  #deleteRetentionMs: number | null = null;

  constructor(options: SchedulerOptions) {
    const { broker, group, topic, monitor, maxPayloadBytes, maxValueBytes } = options;
    this.#options = options;
    this.monitor = new SelectedEvents(monitor, [
      "error.occurred",
      "records.expired",
      "session.lost",
      "topic.recreated",
    ]);
    const context: SchedulerContext = {
      ...options,
      admin: broker.admin,
      limit: new ReleaseLimit(),
      maxStandstillMs: () => Math.max((this.#deleteRetentionMs ?? deleteRetentionMs()) / 2, MIN_STANDSTILL_MS),
      maxValueBytes: () => maxValueBytes / Math.max(1, this.#partitions.size),
    };
    this.plan = {
      group,
      topics: [topic],
      maxPayloadBytes,
      mayBeMissing: true,
      createHandler: (ownership, groupContext) => {
        if (this.#deleteRetentionMs === null) void this.#readRetention();
        const partition = new ScheduledPartition(ownership, context, groupContext);
        this.#partitions.add(partition);
        ownership.lost.addEventListener("abort", () => this.#partitions.delete(partition), { once: true });
        return partition;
      },
    };
  }

  status({ group, isJoined, isSessionValid, stalledMs }: GroupStatus): SchedulerStatus {
    const partitions = Array.from(this.#partitions, (partition) => partition.scheduleStatus());
    return {
      group,
      topic: this.#options.topic,
      isJoined,
      isSessionValid,
      stalledMs,
      waiting: partitions.reduce((sum, { waiting }) => sum + waiting, 0),
      oldestOverdueMs: Math.max(0, ...partitions.map(({ oldestOverdueMs }) => oldestOverdueMs)),
      partitions,
    };
  }

  async #readRetention(): Promise<void> {
    const { broker: { admin }, topic } = this.#options;
    this.#deleteRetentionMs = deleteRetentionMs();
    try {
      this.#deleteRetentionMs = deleteRetentionMs((await admin.describe([topic])).get(topic)?.config);
    } catch {
      // It may not be allowed to: the value that `topics apply` sets is assumed.
    }
  }

  async releaseDue(signal: AbortSignal): Promise<void> {
    const { broker: { admin }, topic, group, clock, recurring } = this.#options;
    const isWanted = (partition: number) => partition === RECURRING_PARTITION && recurring?.definitions.length;
    const dueAtMs = clock.nowMs();
    const open = new Map<number, number>();
    try {
      for (const { partition, low, high } of await admin.ends(topic)) {
        if (high > low || isWanted(partition)) open.set(partition, high);
      }
    } catch (error) {
      if (error instanceof UnknownTopicError) return;
      throw error;
    }
    let askedMs = -Infinity;
    while (open.size > 0 && !signal.aborted) {
      for (const partition of this.#partitions) {
        const end = open.get(partition.ownership.partition);
        if (end !== undefined && partition.isReleasedUntil(end, dueAtMs)) open.delete(partition.ownership.partition);
      }
      const owned = new Set(Array.from(this.#partitions, ({ ownership }) => ownership.partition));
      if ([...open.keys()].some((partition) => !owned.has(partition)) && performance.now() - askedMs >= ASK_MS) {
        askedMs = performance.now();
        for (const { partition, offset, metadata } of await admin.committed(group, topic)) {
          if (offset === null || owned.has(partition)) continue;
          const position = decodeSchedulePosition(metadata, offset);
          if (position.live >= (open.get(partition) ?? Infinity) && position.dueAtMs > dueAtMs) open.delete(partition);
        }
      }
      if (open.size > 0) await sleep(LOOK_MS, signal);
    }
  }
}
