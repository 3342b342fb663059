/**
 * The status of an App's topics, as `app.status()` returns it: plain data. Dates are milliseconds since 1970, ages and lags are
 * numbers; `null` is a value that is not known.
 */
import type { ReportedWorker } from "../reports/reported_worker.ts";

/**
 * The state of a topic or a partition, from the worst to the best:
 *
 * | state | meaning |
 * |---|---|
 * | `"stuck"` | a record fails until an operator removes the cause or skips it; `reason` has the command |
 * | `"no worker"` | records wait, and no worker reads the topic |
 * | `"stalled"` | records wait, workers are there, and the committed offset has not moved for five minutes |
 * | `"unknown"` | the broker did not respond, a partition has no leader, or the topic does not exist |
 * | `"retrying"` | a job has failed and is tried again by itself |
 * | `"behind"` | the oldest record that waits is older than a minute |
 * | `"paused"` | an operator has paused it |
 * | `"ok"` | anything else |
 */
export type TopicState = "stuck" | "no worker" | "stalled" | "unknown" | "retrying" | "behind" | "paused" | "ok";

/** The states, worst first. */
export const TOPIC_STATES: readonly TopicState[] = Object.freeze(
  ["stuck", "no worker", "stalled", "unknown", "retrying", "behind", "paused", "ok"],
);

/** Options of `app.status()`. */
export interface StatusOptions {
  /** The queues that are wanted, or the full names of their topics: those of one are read in a fraction of the time. @default all */
  readonly topics?: readonly string[];
  /** The longest time to ask the broker, in ms. A value that is not known by then is `null`, with a reason. @default 10000 */
  readonly timeoutMs?: number;
  /** The command line that `reason` shows for skipping a record. @default "deno run -A jsr:@activejob/kafka/cli skip --app app.ts" */
  readonly command?: string;
  /** The reports of the workers, if the caller reads them as well: they are read once then. @default `app.workers()` */
  readonly workers?: Promise<readonly ReportedWorker[]>;
}

/** The status of an App's topics at one moment. */
export interface AppStatus {
  /** When it was asked for. */
  readonly atMs: number;
  /** The App's name. */
  readonly name: string;
  /** The name of the broker, without secrets. */
  readonly broker: string;
  /** The worst state of all topics. */
  readonly state: TopicState;
  /** The topics, worst first; those in the same state by the age of the oldest record that waits. */
  readonly topics: readonly TopicStatus[];
  /**
   * Whether every delayed job is counted in `delayed`. A status reads no more than 10,000 records of delayed jobs: beyond them
   * the numbers are too low, or too high, since the end of a job may not have been read.
   */
  readonly isDelayedComplete: boolean;
  /** Sentences about what else could not be asked, such as the topic of delayed jobs; empty for nothing. */
  readonly notes: readonly string[];
}

/** The status of one topic. */
export interface TopicStatus {
  /** The queue: the name without the App's prefix. */
  readonly queue: string;
  /** The full name. */
  readonly topic: string;
  /** The consumer group. */
  readonly group: string;
  /** The worst state of its partitions. */
  readonly state: TopicState;
  /** The state in words, with the command to type if it is `"stuck"`. Names in it are not escaped. */
  readonly reason: string;
  /** The number of records between the committed offsets and the ends of the log; `null` if that of a partition is unknown. */
  readonly lag: number | null;
  /** The age of the oldest record that waits, in ms; `null` if none waits, or it is not known. */
  readonly oldestWaitingMs: number | null;
  /** Its partitions, by number. */
  readonly partitions: readonly PartitionSummary[];
  /** The jobs that run now, as the workers report it; `null` without reports. */
  readonly running: number | null;
  /** The delayed jobs that will go to this topic: see `isDelayedComplete`. */
  readonly delayed: number;
  /** Its dead letters; `null` if it has no dead letter topic. Topics may share one: each counts all of its letters. */
  readonly deadLetters: DeadLetterCounts | null;
  /** The number of live workers that read it; `null` if it is not known. */
  readonly workers: number | null;
  /** The pause by an operator; `null` for none. */
  readonly pausedBy: OperatorPause | null;
}

/** The dead letters of a topic. */
export interface DeadLetterCounts {
  /** The full name of the dead letter topic. */
  readonly topic: string;
  /** The number of dead letters; `null` if it is not known. */
  readonly total: number | null;
  /** Those that were neither requeued nor dismissed; `null` if it is not known. */
  readonly unhandled: number | null;
}

/** A pause by an operator. */
export interface OperatorPause {
  /** The name of the user or the program. */
  readonly by: string;
  /** The reason; `null` if it was not given. */
  readonly why: string | null;
  /** The time of the pause. */
  readonly atMs: number;
}

/** The status of one partition. */
export interface PartitionSummary {
  /** Its number. */
  readonly partition: number;
  /** Its state. */
  readonly state: TopicState;
  /** The state in words. */
  readonly reason: string;
  /** The committed offset of the group: the next record to finish; `null` if nothing is committed, or it is not known. */
  readonly committed: number | null;
  /** The offset of the first record of the log; `null` if it is not known. */
  readonly low: number | null;
  /** The offset that the next record will get; `null` if it is not known. */
  readonly high: number | null;
  /** The number of records from the committed offset to the end; `null` if it is not known. */
  readonly lag: number | null;
  /** The age of the first record that is not finished, in ms; `null` if none waits, or it is not known. */
  readonly oldestWaitingMs: number | null;
  /** The id of the worker that owns it; `null` for none, or if it is not known. */
  readonly owner: string | null;
  /** The offsets of the records that wait for an operator. */
  readonly stuck: readonly number[];
}
