/**
 * The signals of a worker. INT, TERM and QUIT stop it, TSTP quiets it. A second signal of the same kind, a second or more
 * after the first, forces the end; a sooner one is a key pressed twice, or a supervisor that repeats itself.
 *
 * The process listens from its start, so that a worker which still loads, or waits for its broker, can be stopped.
 */
import { EXIT } from "./exit_codes.ts";
import { runtime, type Signal } from "./runtime.ts";

/** A second signal forces the end from this time after the first, in milliseconds. */
const FORCE_AFTER_MS = 1000;

/** The signals that a worker handles on one operating system. */
export interface HandledSignals {
  /** The signals that stop, and the exit code after a second one. */
  readonly stop: readonly (readonly [signal: Signal, forcedCode: number])[];
  /** The signal that quiets; `null` if there is none. */
  readonly quiet: Signal | null;
}

/**
 * Selects the signals of an operating system. Windows lacks TERM, QUIT and TSTP: listening to them throws there.
 */
export function selectSignals(isWindows: boolean): HandledSignals {
  return isWindows ? { stop: [["SIGINT", EXIT.forcedInt], ["SIGBREAK", EXIT.forcedTerm]], quiet: null } : {
    stop: [["SIGINT", EXIT.forcedInt], ["SIGTERM", EXIT.forcedTerm], ["SIGQUIT", EXIT.forcedQuit]],
    quiet: "SIGTSTP",
  };
}

/** Called at signals. */
export interface SignalHandlers {
  /** Called at the first signal that stops. */
  stop(signal: Signal): void;
  /** Called at TSTP. */
  quiet(): void;
  /** Called at a second signal: the process must end now, with this exit code. */
  force(signal: Signal, code: number): void;
}

/**
 * Listens to the signals of this process until it is disposed of. After a signal that stops it listens until the process
 * ends: a supervisor that repeats itself at the last moment would otherwise replace the exit code by its signal's. Listeners
 * do not keep the process alive.
 */
export class WorkerSignals implements Disposable {
  readonly #stop = new AbortController();
  readonly #firstMs = new Map<Signal, number>();
  readonly #removals: (() => void)[] = [];
  #stopMs: number | undefined;

  constructor(handlers: SignalHandlers, { stop, quiet }: HandledSignals = selectSignals(runtime.isWindows)) {
    for (const [signal, code] of stop) this.#listen(signal, () => this.#handleStop(signal, code, handlers));
    if (quiet !== null) this.#listen(quiet, () => handlers.quiet());
  }

  /** Aborts at the first signal that stops. */
  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  /** The time since it aborted, in milliseconds; 0 before. */
  get sinceStopMs(): number {
    return this.#stopMs === undefined ? 0 : performance.now() - this.#stopMs;
  }

  /** Stops listening, unless a signal has stopped the process. */
  [Symbol.dispose](): void {
    if (this.#stopMs !== undefined) return;
    for (const remove of this.#removals) remove();
  }

  #listen(signal: Signal, listener: () => void): void {
    runtime.addSignalListener(signal, listener);
    this.#removals.push(() => runtime.removeSignalListener(signal, listener));
  }

  #handleStop(signal: Signal, code: number, handlers: SignalHandlers): void {
    const nowMs = performance.now();
    const firstMs = this.#firstMs.get(signal) ?? nowMs;
    this.#firstMs.set(signal, firstMs);
    if (nowMs - firstMs >= FORCE_AFTER_MS) handlers.force(signal, code);
    if (this.#stopMs !== undefined) return;
    this.#stopMs = nowMs;
    handlers.stop(signal);
    this.#stop.abort();
  }
}
