/** Jobs as a test sees them: as they are in the log, after they were performed, and as dead letters. */
import type { ErrorInfo } from "../errors.ts";
import type { Position } from "../support/position.ts";

/**
 * A job in the log, at `topic` (with the prefix of the App), `partition` and `offset`. A job that waits for its time is in the
 * topic of delayed jobs.
 */
export interface EnqueuedJob<Args extends readonly unknown[] = readonly unknown[]> extends Position {
  /** The name of its class in the envelope: the name of the class, or its `jobName`. */
  readonly jobClass: string;
  /** Its id, a UUID. */
  readonly jobId: string;
  /** Its queue, without the prefix of the App. */
  readonly queue: string;
  /** Its arguments, as they were read from the envelope. */
  readonly args: Args;
  /** Its priority; `null` for none. */
  readonly priority: number | null;
  /** The time at which it is due; `null` for at once. */
  readonly at: Date | null;
  /** Its current attributes by class name; `undefined` for none. */
  readonly currentAttributes: unknown;
}

/** A job that succeeded. A job that succeeded twice occurs twice. */
export interface PerformedJob<Args extends readonly unknown[] = readonly unknown[]> extends EnqueuedJob<Args> {
  /** The number of the run, from 1. */
  readonly attempt: number;
}

/** A job that was dead-lettered. `topic`, `partition` and `offset` are the place that it came from. */
export interface DeadLetter<Args extends readonly unknown[] = readonly unknown[]> extends EnqueuedJob<Args> {
  /** The place of the dead letter. */
  readonly to: Position;
  /** The number of runs that failed. */
  readonly attempts: number;
  /** The last error: the name of its class, and its message. */
  readonly error: Pick<ErrorInfo, "errorClass" | "message">;
}
