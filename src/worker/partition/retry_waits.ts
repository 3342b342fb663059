/**
 * The waits of failed records before their next try. The lane of a record waits with it, and no other.
 *
 *     taken ──add──▶ waiting ──(time)──▶ ready again ──▶ finished: remove
 *                       ▲                    │
 *                       └──────── add ───────┘
 *
 * A wait is kept while its record is tried, until it is finished or waits again: a stuck record stays listed.
 */
import type { Monitor } from "../../monitor/monitor.ts";
import type { Position, TopicPartition } from "../../support/position.ts";
import { clearTimeout, setTimeout } from "../../support/timers.ts";
import type { RetryingRecord, StuckRecord } from "../status.ts";
import type { QueuedRecord } from "./queued_record.ts";
import type { RecordQueue } from "./record_queue.ts";
import type { Wait } from "./retry_policy.ts";
import type { RetryState } from "./retry_state.ts";

/** The parts of a partition that its waits need. */
export interface RetryWaitsOptions {
  readonly place: TopicPartition;
  readonly queue: RecordQueue;
  readonly retryState: RetryState;
  readonly monitor: Monitor;
  /** Returns the command that skips a record. */
  readonly skipCommand: (position: Position) => string;
  /** Called when a record is ready again. */
  readonly onReady: () => void;
  /** Called when the commit's metadata has changed. */
  readonly onProgress: () => void;
}

/** The wait of one record. */
interface RecordWait {
  readonly position: Position;
  /** On the clock of `performance.now()`. */
  readonly nextTryMs: number;
  /** Whether only an operator can help. */
  readonly isLasting: boolean;
  /** Ends the wait; `undefined` once it is over. */
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** See the module. */
export class RetryWaits {
  readonly #options: RetryWaitsOptions;
  readonly #waits = new Map<number, RecordWait>();
  /** The number of records that wait now. */
  #sleeping = 0;
  #isEnded = false;

  constructor(options: RetryWaitsOptions) {
    this.#options = options;
  }

  /** Whether all records that were taken wait for their next try. */
  get isWaiting(): boolean {
    return this.#sleeping > 0 && this.#sleeping === this.#options.queue.taken;
  }

  /** Whether every record that could run fails until an operator helps. */
  get isStuck(): boolean {
    const lasting = [...this.#waits.values()].filter(({ isLasting }) => isLasting).length;
    return lasting > 0 && lasting === this.#options.queue.active;
  }

  /** Returns the records that wait for their next try and need no operator. */
  retrying(): RetryingRecord[] {
    return this.#list(({ isLasting, timer }) => !isLasting && timer !== undefined);
  }

  /** Returns the records that fail until an operator helps, also during their tries. */
  stuck(): StuckRecord[] {
    const { skipCommand } = this.#options;
    return this.#list(({ isLasting }) => isLasting).map((record) => ({ ...record, remedy: skipCommand(record) }));
  }

  /** Lets a record that was taken wait for its next try. */
  add(record: QueuedRecord, { kind, waitMs, unknownClass }: Wait): void {
    const { place: { topic, partition }, queue, retryState, monitor, skipCommand, onProgress } = this.#options;
    const { offset } = record;
    const position: Position = { topic, partition, offset };
    const isLasting = kind === "pause";
    const wait: RecordWait = { position, nextTryMs: performance.now() + waitMs, isLasting, timer: undefined };
    this.#waits.set(offset, wait);
    monitor.emit("partition.paused", {
      ...position,
      scope: queue.scope,
      waitMs,
      attempts: retryState.attemptsOf(offset),
      error: retryState.errorOf(offset),
      lasting: isLasting,
      remedy: isLasting ? skipCommand(position) : null,
      unknownClass: unknownClass ?? null,
    });
    if (!this.#isEnded) this.#sleep(record, wait, waitMs);
    // Other workers read from the metadata that a record is stuck.
    onProgress();
  }

  /** Forgets a record that is finished. */
  remove({ offset }: QueuedRecord): void {
    if (this.#waits.size > 0) this.#waits.delete(offset);
  }

  /** Ends all waits: nothing is tried any more. */
  end(): void {
    this.#isEnded = true;
    for (const wait of this.#waits.values()) this.#wake(wait);
  }

  #sleep(record: QueuedRecord, wait: RecordWait, waitMs: number): void {
    const { queue, onReady } = this.#options;
    this.#sleeping++;
    wait.timer = setTimeout(() => {
      this.#wake(wait);
      queue.retry(record);
      onReady();
    }, waitMs);
  }

  #wake(wait: RecordWait): void {
    if (wait.timer === undefined) return;
    clearTimeout(wait.timer);
    wait.timer = undefined;
    this.#sleeping--;
  }

  #list(isMeant: (wait: RecordWait) => boolean): RetryingRecord[] {
    const { retryState } = this.#options;
    return [...this.#waits.values()].filter(isMeant).map(({ position, nextTryMs, timer }) => ({
      ...position,
      attempts: retryState.attemptsOf(position.offset),
      nextTryInMs: timer === undefined ? 0 : Math.max(0, nextTryMs - performance.now()),
      error: retryState.errorOf(position.offset),
    }));
  }
}
