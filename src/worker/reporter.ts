/** The part of a worker that reports it to other processes, as the worker sees it. It can neither fail nor delay a worker. */
import type { Broker } from "../broker/broker.ts";
import type { WorkerStatus } from "./status.ts";

/** See the module. */
export interface WorkerReporter {
  /** Reports soon, since the worker's state has changed. */
  report(): void;

  /** Reports for the last time, within a short deadline. It never rejects. */
  close(): Promise<void>;
}

/**
 * Makes the reporter of a worker, and lets it begin.
 *
 * @param status returns the worker's status at the call
 */
export type CreateReporter = (broker: Broker, status: () => WorkerStatus) => WorkerReporter;

/** Loads the code of reporters. */
export type LoadReporter = () => Promise<CreateReporter>;
