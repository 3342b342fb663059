/**
 * Reports errors that no job catches. An unhandled rejection is reported with the jobs that run, and the worker continues.
 * An error thrown in a timer ends the process, since it may have left anything in a wrong state; before that, the jobs that
 * are cut off are printed, because the next start begins with them.
 */
import type { App } from "../app/app.ts";
import { formatPosition } from "../support/position.ts";
import type { Worker } from "../worker/worker.ts";
import { printError } from "./print_error.ts";
import { runtime } from "./runtime.ts";
import { stderr } from "../support/stderr.ts";
import { formatRunningJobs } from "./running_jobs.ts";

/** Reports uncaught errors until it is disposed of. */
export class UncaughtErrorReporter implements Disposable {
  readonly #app: App;
  readonly #worker: Worker;
  readonly #skipCommand: string;
  readonly #stopListening: () => void;

  /** @param skipCommand the command that passes over a record, without the record's position */
  constructor(app: App, worker: Worker, skipCommand: string) {
    this.#app = app;
    this.#worker = worker;
    this.#skipCommand = skipCommand;
    this.#stopListening = runtime.listenToUncaughtErrors({
      rejection: (reason) => this.#reportRejection(reason),
      crash: () => this.#reportCrash(),
    });
  }

  /** Stops listening. */
  [Symbol.dispose](): void {
    this.#stopListening();
  }

  #reportRejection(reason: unknown): void {
    const running = this.#worker.running();
    const origin = running.length === 0
      ? "of a job that has ended, or of no job"
      : `while ${formatRunningJobs(running)}`;
    this.#app.reportError(`unhandled rejection ${origin}`, reason);
  }

  #reportCrash(): void {
    printError(this.#describeCrash());
    // The process has no time left.
    stderr.flushNow();
  }

  #describeCrash(): string {
    const running = this.#worker.running();
    if (running.length === 0) return "An error that no job caught ends the process; no job runs";
    const position = running.length === 1 ? formatPosition(running[0]!) : "topic/partition@offset";
    return `An error that no job caught ends the process while ${formatRunningJobs(running)}; ` +
      `if it returns at every start, pass over the job: ${this.#skipCommand} ${position}`;
  }
}
