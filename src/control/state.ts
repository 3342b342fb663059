/**
 * The state that the records of the control topic make: the orders that hold. It takes the records in the order of the log.
 * Its size has a limit, whatever the topic holds. Pure.
 */
import type { StoredRecord } from "../broker/record.ts";
import type { Cancellation, Pause } from "../worker/control.ts";
import { keyOf, readOrder } from "./record.ts";

/** A paused topic, or a paused partition. */
export interface PausedPlace {
  /** The topic's full name. */
  readonly topic: string;
  /** The partition's number; `null` for the whole topic. */
  readonly partition: number | null;
  readonly pause: Pause;
}

/** The default of the most jobs that are known as cancelled: each takes about 300 bytes. */
const MAX_CANCELLATIONS = 100_000;

/** See the module. */
export class ControlState {
  readonly #isKnown: (topic: string) => boolean;
  readonly #maxCancellations: number;
  readonly #paused = new Map<string, PausedPlace>();
  #version = 0;
  readonly #resumedBy = new Map<string, string | null>();
  readonly #cancelled = new Map<string, Cancellation>();

  /**
   * @param isKnown returns whether orders about a topic count: those about others are forged, or not for this App
   * @param maxCancellations most jobs that are known as cancelled; of more, those that were cancelled first are forgotten
   */
  constructor(isKnown: (topic: string) => boolean, maxCancellations: number = MAX_CANCELLATIONS) {
    this.#isKnown = isKnown;
    this.#maxCancellations = maxCancellations;
  }

  /** A number that grows with each order that is taken. */
  get version(): number {
    return this.#version;
  }

  /** Everything that is paused, by the key of its order. */
  get paused(): ReadonlyMap<string, PausedPlace> {
    return this.#paused;
  }

  /** Returns the name of the user who has ended the pause with this key last; `null` if it is unknown. */
  resumedBy(key: string): string | null {
    return this.#resumedBy.get(key) ?? null;
  }

  /** The cancelled jobs by id. They may have expired. */
  get cancelled(): ReadonlyMap<string, Cancellation> {
    return this.#cancelled;
  }

  /** Returns the pause of a partition, or of its topic. */
  pauseOf(topic: string, partition: number): Pause | null {
    if (this.#paused.size === 0) return null;
    const ofTopic = this.#paused.get(keyOf({ kind: "pause", topic, partition: null }));
    return (ofTopic ?? this.#paused.get(keyOf({ kind: "pause", topic, partition })))?.pause ?? null;
  }

  /** Returns the cancellation of a job that has not expired. */
  cancellationOf(jobId: string, nowMs: number): Cancellation | null {
    const cancellation = this.#cancelled.get(jobId);
    return cancellation !== undefined && nowMs < cancellation.expiresAtMs ? cancellation : null;
  }

  /**
   * Takes a record of the topic. One that is not an order, is about an unknown topic, or is older than what its key says
   * already, changes nothing.
   */
  apply(record: StoredRecord): void {
    const read = readOrder(record);
    if (read === null) return;
    const { key, order } = read;
    if (order.kind === "pause") {
      const { topic, partition, pause } = order;
      if (!this.#isKnown(topic)) return;
      this.#version++;
      const known = this.#paused.get(key);
      if (pause === null) {
        this.#paused.delete(key);
        this.#resumedBy.set(key, read.endedBy);
      } else if (known === undefined || pause.atMs >= known.pause.atMs) {
        this.#paused.set(key, { topic, partition, pause });
      }
      return;
    }
    this.#version++;
    const { jobId, cancellation } = order;
    const known = this.#cancelled.get(jobId);
    if (cancellation === null) this.#cancelled.delete(jobId);
    else if (known === undefined || cancellation.atMs >= known.atMs) this.#cancel(jobId, cancellation);
  }

  /** Forgets the cancellations that have expired. */
  removeExpired(nowMs: number): void {
    for (const [jobId, { expiresAtMs }] of this.#cancelled) if (nowMs >= expiresAtMs) this.#cancelled.delete(jobId);
  }

  #cancel(jobId: string, cancellation: Cancellation): void {
    this.#cancelled.delete(jobId);
    this.#cancelled.set(jobId, cancellation);
    if (this.#cancelled.size <= this.#maxCancellations) return;
    const [first] = this.#cancelled.keys();
    this.#cancelled.delete(first!);
  }
}
