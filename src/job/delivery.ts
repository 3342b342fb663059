/**
 * The delivery of a job: one small object for each job, from the call that enqueues it to the broker's response. A promise is
 * made only if `delivered()` is called, so that a failure is never an unhandled rejection.
 */
import { EnqueueError } from "../errors.ts";
import type { Position } from "../support/position.ts";

/**
 * The state of a job's enqueuing. `"new"`: not enqueued yet. `"buffered"`: sent, or waiting to be sent. `"delivered"`:
 * acknowledged. `"halted"`: stopped by a callback, or by a transaction that was rolled back. `"failed"`: certainly not in the log. `"unknown"`: the broker's response
 * was lost, so that the job may be in the log.
 */
export type DeliveryStatus = "new" | "buffered" | "delivered" | "halted" | "failed" | "unknown";

/** The key of a job's delivery: a registered symbol, since the job may come from another copy of this library. */
export const DELIVERY: unique symbol = Symbol.for("@activejob/kafka.delivery") as never;

/** The delivery of one job. */
export class Delivery {
  /** Its state. */
  status: DeliveryStatus = "new";
  /** The position of the job's record, once delivered. */
  position: Position | undefined = undefined;
  /** Whether the job waits among the delayed ones, or did so before. */
  isScheduled = false;
  /** The error, once failed or unknown. */
  error: EnqueueError | undefined = undefined;
  #halted: EnqueueError | undefined = undefined;
  #asked: PromiseWithResolvers<Position> | undefined = undefined;

  /** Settles it as acknowledged. */
  succeed(position: Position): void {
    this.status = "delivered";
    this.position = position;
    this.#asked?.resolve(position);
  }

  /** Settles it as failed or unknown. */
  fail(error: EnqueueError): void {
    this.status = error.written === "no" ? "failed" : "unknown";
    this.error = error;
    this.#asked?.reject(error);
  }

  /** Settles it as halted: that is not an error, but nothing was delivered. */
  halt(jobClass: string, reason: string): void {
    this.status = "halted";
    this.#halted = new EnqueueError(`Cannot enqueue ${jobClass}: ${reason}`, { written: "no" });
    this.#asked?.reject(this.#halted);
  }

  /** Returns a promise of the outcome. */
  settled(): Promise<Position> {
    if (this.position !== undefined) return Promise.resolve(this.position);
    if (this.error !== undefined) return Promise.reject(this.error);
    if (this.#halted !== undefined) return Promise.reject(this.#halted);
    this.#asked ??= Promise.withResolvers<Position>();
    return this.#asked.promise;
  }
}
