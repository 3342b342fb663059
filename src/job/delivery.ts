/**
 * What became of a job that was enqueued: one small object a job, from the moment in which it is buffered to the broker's
 * answer. A promise is made only if `delivered()` is called, so that nobody gets a rejection that he did not ask for.
 */
import type { EnqueueError } from "../errors.ts";
import type { Position } from "../support/position.ts";

/**
 * `"new"`: not enqueued yet. `"buffered"`: on its way. `"delivered"`: acknowledged. `"halted"`: a callback stopped it.
 * `"failed"`: certainly not in the log. `"unknown"`: the answer was lost, it may be in the log.
 */
export type DeliveryStatus = "new" | "buffered" | "delivered" | "halted" | "failed" | "unknown";

/** Where a job keeps its delivery; a registered symbol, since the job may come from another copy of this library. */
export const DELIVERY: unique symbol = Symbol.for("@activejob/kafka.delivery") as never;

/** The delivery of one job. */
export class Delivery {
  /** How far it is. */
  status: DeliveryStatus = "new";
  /** Where it is, once delivered. */
  position: Position | undefined = undefined;
  /** Why it is not, once failed or unknown. */
  error: EnqueueError | undefined = undefined;
  #asked: PromiseWithResolvers<Position> | undefined = undefined;

  /** Takes the broker's acknowledgement. */
  succeed(position: Position): void {
    this.status = "delivered";
    this.position = position;
    this.#asked?.resolve(position);
  }

  /** Takes a failure. */
  fail(error: EnqueueError): void {
    this.status = error.written === "no" ? "failed" : "unknown";
    this.error = error;
    this.#asked?.reject(error);
  }

  /** A promise of the outcome. */
  settled(): Promise<Position> {
    if (this.position !== undefined) return Promise.resolve(this.position);
    if (this.error !== undefined) return Promise.reject(this.error);
    this.#asked ??= Promise.withResolvers<Position>();
    return this.#asked.promise;
  }
}
