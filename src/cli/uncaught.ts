/**
 * What no job catches. A promise that is rejected with nobody to hear it is reported with the jobs that run, and the
 * worker goes on. An error that is thrown in a timer ends the process, as it should: what else it broke nobody knows. But
 * its last words name the jobs that it takes along, since the next start begins with them.
 */
import type { App } from "../app/app.ts";
import type { Worker } from "../worker/worker.ts";
import { printError } from "./print_error.ts";
import { stillRunning } from "./running_jobs.ts";
import { formatPosition } from "../support/position.ts";

/** Hears of what nobody caught, until it is disposed of. */
export class Uncaught implements Disposable {
  readonly #app: App;
  readonly #worker: Worker;
  readonly #skipCommand: string;
  readonly #listening = new AbortController();

  /** @param skipCommand what stands before the, of a record that is to be passed over */
  constructor(app: App, worker: Worker, skipCommand: string) {
    this.#app = app;
    this.#worker = worker;
    this.#skipCommand = skipCommand;
    const { signal } = this.#listening;
    globalThis.addEventListener("unhandledrejection", (event) => this.#rejected(event), { signal });
    globalThis.addEventListener("error", (event) => this.#crashes(event), { signal });
  }

  /** Listens no longer. */
  [Symbol.dispose](): void {
    this.#listening.abort();
  }

  #rejected(event: PromiseRejectionEvent): void {
    event.preventDefault();
    const running = this.#worker.running();
    const whose = running.length === 0 ? "of a job that has ended, or of no job" : `while ${stillRunning(running)}`;
    this.#app.reportError(`unhandled rejection ${whose}`, event.reason);
  }

  /** Not prevented: the process prints the error and ends with 1. */
  #crashes({ defaultPrevented }: ErrorEvent): void {
    if (defaultPrevented) return;
    const running = this.#worker.running();
    if (running.length === 0) return printError("An error that no job caught ends the process; no job runs");
    const which = running.length === 1 ? formatPosition(running[0]!) : "topic/partition@offset";
    printError(
      `An error that no job caught ends the process while ${stillRunning(running)}; ` +
        `if it comes again at every start, pass the job over: ${this.#skipCommand} ${which}`,
    );
  }
}
