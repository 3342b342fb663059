/**
 * A step that is tried again after a growing wait if it fails. The same error is reported once, until the step has succeeded.
 */
import { describeError } from "../../errors.ts";
import { clearTimeout, setTimeout } from "../../support/timers.ts";
import type { RecurringContext } from "./context.ts";

const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;

/** The step, and the parts of its context. */
export interface RetriedStepOptions extends Pick<RecurringContext, "monitor" | "signal" | "track" | "onProgress"> {
  /** The place of its errors. */
  readonly where: string;
  readonly run: () => Promise<void>;
}

/** See the module. */
export class RetriedStep {
  readonly #options: RetriedStepOptions;
  #isBusy = false;
  #isWaiting = false;
  #retryMs = FIRST_RETRY_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reported: string | undefined;

  constructor(options: RetriedStepOptions) {
    this.#options = options;
  }

  /** Whether it is under way. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Whether it has failed and waits for its next try. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** Starts the step. It must not be under way or wait. Calls `onProgress` when it ends, and when it may start again. */
  start(): void {
    this.#isBusy = true;
    this.#options.track(this.#run());
  }

  /** Ends its wait. */
  close(): void {
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    const { run, signal, onProgress } = this.#options;
    try {
      await run();
      this.#retryMs = FIRST_RETRY_MS;
      this.#reported = undefined;
    } catch (thrown) {
      if (signal.aborted) return;
      this.#report(thrown);
      this.#wait();
    } finally {
      this.#isBusy = false;
    }
    onProgress();
  }

  #report(thrown: unknown): void {
    const { where, monitor } = this.#options;
    const error = describeError(thrown);
    if (error.message !== this.#reported) monitor.emit("error.occurred", { where, error });
    this.#reported = error.message;
  }

  #wait(): void {
    this.#isWaiting = true;
    this.#timer = setTimeout(() => {
      this.#isWaiting = false;
      this.#options.onProgress();
    }, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS);
  }
}
