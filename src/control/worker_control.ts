/**
 * The orders of an operator, for one worker. The control topic is read from its start before the first job runs, then again
 * and again from where the last reading ended. It needs no group: each worker reads all of it.
 *
 * If it cannot be read, the last known orders hold, and an event says so once. A reader that stood still for long starts at
 * the beginning: tombstones that it has not seen may be gone. So does one that has found no topic, or a log that is shorter:
 * the topic was made again. One that is deleted and made again between two readings, with as many orders, is not noticed.
 */
import type { BrokerAdmin } from "../broker/admin.ts";
import { UnknownTopicError } from "../errors.ts";
import type { Monitor } from "../monitor/monitor.ts";
import { waitUntilSettled } from "../support/deadline.ts";
import { clearTimeout, setTimeout } from "../support/timers.ts";
import type { Cancellation, Pause, WorkerControl } from "../worker/control.ts";
import { readControl } from "./read_control.ts";
import { ControlState } from "./state.ts";

/** The parts that it works with. */
export interface FollowedControlOptions {
  readonly admin: Pick<BrokerAdmin, "read">;
  /** The full name of the control topic. */
  readonly topic: string;
  /** The full names of the topics that the worker performs. */
  readonly topics: readonly string[];
  readonly monitor: Monitor;
  /** Returns the time, in milliseconds since 1970. */
  readonly nowMs: () => number;
  /** The time between two readings, in milliseconds. */
  readonly intervalMs: number;
}

/** The longest wait for the first reading, in milliseconds: a worker must start although the topic cannot be read. */
const START_MS = 5000;
/** After so long without a reading, in milliseconds, the topic is read from its start. A tombstone stays for a day. */
const STANDSTILL_MS = 10 * 60_000;

/** A time on two clocks, in milliseconds. The first one stops while the machine sleeps, the second one can be set back. */
interface Times {
  readonly steadyMs: number;
  readonly wallMs: number;
}

/** See the module. */
export class FollowedControl implements WorkerControl {
  readonly #options: FollowedControlOptions;
  readonly #ended = new AbortController();
  readonly #listeners = new Set<() => void>();
  #state: ControlState;
  #position = 0;
  #readAt: Times;
  #hasFailed = false;
  /** Whether the topic was missing since the last reading that succeeded. */
  #wasMissing = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  private constructor(options: FollowedControlOptions) {
    this.#options = options;
    this.#readAt = this.#times();
    this.#state = this.#newState();
  }

  /** Starts to follow the topic. @returns the control, once it knows the orders that hold now. It never rejects */
  static async start(options: FollowedControlOptions): Promise<FollowedControl> {
    const control = new FollowedControl(options);
    await waitUntilSettled(control.#follow(), START_MS);
    return control;
  }

  get hasCancellations(): boolean {
    return this.#state.cancelled.size > 0;
  }

  pauseOf(topic: string, partition: number): Pause | null {
    return this.#state.pauseOf(topic, partition);
  }

  cancellationOf(jobId: string): Cancellation | null {
    return this.#state.cancellationOf(jobId, this.#options.nowMs());
  }

  subscribe(onChange: () => void): () => void {
    this.#listeners.add(onChange);
    return () => void this.#listeners.delete(onChange);
  }

  close(): void {
    this.#ended.abort();
    clearTimeout(this.#timer);
    this.#listeners.clear();
  }

  /** Reads once, and again after the interval. */
  async #follow(): Promise<void> {
    try {
      await this.#read();
      this.#hasFailed = false;
    } catch (error) {
      this.#wasMissing ||= error instanceof UnknownTopicError;
      if (!this.#ended.signal.aborted && !this.#hasFailed) {
        this.#options.monitor.reportError("control", error);
      }
      this.#hasFailed = true;
    }
    if (this.#ended.signal.aborted) return;
    this.#timer = setTimeout(() => void this.#follow(), this.#options.intervalMs);
  }

  async #read(): Promise<void> {
    const { admin, topic, nowMs } = this.#options;
    const { signal } = this.#ended;
    const started = this.#times();
    const { steadyMs, wallMs } = this.#readAt;
    const isStale = this.#wasMissing ||
      Math.max(started.steadyMs - steadyMs, started.wallMs - wallMs) > STANDSTILL_MS;
    const { paused, version } = this.#state;
    let state = isStale ? this.#newState() : this.#state;
    let next = await readControl(admin, topic, state, { from: isStale ? 0 : this.#position, nowMs, signal });
    if (next === null) {
      state = this.#newState();
      next = await readControl(admin, topic, state, { from: 0, nowMs, signal }) ?? 0;
    }
    const hasChanged = state !== this.#state || state.version !== version;
    this.#state = state;
    this.#position = next;
    this.#readAt = started;
    this.#wasMissing = false;
    state.removeExpired(nowMs());
    if (!hasChanged) return;
    this.#report(paused);
    for (const onChange of this.#listeners) onChange();
  }

  /** Emits the changes of what is paused. */
  #report(before: ControlState["paused"]): void {
    const { monitor } = this.#options;
    const state = this.#state;
    const { paused } = state;
    for (const [key, { topic, partition, pause: { by, why } }] of paused) {
      if (!before.has(key)) monitor.emit("topic.paused", { topic, partition, by, why });
    }
    for (const [key, { topic, partition }] of before) {
      if (!paused.has(key)) monitor.emit("topic.resumed", { topic, partition, by: state.resumedBy(key) });
    }
  }

  #times(): Times {
    return { steadyMs: performance.now(), wallMs: this.#options.nowMs() };
  }

  #newState(): ControlState {
    const topics = new Set(this.#options.topics);
    return new ControlState((topic) => topics.has(topic));
  }
}
