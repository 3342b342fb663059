/**
 * An operator's orders, as a worker sees them: which topics are paused, and which jobs are cancelled. Another module reads
 * them; a worker without control has `NO_CONTROL`.
 */
import type { Broker } from "../broker/broker.ts";
import type { Route } from "../routing/route.ts";

/** The pause of a topic or a partition by an operator. Any client may have written it. */
export interface Pause {
  /** The name of the user or the program. At most 255 characters. */
  readonly by: string;
  /** The reason; `null` for none. At most 1000 characters. */
  readonly why: string | null;
  /** The time, in milliseconds since 1970. */
  readonly atMs: number;
}

/** The cancellation of a job by an operator. */
export interface Cancellation extends Pause {
  /** The time from which a job of this id runs again, in milliseconds since 1970. */
  readonly expiresAtMs: number;
}

/** See the module. Its methods return at once and never throw. */
export interface WorkerControl {
  /** Whether any job is cancelled: asked for each job, before its id is. */
  readonly hasCancellations: boolean;

  /** Returns the pause of a partition, or of its topic; `null` for none. */
  pauseOf(topic: string, partition: number): Pause | null;

  /** Returns the cancellation of a job; `null` for none. */
  cancellationOf(jobId: string): Cancellation | null;

  /** Calls a function at each change, until the function that it returns is called. */
  subscribe(onChange: () => void): () => void;

  /** Reads no further orders. */
  close(): void;
}

/** Makes the control of a worker on some routes. It resolves once the orders that hold now are known. @returns `null` if it takes none */
export type CreateControl = (broker: Broker, routes: readonly Route[]) => Promise<WorkerControl | null>;

/** The control of a worker that takes no orders. */
export const NO_CONTROL: WorkerControl = {
  hasCancellations: false,
  pauseOf: () => null,
  cancellationOf: () => null,
  subscribe: () => () => {},
  close: () => {},
};
