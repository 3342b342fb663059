/**
 * Questions with a common deadline. A question that fails, or has no answer by then, has a reason instead: the status says what is
 * known, whatever the rest of the cluster does.
 */
import type { BrokerAdmin } from "../broker/broker.ts";
import { describeError } from "../errors.ts";
import { abortable } from "../support/deadline.ts";
import { clearTimeout, setTimeout } from "../support/timers.ts";

/** An answer, or the reason why there is none. */
export type Answer<T> =
  | { readonly value: T; readonly problem: null }
  | { readonly value: null; readonly problem: string };

/** Asks an administration, until the deadline of a status. */
export type AskAdmin = <T>(question: (admin: BrokerAdmin) => Promise<T>) => Promise<Answer<T>>;

/** The deadline of some questions. */
export class Deadline implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout>;

  /** @param timeoutMs the time from now on, in milliseconds */
  constructor(timeoutMs: number) {
    const reason = new Error(`the broker did not respond within ${timeoutMs} ms`);
    this.#timer = setTimeout(() => this.#controller.abort(reason), timeoutMs);
  }

  /** Aborts at the deadline. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Asks. Never rejects. */
  async ask<T>(question: () => Promise<T>): Promise<Answer<T>> {
    try {
      this.signal.throwIfAborted();
      return { value: await abortable(question(), this.signal), problem: null };
    } catch (error) {
      return { value: null, problem: describeError(error).message };
    }
  }

  /** Ends the questions that are still being asked. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#controller.abort();
  }
}
