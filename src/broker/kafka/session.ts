/**
 * Whether the group still counts on this member: known until the session timeout after the last heartbeat that the broker
 * answered well was *sent*. What arrives late, after a blocked event loop, must not count as late.
 *
 *     held = the partitions are proved ours, and that time has not passed
 *
 * It calls back at each change, and lives as long as its consumer.
 */

/** See the module. */
export class Session {
  readonly #timeoutMs: number;
  readonly #changed: (held: boolean) => void;
  #heldUntilMs = 0;
  #lastSentMs = 0;
  #proved = false;
  #held = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param timeoutMs the session timeout
   * @param changed called with each change
   */
  constructor(timeoutMs: number, changed: (held: boolean) => void) {
    this.#timeoutMs = timeoutMs;
    this.#changed = changed;
  }

  /** Until when the session is known to be good, on the clock of `performance.now()`. */
  get heldUntilMs(): number {
    return this.#heldUntilMs;
  }

  /** A request that keeps the session alive was answered, well or not. @param sentAt when it was sent, as `Date.now()` */
  answered(sentAt: number): void {
    this.#lastSentMs = performance.now() - Math.max(0, Date.now() - sentAt);
  }

  /** The last such answer was a good one. */
  confirmed(): void {
    this.#heldUntilMs = Math.max(this.#heldUntilMs, this.#lastSentMs + this.#timeoutMs);
    this.#update();
  }

  /** The partitions are proved to be this member's, or not any longer. */
  proved(proved: boolean): void {
    this.#proved = proved;
    this.#update();
  }

  /** The member is no longer in the group. */
  ended(): void {
    this.#proved = false;
    this.#heldUntilMs = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#update();
  }

  #update(): void {
    const leftMs = this.#heldUntilMs - performance.now();
    const held = this.#proved && leftMs > 0;
    if (held && this.#timer === undefined) {
      // One timer that looks again, not one for each heartbeat.
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#update();
      }, leftMs + 1);
    }
    if (held === this.#held) return;
    this.#held = held;
    this.#changed(held);
  }
}
