/**
 * Whether this member is certainly still one of its group: until the session timeout after the last accepted heartbeat was
 * *sent*, and only while its partitions are proved to be its own. All of it on the monotonic clock: a wall clock that is set
 * changes nothing.
 *
 * It reports each change, and lives as long as its consumer.
 */

/** See the module. */
export class Session {
  readonly #timeoutMs: number;
  readonly #onChange: (isMember: boolean) => void;
  #validUntilMs = 0;
  #isProved = false;
  #isMember = false;
  #lostSinceMs: number | null = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param timeoutMs session timeout of the group, in milliseconds
   * @param onChange called at each change
   */
  constructor(timeoutMs: number, onChange: (isMember: boolean) => void) {
    this.#timeoutMs = timeoutMs;
    this.#onChange = onChange;
  }

  /** End of the session as far as it is known, on the clock of `performance.now()`; 0 before the first join. */
  get validUntilMs(): number {
    return this.#validUntilMs;
  }

  /** When it was lost, or first waited for, on the clock of `performance.now()`; `null` while it is valid. */
  get lostSinceMs(): number | null {
    return this.#lostSinceMs;
  }

  /** Whether the session may have ended. */
  get hasExpired(): boolean {
    return performance.now() >= this.#validUntilMs;
  }

  /** The group accepted a request of this member. @param sentMs when it was sent, on the clock of `performance.now()` */
  extend(sentMs: number): void {
    this.#validUntilMs = Math.max(this.#validUntilMs, sentMs + this.#timeoutMs);
    this.#update();
  }

  /** The partitions are proved to be this member's, or may move. */
  setProved(isProved: boolean): void {
    this.#isProved = isProved;
    this.#update();
  }

  /** The member is not in the group any more. */
  end(): void {
    this.#isProved = false;
    this.#validUntilMs = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#update();
  }

  #update(): void {
    const leftMs = this.#validUntilMs - performance.now();
    const isMember = this.#isProved && leftMs > 0;
    if (isMember && this.#timer === undefined) {
      // One timer that looks again, not one for each heartbeat.
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#update();
      }, leftMs + 1);
    }
    if (isMember === this.#isMember) return;
    this.#isMember = isMember;
    this.#lostSinceMs = isMember ? null : performance.now();
    this.#onChange(isMember);
  }
}
