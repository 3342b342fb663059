/**
 * An operator's orders, for one owned partition: whether it is paused, and which of its jobs are cancelled. A record passes
 * `screen` between its decoding and its run; a job that runs already is asked to end when its cancellation arrives.
 */
import type { TopicPartition } from "../../support/position.ts";
import type { WorkerControl } from "../control.ts";
import type { Attempt } from "./attempt.ts";
import type { Decoded } from "./decode.ts";
import { jobIdOf } from "./job_id.ts";

/** See the module. */
export class PartitionOrders {
  readonly #control: WorkerControl;
  readonly #place: TopicPartition;
  readonly #unsubscribe: () => void;
  #isPaused = false;

  /** @param onChange called at each change of the orders; never within this call */
  constructor(control: WorkerControl, place: TopicPartition, onChange: () => void) {
    this.#control = control;
    this.#place = place;
    this.#unsubscribe = control.subscribe(() => {
      this.#read();
      onChange();
    });
    this.#read();
  }

  /** Whether the partition, or its topic, is paused: no job starts. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Looks whether a job is cancelled. @returns the record as it was decoded, or as that of a cancelled job */
  screen(decoded: Decoded, offset: number): Decoded {
    if (!this.#control.hasCancellations) return decoded;
    if (decoded.kind !== "job" && decoded.kind !== "early" && decoded.kind !== "unknown") return decoded;
    const jobId = jobIdOf(decoded.envelope, this.#place, offset);
    const order = this.#control.cancellationOf(jobId);
    return order === null ? decoded : { kind: "cancelled", jobClass: decoded.envelope.jobClass, jobId, order };
  }

  /** Asks those jobs to end that are cancelled. */
  cancel(attempts: Iterable<Attempt>): void {
    if (!this.#control.hasCancellations) return;
    for (const attempt of attempts) {
      const order = this.#control.cancellationOf(attempt.jobId);
      if (order !== null) attempt.cancel(order);
    }
  }

  /** Takes no further orders, since the ownership has ended. */
  end(): void {
    this.#unsubscribe();
  }

  #read(): void {
    this.#isPaused = this.#control.pauseOf(this.#place.topic, this.#place.partition) !== null;
  }
}
