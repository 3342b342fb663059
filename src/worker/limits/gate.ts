/**
 * The gate of an owned partition whose topic has limits: a step between the decoding of a record and its run.
 *
 *     enter ──▶ (space in each bucket) ──▶ the job runs ──▶ leave
 *       ▲  └──▶ (no space) ──▶ held ──┐
 *       └────────────────────────────┘ woken, since a job has left or time has passed
 *
 * A record that is held stays taken in its queue, so that its lane waits with it, and no other. It has not failed, and holds
 * no slot. Each attempt passes the gate, also that of a retry.
 */
import type { Envelope } from "../../job/envelope_data.ts";
import type { LimitedJob } from "../../routing/limits.ts";
import { clearTimeout, setTimeout } from "../../support/timers.ts";
import { MAX_TIMER_MS } from "../../support/validation.ts";
import type { DecodedJob } from "../partition/decode.ts";
import { keyText, type QueuedRecord } from "../partition/queued_record.ts";
import type { Bucket, HeldRecord } from "./bucket.ts";
import type { Limit } from "./limit.ts";

/** The time after which a timer of the process looks, if that of the clock has not, in milliseconds. */
const LATE_MS = 50;

/** The parts of a gate. */
export interface GateOptions {
  /** The limits that a job must keep, all of them. */
  readonly limits: readonly Limit[];
  /** Returns the facts of a job, for `by`. */
  readonly describe: (envelope: Envelope, key: string | null, offset: number) => LimitedJob;
  /** Returns the time, in milliseconds. */
  readonly nowMs: () => number;
  /** Calls a function once the clock shows a time. @returns a function that cancels the call */
  readonly callAt: (timeMs: number, fn: () => void) => () => void;
  /** The owner of the partition. */
  readonly owner: GateOwner;
}

/** The parts of the owner of a partition that its gate needs. */
export interface GateOwner {
  /** Returns whether the partition has a slot for one record more than those that are ready. */
  readonly hasSlot: () => boolean;
  /** Called with a record that may be taken again. */
  readonly onWoken: (record: QueuedRecord) => void;
}

/**
 * A record that is held, and the bucket that it waits for. Only that one is kept: any other bucket of the record may be
 * forgotten as idle meanwhile, and a new one counts in its place.
 */
interface Held extends HeldRecord {
  readonly record: QueuedRecord;
  bucket: Bucket;
}

/** See the module. */
export class Gate {
  readonly #options: GateOptions;
  readonly #held = new Map<QueuedRecord, Held>();
  readonly #running = new Map<QueuedRecord, { readonly buckets: readonly Bucket[]; readonly enteredMs: number }>();
  #cancelTimer: (() => void) | undefined;
  #timerMs = Infinity;
  #isClosed = false;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** The number of records that are held. */
  get held(): number {
    return this.#held.size;
  }

  /** Lets a job start, or holds its record. @returns whether it may start */
  enter(record: QueuedRecord, { envelope }: DecodedJob): boolean {
    const nowMs = this.#options.nowMs();
    const held = this.#held.get(record);
    const buckets = this.#bucketsOf(record, envelope, nowMs);
    const full = buckets.find((bucket) => bucket.spaceAt(nowMs) <= 0);
    if (full !== undefined) {
      this.#hold(record, held, full, nowMs);
      return false;
    }
    if (held !== undefined) this.#forget(held);
    for (const bucket of buckets) {
      bucket.enter(nowMs);
      // If it was woken some time ago, the timer saw no start that counts.
      if (bucket.isHolding) this.#callAt(bucket.nextSpaceMs());
    }
    this.#running.set(record, { buckets, enteredMs: nowMs });
    return true;
  }

  /** Counts a job that has entered from now on: its `perform` is called now, which is later on a machine under load. */
  start(record: QueuedRecord): void {
    const nowMs = this.#options.nowMs();
    const { buckets, enteredMs } = this.#running.get(record)!;
    if (nowMs <= enteredMs) return;
    for (const bucket of buckets) bucket.delay(enteredMs, nowMs);
  }

  /** Ends the run of a job that has entered. */
  leave(record: QueuedRecord): void {
    const nowMs = this.#options.nowMs();
    for (const bucket of this.#running.get(record)!.buckets) bucket.leave(nowMs);
    this.#running.delete(record);
  }

  /**
   * Forgets a record that was woken and does not run, such as an expired job, or one that the commit keeps back: it leaves
   * its turn to the next one.
   */
  drop(record: QueuedRecord): void {
    const held = this.#held.get(record);
    if (held === undefined || !held.isWoken) return;
    this.#forget(held);
    held.bucket.wake(this.#options.nowMs());
  }

  /** Makes all held records ready again: nothing of them may keep others waiting while no job of the partition starts. */
  letGo(): void {
    const held = [...this.#held.values()];
    for (const each of held) {
      const { isWoken } = each;
      each.isWoken = true;
      this.#forget(each);
      if (!isWoken) this.#options.owner.onWoken(each.record);
    }
    // A record that was woken, and did not come, leaves its turn to the next one.
    for (const { bucket } of held) bucket.wake(this.#options.nowMs());
  }

  /** Holds and wakes nothing any more, since the ownership has ended. Jobs that run count until they leave. */
  close(): void {
    this.#isClosed = true;
    this.letGo();
    this.#cancelTimer?.();
  }

  #bucketsOf(record: QueuedRecord, envelope: Envelope, nowMs: number): readonly Bucket[] {
    // Once for each record: the code of the user may be expensive, and a value that changes would lose its turn.
    const values = record.limitValues ??= this.#valuesOf(record, envelope);
    return this.#options.limits.map((limit, index) => limit.bucketOf(values[index]!, nowMs));
  }

  #valuesOf(record: QueuedRecord, envelope: Envelope): readonly (string | null)[] {
    const job = this.#options.describe(envelope, keyText(record), record.offset);
    return this.#options.limits.map((limit) => limit.valueOf(job, envelope));
  }

  #hold(
    record: QueuedRecord,
    before: Held | undefined,
    bucket: Bucket,
    nowMs: number,
  ): void {
    const held = before ?? {
      record,
      bucket,
      isWoken: false,
      hasSlot: this.#options.owner.hasSlot,
      wake: () => {
        if (!this.#isClosed) this.#options.owner.onWoken(record);
      },
    };
    const left = held.bucket;
    if (left !== bucket) {
      left.release(held);
      held.bucket = bucket;
    }
    bucket.hold(held);
    this.#held.set(record, held);
    // It was woken there, and does not start: it leaves its turn to the next one.
    if (left !== bucket) left.wake(nowMs);
    this.#callAt(bucket.nextSpaceMs());
  }

  #forget(held: Held): void {
    held.bucket.release(held);
    this.#held.delete(held.record);
  }

  /**
   * Looks again at a time, if it is not about to do so already. If the clock is set back meanwhile, it shows that time much
   * later: so a timer of the process looks as well.
   */
  #callAt(timeMs: number | null): void {
    if (timeMs === null || timeMs >= this.#timerMs || this.#isClosed) return;
    this.#cancelTimer?.();
    this.#timerMs = timeMs;
    const look = () => this.#wakeInTime();
    const cancel = this.#options.callAt(timeMs, look);
    const timer = setTimeout(look, Math.min(timeMs - this.#options.nowMs() + LATE_MS, MAX_TIMER_MS));
    this.#cancelTimer = () => {
      cancel();
      clearTimeout(timer);
    };
  }

  #wakeInTime(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#timerMs = Infinity;
    const nowMs = this.#options.nowMs();
    const buckets = new Set(Array.from(this.#held.values(), ({ bucket }) => bucket));
    for (const bucket of buckets) {
      bucket.wake(nowMs);
      this.#callAt(bucket.isHolding ? bucket.nextSpaceMs() : null);
    }
  }
}
