/**
 * Whether jobs of a group may start. It is closed for a reason (quiet, a rebalance, a session that may have expired) and
 * opens when none is left; partitions that find it closed wait for the next change.
 *
 * Membership is also asked of a clock, at each start: a job that blocks the event loop longer than the session blocks the
 * timer that would have closed the gate, too.
 */
import { clearTimeout, setTimeout } from "../../support/timers.ts";

/** Why no job starts. `releasing`: the group rebalances. `membership`: the session may have expired. */
export type BlockReason = "quiet" | "releasing" | "membership";

/** How long a partition sleeps at most before it asks the clock again, in milliseconds. */
const LOOK_AGAIN_MS = 50;

/** Where the jobs of a group start. */
export class StartCondition {
  readonly #reasons = new Set<BlockReason>();
  readonly #sessionValidUntilMs: () => number;
  #nextChange: PromiseWithResolvers<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param sessionValidUntilMs until when the session is known to be good, on the clock of `performance.now()` */
  constructor(sessionValidUntilMs: () => number) {
    this.#sessionValidUntilMs = sessionValidUntilMs;
  }

  /** Closes it. */
  block(reason: BlockReason): void {
    this.#reasons.add(reason);
    this.notify();
  }

  /** Takes a reason away. */
  unblock(reason: BlockReason): void {
    this.#reasons.delete(reason);
    this.notify();
  }

  /** Whether a job may start now. */
  canStart(nowMs: number): boolean {
    return this.#reasons.size === 0 && nowMs < this.#sessionValidUntilMs();
  }

  /** Whether the session is known to be good. */
  isSessionValid(nowMs: number): boolean {
    return !this.#reasons.has("membership") && nowMs < this.#sessionValidUntilMs();
  }

  /** Whether what is owned is certainly still owned: only then is anything marked or dead-lettered. */
  canCommit(nowMs: number): boolean {
    return !this.#reasons.has("releasing") && this.isSessionValid(nowMs);
  }

  /** Wakes all who wait for a change. */
  notify(): void {
    clearTimeout(this.#timer);
    this.#nextChange?.resolve();
    this.#nextChange = undefined;
  }

  /** Resolves at the next change, or a little later: the clock alone may have changed the answer. */
  nextChange(): Promise<void> {
    if (this.#nextChange === undefined) {
      this.#nextChange = Promise.withResolvers<void>();
      this.#timer = setTimeout(() => this.notify(), LOOK_AGAIN_MS);
    }
    return this.#nextChange.promise;
  }
}
