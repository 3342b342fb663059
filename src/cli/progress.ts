/**
 * The progress of a long action, on standard error: nothing in the first second; then one line that changes on a terminal,
 * and a line every five seconds elsewhere.
 */
import { stderr } from "../support/stderr.ts";

const FIRST_MS = 1000;
/** The time between two lines, in milliseconds. */
const TERMINAL_MS = 200;
const PLAIN_MS = 5000;

/** The output of the lines. */
export interface ProgressOutput {
  /** Whether it is a terminal, on which a line can change. */
  readonly isTerminal: boolean;
  /** Writes text. */
  write(text: string): unknown;
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

  /** Shows a line, if it is time. */
  show(text: string): void {
    const nowMs = this.#nowMs();
    if (nowMs < this.#nextMs) return;
    const { isTerminal } = this.#output;
    this.#nextMs = nowMs + (isTerminal ? TERMINAL_MS : PLAIN_MS);
    this.#output.write(isTerminal ? `\r\x1b[K${text}` : `${text}\n`);
    this.#hasLine = isTerminal;
  }

  /** Removes the line that changes, so that another one can follow. */
  clear(): void {
    if (this.#hasLine) this.#output.write("\r\x1b[K");
    this.#hasLine = false;
  }

  /** See {@linkcode Progress.clear}. */
  [Symbol.dispose](): void {
    this.clear();
  }
}
