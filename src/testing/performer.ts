/**
 * Performing what is enqueued: a worker of the test's App runs over the jobs that were chosen until they are done, and
 * what fails comes back to the test as the error that the job threw.
 *
 * One run at a time. What the jobs of a run enqueue waits for the next one.
 */
import { inspect } from "node:util";
import type { App } from "../app/app.ts";
import { type ErrorInfo, InvalidConfigurationError, thrownBehind, TimeoutError } from "../errors.ts";
import type { Entry } from "./job_recorder.ts";
import { describeJob } from "./messages.ts";
import type { Selection } from "./selection.ts";
import { assertInUse, type TestContext } from "./test_context.ts";
import { formatPosition, type Position } from "../support/position.ts";

/** See the module. */
export class Performer {
  readonly #app: App;
  readonly #context: TestContext;
  #fail: ((error: () => Error) => void) | undefined;

  constructor(app: App, context: TestContext) {
    this.#app = app;
    this.#context = context;
  }

  /**
   * Performs what waits now.
   *
   * @returns how many jobs were performed well
   * @throws what the first job threw that failed, unless it is tried again
   */
  async waiting(isMeant: Selection, retries: boolean): Promise<number> {
    await this.#ready();
    const { recorder } = this.#context;
    const chosen = recorder.waiting().filter(({ job }) => isMeant(job));
    return await this.#counted(() => this.#perform(chosen, retries));
  }

  /** Performs what a function enqueues, and what these jobs enqueue in their turn, until nothing of it waits. */
  async enqueuedBy(block: () => unknown, isMeant: Selection, retries: boolean): Promise<number> {
    const { recorder } = this.#context;
    const since = recorder.now();
    await block();
    return await this.#counted(async () => {
      while (true) {
        await this.#ready();
        const chosen = recorder.waiting(since).filter(({ job }) => isMeant(job));
        if (chosen.length === 0) return;
        await this.#perform(chosen, retries);
      }
    });
  }

  /** The run that is under way ends with this error. */
  fail(error: Error): void {
    this.#fail?.(() => error);
  }

  async #counted(perform: () => Promise<void>): Promise<number> {
    const { recorder } = this.#context;
    const since = recorder.now();
    await perform();
    await this.#app.flush();
    return recorder.performed(since).length;
  }

  /** Waits until everything is in the log. */
  async #ready(): Promise<void> {
    const { log, catalog: { name } } = this.#context;
    if (!log.tasks.isOnline) {
      throw new InvalidConfigurationError(
        `Cannot perform the jobs of "${name}": its broker is away, call faults.goOnline()`,
      );
    }
    await this.#app.flush();
  }

  async #perform(chosen: readonly Entry[], retries: boolean): Promise<void> {
    if (this.#fail !== undefined) {
      throw new InvalidConfigurationError(
        `Cannot perform the jobs of "${this.#context.catalog.name}": they are being performed already, by a call that was not awaited, or around this job`,
      );
    }
    const stop = new AbortController();
    let failure: Error | undefined;
    this.#fail = (error) => {
      failure ??= error();
      stop.abort();
    };
    const forget = this.#hearFailures(retries);
    try {
      // A mark that was lost at the end leaves a job that is not done: it is performed again, as by another worker.
      while (failure === undefined && chosen.some(({ done }) => !done)) {
        assertInUse(this.#context).chosen = new Set(chosen);
        await this.#app.worker().run(stop.signal, { once: true });
      }
    } catch (error) {
      // That a broker went with its test is no news.
      assertInUse(this.#context);
      throw error;
    } finally {
      this.#context.chosen = null;
      this.#fail = undefined;
      for (const each of forget) each();
    }
    if (failure !== undefined) throw failure;
  }

  #hearFailures(retries: boolean): (() => void)[] {
    const fail = (at: Position, attempt: number, error: ErrorInfo) =>
      this.#fail?.(() => this.#surfaced(at, attempt, error));
    return [
      this.#app.on("job.failed", (event) => {
        if (!retries) fail(event, event.attempt, event.error);
      }),
      // What is given up without being performed.
      this.#app.on("record.dead_lettered", (event) => {
        if (!retries) fail(event, event.attempts, event.error);
      }),
      this.#app.on("partition.paused", (event) => {
        if (event.lasting) fail(event, event.attempts, event.error);
      }),
      // It may never end, and a worker waits for its jobs.
      this.#app.on("job.orphaned", (event) => {
        if (event.reason === "timeout") this.#fail?.(() => this.#overdue(event, event.attempt, event.runningMs));
      }),
    ];
  }

  #overdue(at: Position, attempt: number, runningMs: number): TimeoutError {
    return new TimeoutError(
      `${this.#whose(at, attempt)}, still runs after ${
        Math.round(runningMs)
      } ms: it is over its timeoutMs and timeoutGraceMs, and does not heed its signal`,
    );
  }

  /** The job's own error, which says at its end whose it is. */
  #surfaced(at: Position, attempt: number, info: ErrorInfo): Error {
    const where = this.#whose(at, attempt);
    const thrown = thrownBehind(info);
    if (!(thrown instanceof Error)) return new Error(`${where}, threw ${inspect(thrown)}`, { cause: thrown });
    note(thrown, where);
    return thrown;
  }

  #whose(at: Position, attempt: number): string {
    const job = this.#context.recorder.at(at)?.job;
    const who = job === undefined ? "A job" : describeJob(job);
    return `${who} at attempt ${attempt}, from ${formatPosition(at)}`;
  }
}

/** The notes, by the error that has it as its cause. */
const notes = new WeakMap<Error, string>();

/**
 * Puts a text where the causes of an error end: runners show it below the error, which stays what it is. An error
 * object may be thrown again, by another job: then the text is that one's.
 */
function note(error: Error, text: string): void {
  let last = error;
  for (let depth = 0; last.cause instanceof Error && depth < MAX_CAUSES; depth++) last = last.cause;
  if (last.cause !== notes.get(last) || !Object.isExtensible(last)) return;
  Object.defineProperty(last, "cause", { value: text, configurable: true, writable: true, enumerable: false });
  notes.set(last, text);
}

/** A circle of causes must not hold us. */
const MAX_CAUSES = 20;
