/**
 * Whether jobs of a group may start, and whether finished ones may be committed. Starts are blocked for a reason (quiet, a
 * rebalance, a session that may have expired) until no reason is left; partitions that must wait are notified at the next
 * change.
 *
 * The session is also checked on the clock at each start: a job that blocks the event loop for longer than the session
 * also blocks the timer that would have reported its end.
 */
import { clearTimeout, setTimeout } from "../../support/timers.ts";

/** Why no job starts. `releasing`: the group rebalances. `membership`: the session may have expired. */
export type BlockReason = "quiet" | "releasing" | "membership";

/** The longest wait of a partition before it checks the clock again, in milliseconds. */
const CHECK_MS = 50;

/** See the module. One object for each group. */
export class StartCondition {
  readonly #reasons = new Set<BlockReason>();
  readonly #sessionValidUntilMs: () => number;
  #nextChange: PromiseWithResolvers<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param sessionValidUntilMs returns the time until which the session is known to be valid, on the clock of `performance.now()` */
  constructor(sessionValidUntilMs: () => number) {
    this.#sessionValidUntilMs = sessionValidUntilMs;
  }

  /** Blocks starts for a reason. */
  block(reason: BlockReason): void {
    this.#reasons.add(reason);
    this.notify();
  }

  /** Removes a reason. */
  unblock(reason: BlockReason): void {
    this.#reasons.delete(reason);
    this.notify();
  }

  /** Whether the worker is quiet: no job starts any more. */
  get isQuiet(): boolean {
    return this.#reasons.has("quiet");
  }

  /** Whether a job may start now. */
  canStart(nowMs: number): boolean {
    return this.#reasons.size === 0 && nowMs < this.#sessionValidUntilMs();
  }

  /** Whether the session is known to be valid. */
  isSessionValid(nowMs: number): boolean {
    return !this.#reasons.has("membership") && nowMs < this.#sessionValidUntilMs();
  }

  /** Whether the partitions are certainly still owned: only then may a record be marked or dead-lettered. */
  canCommit(nowMs: number): boolean {
    return !this.#reasons.has("releasing") && this.isSessionValid(nowMs);
  }

  /** Ends the wait of all that wait for a change. */
  notify(): void {
    clearTimeout(this.#timer);
    this.#nextChange?.resolve();
    this.#nextChange = undefined;
  }

  /** Resolves at the next change, or after `CHECK_MS`, since the clock alone may have changed the result. */
  nextChange(): Promise<void> {
    if (this.#nextChange === undefined) {
      this.#nextChange = Promise.withResolvers<void>();
      this.#timer = setTimeout(() => this.notify(), CHECK_MS);
    }
    return this.#nextChange.promise;
  }
}
