/**
 * Performs enqueued jobs for a test. One run at a time:
 *
 * 1. Everything that is buffered is written to the log.
 * 2. The jobs to perform are selected among those that are due. Jobs that they enqueue wait for the next run.
 * 3. A worker of the test's App runs until the selected jobs are finished, or until the first of them fails.
 * 4. The error of a job that failed is thrown.
 */
import type { App } from "../app/app.ts";
import { type ErrorInfo, InvalidConfigurationError, originalError, TimeoutError } from "../errors.ts";
import { formatPosition, type Position } from "../support/position.ts";
import { toTestError } from "./job_error.ts";
import type { RecordedJob } from "./job_recorder.ts";
import { describeJob } from "./messages.ts";
import type { Selection } from "./selection.ts";
import { assertInUse, type TestContext } from "./test_context.ts";

/** Performs the jobs of one test. */
export class Performer {
  readonly #app: App;
  readonly #context: TestContext;
  /** Ends the run that is under way; `undefined` if there is none. */
  #endRun: ((error: unknown) => void) | undefined;

  constructor(app: App, context: TestContext) {
    this.#app = app;
    this.#context = context;
  }

  /**
   * Performs the jobs that wait now.
   *
   * @returns the number of jobs that succeeded
   * @throws {Error} the error of the first job that failed, unless it is retried
   */
  async performWaiting(isSelected: Selection, retries: boolean): Promise<number> {
    await this.#flush();
    const { recorder, clock } = this.#context;
    const selected = recorder.due(clock.nowMs()).filter(({ job }) => isSelected(job));
    return await this.#count(() => this.#run(selected, retries));
  }

  /**
   * Calls a function and performs the jobs that it enqueues, then the jobs that these enqueue, until none of them
   * waits.
   *
   * @returns the number of jobs that succeeded
   * @throws {Error} the error of the first job that failed, unless it is retried
   */
  async performBlock(block: () => unknown, isSelected: Selection, retries: boolean): Promise<number> {
    const { recorder, clock } = this.#context;
    const since = recorder.now();
    await block();
    return await this.#count(async () => {
      while (true) {
        await this.#flush();
        const selected = recorder.due(clock.nowMs(), since).filter(({ job }) => isSelected(job));
        if (selected.length === 0) return;
        await this.#run(selected, retries);
      }
    });
  }

  /** Ends the run that is under way: it throws this value. */
  fail(error: unknown): void {
    this.#endRun?.(error);
  }

  async #count(perform: () => Promise<void>): Promise<number> {
    const { recorder } = this.#context;
    const since = recorder.now();
    await perform();
    await this.#app.flush();
    return recorder.performed(since).length;
  }

  /** Waits until everything that was enqueued is in the log. */
  async #flush(): Promise<void> {
    const { log, catalog: { name } } = this.#context;
    if (!log.tasks.isOnline) {
      throw new InvalidConfigurationError(
        `Cannot perform the jobs of "${name}": its broker is offline; call faults.goOnline() first`,
      );
    }
    await this.#app.flush();
  }

  async #run(selected: readonly RecordedJob[], retries: boolean): Promise<void> {
    if (this.#endRun !== undefined) {
      throw new InvalidConfigurationError(
        `Cannot perform the jobs of "${this.#context.catalog.name}": another call performs them already. It was not awaited, or this call is made by one of its jobs`,
      );
    }
    const stop = new AbortController();
    // An object, since any value can be thrown, also `undefined`.
    let failure: { readonly error: unknown } | undefined;
    this.#endRun = (error) => {
      failure ??= { error };
      stop.abort();
    };
    const unsubscribe = this.#listen(retries, () => failure === undefined);
    try {
      // A mark that is lost at the end leaves a job that is not finished: another worker performs it again.
      while (failure === undefined && selected.some(({ isFinished }) => !isFinished)) {
        assertInUse(this.#context).selected = new Set(selected);
        await this.#app.worker().run(stop.signal, { once: true });
      }
    } catch (error) {
      // If the test is over, the broker is gone, and that is the reason.
      assertInUse(this.#context);
      throw error;
    } finally {
      this.#context.selected = null;
      this.#endRun = undefined;
      for (const each of unsubscribe) each();
    }
    if (failure !== undefined) throw failure.error;
  }

  /**
   * Listens for what ends a run. Only the first failure is turned into an error: another job may throw the same object.
   */
  #listen(retries: boolean, isFirst: () => boolean): (() => void)[] {
    const fail = (at: Position, attempt: number, error: ErrorInfo) => {
      if (isFirst()) this.fail(toTestError(originalError(error), this.#describe(at, attempt)));
    };
    return [
      this.#app.on("job.failed", (event) => {
        if (!retries) fail(event, event.attempt, event.error);
      }),
      // A record that is given up without being performed.
      this.#app.on("record.dead_lettered", (event) => {
        if (!retries) fail(event, event.attempts, event.error);
      }),
      this.#app.on("partition.paused", (event) => {
        if (event.lasting) fail(event, event.attempts, event.error);
      }),
      // It has no consequence for the job, and a test has no logger.
      this.#app.on("error.occurred", ({ where, error }) => {
        if (where === "afterDiscard" && isFirst()) this.fail(toTestError(originalError(error), "afterDiscard"));
      }),
      // The job may never end, and the worker would wait for it.
      this.#app.on("job.orphaned", (event) => {
        if (event.reason === "timeout" && isFirst()) {
          this.fail(this.#timeoutError(event, event.attempt, event.runningMs));
        }
      }),
    ];
  }

  #timeoutError(at: Position, attempt: number, runningMs: number): TimeoutError {
    return new TimeoutError(
      `${this.#describe(at, attempt)}, still runs after ${
        Math.round(runningMs)
      } ms: it is over its timeoutMs and timeoutGraceMs, and ignores its signal`,
    );
  }

  /** The job at a position, for a message. */
  #describe(at: Position, attempt: number): string {
    const job = this.#context.recorder.find(at)?.job;
    const subject = job === undefined ? "A job" : describeJob(job);
    return `${subject} at attempt ${attempt}, from ${formatPosition(at)}`;
  }
}
