/**
 * Standard error as a bounded queue. Writes are asynchronous, so that a reader that is slow, or never reads, does not
 * stop the process; beyond 4 MiB of waiting text, writes are refused. One queue for the process keeps all lines in
 * order.
 *
 * The life cycle of a text:
 * 1. `write` puts it into the queue, or refuses it.
 * 2. The queue is sent in chunks, one after the other.
 * 3. At the end of the process `flush` waits for the rest, for a limited time. `flushNow` is for an end that cannot
 *    wait (a crash, `Deno.exit`): it writes synchronously, unless standard error is not read.
 */
import { waitUntilSettled } from "./deadline.ts";

/** Characters that may wait, at most: the lines of a few turns of the event loop, were each job to write one. */
const MAX_WAITING = 2 ** 22;
/** Characters of one chunk, if a string is not longer. Jobs that never wait leave the event loop one write in 20 ms. */
const CHUNK = 2 ** 20;
/** Standard error is not read if a chunk takes longer, in milliseconds. */
const STUCK_MS = 200;
/** The wait for a chunk that may still be on its way when the process ends, in milliseconds. */
const LAST_CHUNK_MS = 100;

/** The destination of the queue. */
export interface Output {
  /** Whether it is a terminal. */
  isTerminal(): boolean;
  /** Writes bytes. @returns the number that were written */
  write(bytes: Uint8Array): Promise<number>;
  /** Writes bytes, and blocks until then. @returns the number that were written */
  writeSync(bytes: Uint8Array): number;
}

/** A queue of text before an output. */
export class OutputQueue {
  readonly #output: Output;
  readonly #encoder = new TextEncoder();
  #texts: string[] = [];
  /** Their length together. */
  #waiting = 0;
  #sending: Promise<void> | null = null;
  #isFull = false;
  #isStuck = false;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Whether the output is a terminal. */
  get isTerminal(): boolean {
    return this.#output.isTerminal();
  }

  /**
   * Puts text into the queue.
   *
   * @returns whether there was space for it; otherwise the whole text is dropped, and so is all further text until half
   * of the queue is sent: a report of the loss must have space
   */
  write(text: string): boolean {
    const waiting = this.#waiting;
    if (waiting <= MAX_WAITING / 2) this.#isFull = false;
    else if (waiting + text.length > MAX_WAITING) this.#isFull = true;
    if (this.#isFull) return false;
    this.#texts.push(text);
    this.#waiting += text.length;
    this.#sending ??= this.#send();
    return true;
  }

  /** Waits until the queue is empty, but not longer than this. */
  async flush(deadlineMs: number): Promise<void> {
    if (this.#sending !== null) await waitUntilSettled(this.#sending, deadlineMs);
  }

  /** Writes the queue synchronously, since the process ends. It does not wait for an output that is not read. */
  flushNow(): void {
    if (this.#isStuck) return;
    if (this.#sending !== null) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LAST_CHUNK_MS);
    const bytes = this.#encoder.encode(this.#take(Infinity));
    try {
      for (let written = 0; written < bytes.length;) written += this.#output.writeSync(bytes.subarray(written));
    } catch {
      // The reader is gone.
    }
  }

  async #send(): Promise<void> {
    // Once for all that is written in this turn.
    await Promise.resolve();
    while (this.#texts.length > 0) await this.#sendChunk(this.#encoder.encode(this.#take(CHUNK)));
    this.#sending = null;
  }

  /** Takes the first strings out of the queue: so many characters, or a whole string that is longer. */
  #take(characters: number): string {
    let count = 0;
    let length = 0;
    while (count < this.#texts.length && (count === 0 || length + this.#texts[count]!.length <= characters)) {
      length += this.#texts[count++]!.length;
    }
    this.#waiting -= length;
    return this.#texts.splice(0, count).join("");
  }

  async #sendChunk(bytes: Uint8Array): Promise<void> {
    const timer = setTimeout(() => this.#isStuck = true, STUCK_MS);
    try {
      for (let written = 0; written < bytes.length;) written += await this.#output.write(bytes.subarray(written));
    } catch {
      // The reader is gone, or the disk is full: the text is lost, the jobs go on.
    } finally {
      clearTimeout(timer);
      this.#isStuck = false;
    }
  }
}

/** The part of `node:process` that is used in other runtimes. A write may block there. */
interface Process {
  readonly stderr: { readonly isTTY?: boolean; write(bytes: Uint8Array, done: () => void): unknown };
}

function openStderr(): Output {
  // Deno's own where there is one: `process.stderr` takes 15 ms to load there, and its writes block.
  const deno: { readonly stderr: Output } | undefined = Reflect.get(globalThis, "Deno");
  if (deno !== undefined) return deno.stderr;
  const { stderr }: Process = Reflect.get(globalThis, "process");
  return {
    isTerminal: () => stderr.isTTY === true,
    write: (bytes) => new Promise((resolve) => stderr.write(bytes, () => resolve(bytes.length))),
    writeSync(bytes) {
      stderr.write(bytes, () => {});
      return bytes.length;
    },
  };
}

/** The standard error of this process. */
export const stderr: OutputQueue = new OutputQueue(openStderr());
