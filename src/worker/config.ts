/** The configuration of one worker: made by the App, frozen, and shared by all parts of the worker. */
import type { AppendOutcome, Broker, NewRecord } from "../broker/broker.ts";
import type { EnvelopeCodec } from "../job/envelope.ts";
import type { Checkpoint } from "../job/run.ts";
import type { JobRegistry } from "../job/registry.ts";
import type { Monitor } from "../monitor/monitor.ts";
import type { Tracing } from "../monitor/tracing.ts";
import type { Route } from "../routing/route.ts";
import type { Position } from "../support/position.ts";
import type { CreateControl } from "./control.ts";
import type { Append } from "./partition/dead_letter.ts";

/** Lets the record of a job wait until it is due. */
export type Schedule = (
  record: NewRecord,
  schedule: { readonly jobId: string; readonly dueAtMs: number; readonly targetTopic: string },
) => Promise<AppendOutcome>;

/** See the module. Times are in milliseconds. */
export interface WorkerConfig {
  /** The topics that the worker consumes, and the options of each. */
  readonly routes: readonly Route[];
  /** The job classes that it can perform. */
  readonly registry: JobRegistry;
  /** Receives its events. */
  readonly monitor: Monitor;
  /** Makes the spans of its jobs. */
  readonly tracing: Tracing;
  /** Reads the envelopes of its jobs. */
  readonly codec: EnvelopeCodec;
  /** The number of jobs that run at once. */
  readonly concurrency: number;
  /** The bytes of fetched records that may wait in the process. */
  readonly maxBufferedBytes: number;
  /** The bytes of one fetch, over all partitions. */
  readonly maxFetchBytes: number;
  /** After so long without a heartbeat, the group gives the worker's partitions to other workers. */
  readonly sessionTimeoutMs: number;
  /** The time between heartbeats. */
  readonly heartbeatIntervalMs: number;
  /** The time between commits. */
  readonly commitIntervalMs: number;
  /** The time that a stop gives to running jobs. */
  readonly shutdownTimeoutMs: number;
  /** Opens the broker and makes sure that the topics exist. Rejects if the worker cannot start. */
  readonly prepareBroker: (routes: readonly Route[]) => Promise<Broker>;
  /** Makes the part that knows an operator's orders. */
  readonly createControl: CreateControl;
  /** Appends a dead letter. */
  readonly append: Append;
  /** Lets a record wait among the delayed jobs. It never rejects. */
  readonly schedule: Schedule;
  /** Returns the time by which jobs are due, in milliseconds since 1970. */
  readonly nowMs: () => number;
  /** Calls a function once that clock shows a time. @returns a function that cancels the call */
  readonly callAt: (timeMs: number, fn: () => void) => () => void;
  /** Interrupts jobs in steps for a test: returns the reason, or `null` to let the job go on. */
  readonly interruptReason?: (jobClass: string, checkpoint: Checkpoint) => string | null;
  /** The longest wait of a retry in place, in milliseconds: a test leaves these waits out. @default none */
  readonly maxRetryWaitMs?: number;
  /** Returns the command that skips a record, as an operator types it. */
  readonly skipCommand: (position: Position) => string;
  /** Calls a function in the scope of the App: the jobs that it enqueues belong to this App. */
  readonly runInAppScope: <T>(fn: () => T) => T;
}
