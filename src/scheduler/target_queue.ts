/**
 * The jobs of one target topic that are due, in order, and what is known of the topic: a target that does not take its jobs
 * holds up only its own.
 *
 * | failure | its jobs |
 * |---|---|
 * | `unavailable`: it did not acknowledge, or not in time | are parked: only their offsets stay in memory |
 * | `missing`, `refused`, `undeclared`: an operator or a deploy must help | get a later due time in the log |
 *
 * In both cases one job is tried again after a backoff; once the topic takes it, all others follow.
 */
import { Fifo } from "../support/fifo.ts";
import type { Candidate } from "./candidate.ts";

/** Why a target does not take its jobs. */
export type TargetFailure = "unavailable" | "missing" | "refused" | "undeclared";

const FIRST_BACKOFF_MS = 1000;
const MAX_BACKOFF_MS = 10_000;
/** The shortest and the longest time by which a job is due later, in milliseconds. */
const MIN_DELAY_MS = 5000;
const MAX_DELAY_MS = 600_000;

/** See the module. Times are on the clock of `performance.now()`. */
export class TargetQueue {
  /** The full name of the topic. */
  readonly topic: string;
  /** The jobs that are due. */
  readonly due: Fifo<Candidate> = new Fifo();
  /** The offsets of those whose values are not in memory, and their earliest due time. */
  parked: number[] = [];
  parkedDueAtMs = Infinity;
  /** The time at which the append in flight began; `null` if there is none. */
  busySinceMs: number | null = null;
  #failure: TargetFailure | null = null;
  #failedSinceMs = 0;
  #backoffMs = FIRST_BACKOFF_MS;
  #retryAtMs = 0;

  constructor(topic: string) {
    this.topic = topic;
  }

  /** Why it does not take its jobs; `null` if it does. */
  get failure(): TargetFailure | null {
    return this.#failure;
  }

  /** The time of the next try; in the past if it may be tried now. */
  get retryAtMs(): number {
    return this.#retryAtMs;
  }

  /** Whether nothing is to be done for it. */
  get isIdle(): boolean {
    return this.due.length === 0 && this.parked.length === 0 && this.busySinceMs === null && this.#failure === null;
  }

  /** The time by which its jobs are due later, in milliseconds: as long as it has failed. */
  delayMs(nowMs: number): number {
    return Math.min(Math.max(nowMs - this.#failedSinceMs, MIN_DELAY_MS), MAX_DELAY_MS);
  }

  /** Notes a failure. @returns whether it is another one than before */
  fail(failure: TargetFailure, nowMs: number): boolean {
    const isNew = failure !== this.#failure;
    if (isNew) {
      this.#failedSinceMs = nowMs;
      this.#backoffMs = FIRST_BACKOFF_MS;
    }
    this.#failure = failure;
    this.#retryAtMs = nowMs + this.#backoffMs;
    this.#backoffMs = Math.min(this.#backoffMs * 2, MAX_BACKOFF_MS);
    return isNew;
  }

  /** Notes that it takes its jobs. */
  recover(): void {
    this.#failure = null;
    this.#retryAtMs = 0;
  }

  /** Keeps only the offset of a job. */
  park({ offset, dueAtMs }: Candidate): void {
    this.parked.push(offset);
    this.parkedDueAtMs = Math.min(this.parkedDueAtMs, dueAtMs);
  }

  /** Returns the offsets that are parked, a number at most, and forgets them. */
  unpark(count = Infinity): number[] {
    const offsets = this.parked.splice(0, count);
    if (this.parked.length === 0) this.parkedDueAtMs = Infinity;
    return offsets;
  }
}
