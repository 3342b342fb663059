/**
 * The state that the records of the control topic make: the orders that hold. It takes the records in the order of the log.
 * Its size has a limit, whatever the topic holds. Pure.
 */
import type { StoredRecord } from "../broker/record.ts";
import { LimitedMap } from "../support/limited_map.ts";
import type { Cancellation, Pause } from "../worker/control.ts";
import { hasLongExpired, isAboutJob, keyOf, readOrder } from "./record.ts";

/** A paused topic, or a paused partition. */
export interface PausedPlace {
  /** The topic's full name. */
  readonly topic: string;
  /** The partition's number; `null` for the whole topic. */
  readonly partition: number | null;
  readonly pause: Pause;
}

/** The limits of a state. Of more, those that were ordered first are forgotten. */
export interface ControlLimits {
  /** Most jobs that are known as cancelled. With 0, their records are passed over unread: that takes a tenth of the time. */
  readonly cancellations: number;
  /** Most characters of their ids, reasons and users, in all. */
  readonly characters: number;
  /** Most partitions that are known as paused; so many names are known of users who have resumed. */
  readonly partitions: number;
}

/** The default limits. A usual cancellation has about 100 characters, and takes 300 bytes. */
const LIMITS: ControlLimits = { cancellations: 100_000, characters: 20_000_000, partitions: 10_000 };

/** See the module. */
export class ControlState {
  readonly #isKnown: (topic: string) => boolean;
  /** By the key of the order, as the next ones. There are at most as many as known topics. */
  readonly #pausedTopics = new Map<string, PausedPlace>();
  /** Apart: forged pauses of partitions do not end the pause of a topic. */
  readonly #pausedPartitions: LimitedMap<PausedPlace>;
  readonly #knowsJobs: boolean;
  #version = 0;
  readonly #resumedBy: LimitedMap<string | null>;
  /** By the job's id. */
  readonly #cancelled: LimitedMap<Cancellation>;

  /**
   * @param isKnown returns whether orders about a topic count: those about others are forged, or not for this App
   * @param limits the limits; @default 100,000 cancellations, 20,000,000 characters, 10,000 partitions
   */
  constructor(isKnown: (topic: string) => boolean, limits: Partial<ControlLimits> = {}) {
    this.#isKnown = isKnown;
    this.#knowsJobs = limits.cancellations !== 0;
    const { cancellations, characters, partitions } = { ...LIMITS, ...limits };
    this.#pausedPartitions = new LimitedMap({ entries: partitions });
    this.#resumedBy = new LimitedMap({ entries: partitions });
    this.#cancelled = new LimitedMap({
      entries: cancellations,
      weight: characters,
      weigh: (jobId, { by, why }) => jobId.length + by.length + (why?.length ?? 0),
    });
  }

  /** A number that grows with each order that is taken. */
  get version(): number {
    return this.#version;
  }

  /** A copy of everything that is paused, by the key of its order. */
  get paused(): ReadonlyMap<string, PausedPlace> {
    return new Map([...this.#pausedTopics, ...this.#pausedPartitions.entries]);
  }

  /** Returns the name of the user who has ended the pause with this key; `null` if it is unknown. */
  resumedBy(key: string): string | null {
    return this.#resumedBy.entries.get(key) ?? null;
  }

  /** The cancelled jobs by id. They may have expired. */
  get cancelled(): ReadonlyMap<string, Cancellation> {
    return this.#cancelled.entries;
  }

  /** Returns the pause of a partition, or of its topic. */
  pauseOf(topic: string, partition: number): Pause | null {
    const topics = this.#pausedTopics;
    const partitions = this.#pausedPartitions.entries;
    const place = topics.size === 0 ? undefined : topics.get(keyOf({ kind: "pause", topic, partition: null }));
    if (place !== undefined) return place.pause;
    return partitions.size === 0 ? null : partitions.get(keyOf({ kind: "pause", topic, partition }))?.pause ?? null;
  }

  /** Returns the cancellation of a job that has not expired. */
  cancellationOf(jobId: string, nowMs: number): Cancellation | null {
    const cancellation = this.#cancelled.entries.get(jobId);
    return cancellation !== undefined && nowMs < cancellation.expiresAtMs ? cancellation : null;
  }

  /**
   * Takes a record of the topic. One that is not an order, is about an unknown topic, or is older than what its key says
   * already, changes nothing.
   *
   * @param nowMs the time, in milliseconds since 1970
   */
  apply(record: StoredRecord, nowMs: number): void {
    if (!this.#knowsJobs && isAboutJob(record)) return;
    const read = readOrder(record, nowMs);
    if (read === null) return;
    const { key, order } = read;
    if (order.kind === "pause") {
      const { topic, partition, pause } = order;
      if (!this.#isKnown(topic)) return;
      this.#version++;
      const paused = partition === null ? this.#pausedTopics : this.#pausedPartitions;
      const known = this.#pausedTopics.get(key) ?? this.#pausedPartitions.entries.get(key);
      if (pause === null) {
        paused.delete(key);
        this.#resumedBy.set(key, read.endedBy);
      } else if (known === undefined || pause.atMs >= known.pause.atMs) {
        paused.set(key, { topic, partition, pause });
        this.#resumedBy.delete(key);
      }
      return;
    }
    this.#version++;
    const { jobId, cancellation } = order;
    const known = this.#cancelled.entries.get(jobId);
    if (cancellation === null) this.#cancelled.delete(jobId);
    else if (known === undefined || cancellation.atMs >= known.atMs) this.#cancelled.set(jobId, cancellation);
  }

  /** Forgets the cancellations that have long expired. */
  removeExpired(nowMs: number): void {
    for (const [jobId, cancellation] of this.cancelled) {
      if (hasLongExpired(cancellation, nowMs)) this.#cancelled.delete(jobId);
    }
  }
}
