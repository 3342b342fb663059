/** One call of `append`: it resolves once every record of it has an outcome, or at its delivery timeout. */
import type { AppendOptions, AppendOutcome, NewRecord } from "../../broker.ts";

/** See the module. */
export class AppendCall {
  readonly records: readonly NewRecord[];
  /** When its records are given up, on the clock of `performance.now()`. */
  readonly endMs: number;
  /** When it was made, on the clock of `performance.now()`. */
  readonly sinceMs: number = performance.now();
  /** Why it waits, for the error; `""` if nothing has failed. */
  problem = "";
  readonly done: Promise<readonly AppendOutcome[]>;
  readonly #outcomes: AppendOutcome[];
  readonly #settled: AppendOptions["settled"];
  readonly #resolve: (outcomes: readonly AppendOutcome[]) => void;
  #open: number;

  /** @param settled called with each outcome, as soon as it is known */
  constructor(records: readonly NewRecord[], deliveryTimeoutMs: number, settled?: AppendOptions["settled"]) {
    const { promise, resolve } = Promise.withResolvers<readonly AppendOutcome[]>();
    this.records = records;
    this.endMs = this.sinceMs + deliveryTimeoutMs;
    this.done = promise;
    this.#settled = settled;
    this.#resolve = resolve;
    this.#outcomes = new Array(records.length);
    this.#open = records.length;
    if (records.length === 0) resolve([]);
  }

  /** Whether every record has its outcome. */
  get isDone(): boolean {
    return this.#open === 0;
  }

  /** Settles one record. Its first outcome counts: a batch may be acknowledged after its records were given up. */
  settle(index: number, outcome: AppendOutcome): void {
    if (this.#outcomes[index] !== undefined) return;
    this.#outcomes[index] = outcome;
    this.#settled?.(index, outcome);
    if (--this.#open === 0) this.#resolve(this.#outcomes);
  }

  /** Settles all records that are certainly not in the log. */
  refuse(error: Error): void {
    for (let index = 0; index < this.records.length; index++) {
      this.settle(index, { ok: false, error, written: "no" });
    }
  }
}
