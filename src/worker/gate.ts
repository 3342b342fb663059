/**
 * Whether jobs of a group may start. It is closed for a reason (quiet, a rebalance, a session that may have expired) and
 * opens when none is left; partitions that find it closed wait for the next change.
 *
 * Membership is also asked of a clock, at each start: a job that blocks the event loop longer than the session blocks the
 * timer that would have closed the gate, too.
 */

/** Why no job starts. `releasing`: the group rebalances. `membership`: the session may have expired. */
export type ClosedReason = "quiet" | "releasing" | "membership";

/** How long a partition sleeps at most before it asks the clock again, in milliseconds. */
const LOOK_AGAIN_MS = 50;

/** Where the jobs of a group start. */
export class Gate {
  readonly #reasons = new Set<ClosedReason>();
  readonly #heldUntilMs: () => number;
  #changed: PromiseWithResolvers<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param heldUntilMs until when the session is known to be good, on the clock of `performance.now()` */
  constructor(heldUntilMs: () => number) {
    this.#heldUntilMs = heldUntilMs;
  }

  /** Closes it. */
  close(reason: ClosedReason): void {
    this.#reasons.add(reason);
    this.change();
  }

  /** Takes a reason away. */
  open(reason: ClosedReason): void {
    this.#reasons.delete(reason);
    this.change();
  }

  /** Whether a job may start now. */
  isOpen(nowMs: number): boolean {
    return this.#reasons.size === 0 && nowMs < this.#heldUntilMs();
  }

  /** Whether the session is known to be good. */
  isHeld(nowMs: number): boolean {
    return !this.#reasons.has("membership") && nowMs < this.#heldUntilMs();
  }

  /** Whether what is owned is certainly still owned: only then is anything marked or dead-lettered. */
  isProved(nowMs: number): boolean {
    return !this.#reasons.has("releasing") && this.isHeld(nowMs);
  }

  /** Wakes all who wait for a change. */
  change(): void {
    clearTimeout(this.#timer);
    this.#changed?.resolve();
    this.#changed = undefined;
  }

  /** Resolves at the next change, or a little later: the clock alone may have changed the answer. */
  changed(): Promise<void> {
    if (this.#changed === undefined) {
      this.#changed = Promise.withResolvers<void>();
      this.#timer = setTimeout(() => this.change(), LOOK_AGAIN_MS);
    }
    return this.#changed.promise;
  }
}
