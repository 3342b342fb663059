/** The job of the cluster's tests: it writes down that it ran. Shared by the producer's and the worker's process. */
import { Job, type KafkaOptions } from "../../../mod.ts";

/** The entry that a job writes. */
export interface LedgerLine {
  readonly key: string;
  /** Number of the job among those of its key, from 0. */
  readonly n: number;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** When it ran, see {@linkcode nowMs}. */
  readonly atMs: number;
}

/** Outcome of one call of `performLater`. */
export interface EnqueueLine {
  readonly key: string;
  readonly n: number;
  readonly topic: string;
  /** `"yes"`: it was acknowledged; else what the error says. */
  readonly written: "yes" | "no" | "unknown";
  readonly calledMs: number;
  readonly settledMs: number;
}

/** Receives the jobs of this process. */
export const ledger: { write: (line: LedgerLine) => void } = { write: () => {} };

/** Milliseconds on a clock that all processes of this machine share, and that setting the wall clock does not move. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** See the module. */
export class LoadJob extends Job {
  static override kafkaOptions: KafkaOptions<LoadJob> = { dispatchMethod: "produceSync", key: (job) => job.args[0] };

  perform(key: string, n: number): void {
    ledger.write({ key, n, ...this.record!, atMs: nowMs() });
  }
}
