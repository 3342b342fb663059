/**
 * The progress of a long action, on standard error: nothing in the first second; then a bar that changes on a terminal, and a
 * line every five seconds elsewhere.
 */
import { stderr } from "../support/stderr.ts";

const FIRST_MS = 1000;
/** The time between two lines, in milliseconds. */
const TERMINAL_MS = 200;
const PLAIN_MS = 5000;
/** The longest wait until the bar is removed, in milliseconds. */
const FLUSH_MS = 200;
/** The width of the bar, in characters: a line must fit a terminal of 80. */
const BAR = 15;

/** The output of the lines. */
export interface ProgressOutput {
  /** Whether it is a terminal, on which a line can change. */
  readonly isTerminal: boolean;
  /** Writes text. */
  write(text: string): unknown;
  /** Waits until it is written, but not longer than this. */
  flush(deadlineMs: number): Promise<void>;
}

/** Shows progress until it is disposed of. */
export class Progress implements Disposable {
  readonly #output: ProgressOutput;
  readonly #nowMs: () => number;
  #nextMs: number;
  #hasLine = false;

  constructor(output: ProgressOutput = stderr, nowMs: () => number = () => performance.now()) {
    this.#output = output;
    this.#nowMs = nowMs;
    this.#nextMs = nowMs() + FIRST_MS;
  }

  /** Shows a part of a whole, and the text behind it, if it is time. */
  show(part: number, whole: number, text: string): void {
    const nowMs = this.#nowMs();
    if (nowMs < this.#nextMs) return;
    const { isTerminal } = this.#output;
    this.#nextMs = nowMs + (isTerminal ? TERMINAL_MS : PLAIN_MS);
    const share = Math.min(1, part / Math.max(1, whole));
    const line = `${Math.floor(share * 100)} %, ${text}`;
    const bar = "#".repeat(Math.floor(share * BAR)).padEnd(BAR, ".");
    this.#output.write(isTerminal ? `\r\x1b[K[${bar}] ${line}` : `${line}\n`);
    this.#hasLine = isTerminal;
  }

  /** Removes the bar, so that another line can follow on standard error. */
  clear(): void {
    if (this.#hasLine) this.#output.write("\r\x1b[K");
    this.#hasLine = false;
  }

  /** Removes the bar, and waits until it is gone: a line can follow on standard output. */
  async end(): Promise<void> {
    this.clear();
    await this.#output.flush(FLUSH_MS);
  }

  /** See {@linkcode Progress.clear}. */
  [Symbol.dispose](): void {
    this.clear();
  }
}
