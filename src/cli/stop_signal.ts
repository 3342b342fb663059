/** The end of a command that may take long: the first Ctrl-C or TERM asks it to stop, the second one ends the process. */
import { EXIT } from "./exit_codes.ts";
import { runtime, type Signal } from "./runtime.ts";

/** Aborts at Ctrl-C or TERM; a second one ends the process at once. */
export class StopSignal implements Disposable {
  readonly #controller = new AbortController();
  readonly #signals: readonly Signal[] = runtime.isWindows ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  readonly #listener = (): void => {
    if (this.signal.aborted) runtime.exit(EXIT.forcedInt);
    this.#controller.abort();
  };

  constructor() {
    for (const signal of this.#signals) runtime.addSignalListener(signal, this.#listener);
  }

  /** Aborts at the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Listens no longer. */
  [Symbol.dispose](): void {
    for (const signal of this.#signals) runtime.removeSignalListener(signal, this.#listener);
  }
}
