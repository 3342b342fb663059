/**
 * Jobs as a test sees them: what their envelopes say once they are in the log, where they are, and what became of them.
 */
import type { ErrorInfo } from "../errors.ts";
import type { Position } from "../support/position.ts";

/** A job that is in the log. `topic` (with the App's prefix), `partition` and `offset` say where. */
export interface EnqueuedJob<Args extends readonly unknown[] = readonly unknown[]> extends Position {
  /** The name that its envelope gives: its class's name, or its `jobName`. */
  readonly jobClass: string;
  /** Its id, a UUID. */
  readonly jobId: string;
  /** Its queue, without the App's prefix. */
  readonly queue: string;
  /** Its arguments, as they come out of the envelope. */
  readonly args: Args;
  /** Its priority. */
  readonly priority: number | null;
  /** Its current attributes by class name; `undefined` for none. */
  readonly currentAttributes: unknown;
}

/** A job whose `perform` settled well. One that was performed twice is there twice. */
export interface PerformedJob<Args extends readonly unknown[] = readonly unknown[]> extends EnqueuedJob<Args> {
  /** Which run of this record it was, from 1. */
  readonly attempt: number;
}

/** A job that is in a dead letter topic. `topic`, `partition` and `offset` say where it came from. */
export interface DeadLetter<Args extends readonly unknown[] = readonly unknown[]> extends EnqueuedJob<Args> {
  /** The dead letter's own record. */
  readonly to: Position;
  /** How often the job was performed in vain. */
  readonly attempts: number;
  /** What it failed with last: the class's name and the message. */
  readonly error: Pick<ErrorInfo, "errorClass" | "message">;
}
