/**
 * The send buffer: the limit of the jobs that are enqueued and not yet acknowledged, over all topics of an App. If it
 * is full, callers wait in the order of their calls, and fail after a time: memory does not grow while a broker is
 * away.
 */
import { BrokerError } from "../errors.ts";

/** Limits of the send buffer. */
export interface BufferOptions {
  /** Most jobs. @default 10000 */
  readonly maxRecords?: number;
  /** Most bytes. @default 33554432 */
  readonly maxBytes?: number;
  /** Longest wait of a caller for space, in ms. @default 5000 */
  readonly maxWaitMs?: number;
}

interface Waiter {
  readonly bytes: number;
  readonly untilMs: number;
  resolve(): void;
  reject(error: Error): void;
}

/** Counts the pending jobs and their bytes. */
export class SendBuffer {
  readonly #maxRecords: number;
  readonly #maxBytes: number;
  readonly #maxWaitMs: number;
  readonly #waiters = new Set<Waiter>();
  #records = 0;
  #bytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #emptied: PromiseWithResolvers<void> | undefined;

  constructor(options: BufferOptions = {}) {
    this.#maxRecords = options.maxRecords ?? 10_000;
    this.#maxBytes = options.maxBytes ?? 32 * 1024 * 1024;
    this.#maxWaitMs = options.maxWaitMs ?? 5000;
  }

  /** Number of pending records. */
  get records(): number {
    return this.#records;
  }

  /** Takes space, if there is some at once and no other caller waits for it. @returns whether it did */
  tryAcquire(bytes: number): boolean {
    if (this.#waiters.size > 0 || !this.#fits(bytes)) return false;
    this.#add(bytes);
    return true;
  }

  /**
   * Waits for space and takes it.
   *
   * @throws {BrokerError} if there is none after `maxWaitMs`
   */
  acquire(bytes: number): Promise<void> {
    if (this.tryAcquire(bytes)) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiters.add({ bytes, untilMs: performance.now() + this.#maxWaitMs, resolve, reject });
    this.#watch();
    return promise;
  }

  /** Gives the space of a record back. */
  release(bytes: number): void {
    this.#records--;
    this.#bytes -= bytes;
    this.#admit();
    if (this.#waiters.size === 0) this.#unwatch();
    if (this.#records === 0) {
      this.#emptied?.resolve();
      this.#emptied = undefined;
    }
  }

  /** Resolves once no record is pending. */
  whenEmpty(): Promise<void> {
    if (this.#records === 0) return Promise.resolve();
    this.#emptied ??= Promise.withResolvers<void>();
    return this.#emptied.promise;
  }

  /** Gives space to the waiting callers, in their order. */
  #admit(): void {
    for (const waiter of this.#waiters) {
      if (!this.#fits(waiter.bytes)) break;
      this.#waiters.delete(waiter);
      this.#add(waiter.bytes);
      waiter.resolve();
    }
  }

  /** Starts one timer for all waiting callers: the first one that came is the first one whose time is over. */
  #watch(): void {
    const [first] = this.#waiters;
    if (this.#timer !== undefined || first === undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#giveUp();
      this.#watch();
    }, Math.max(0, first.untilMs - performance.now()));
  }

  #unwatch(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #giveUp(): void {
    const nowMs = performance.now();
    for (const waiter of this.#waiters) {
      // A timer may be early by a fraction.
      if (waiter.untilMs > nowMs + 1) break;
      this.#waiters.delete(waiter);
      waiter.reject(
        new BrokerError(
          `The buffer stayed full for ${this.#maxWaitMs} ms: ${this.#records} jobs (${this.#bytes} bytes) wait for the broker`,
        ),
      );
      // The next caller may need less space.
      this.#admit();
    }
  }

  #fits(bytes: number): boolean {
    // A record larger than the whole buffer must get through too, alone.
    return this.#records === 0 || (this.#records < this.#maxRecords && this.#bytes + bytes <= this.#maxBytes);
  }

  #add(bytes: number): void {
    this.#records++;
    this.#bytes += bytes;
  }
}
