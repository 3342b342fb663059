/**
 * The signals of a worker. INT, TERM and QUIT stop it, TSTP quiets it. A second signal of the same kind, a second or more
 * after the first, forces the end; one that comes sooner is a finger that slipped, or a supervisor that repeats itself.
 *
 * They are listened to from the first moment on, so that a worker that still loads, or waits for its broker, can be stopped.
 */
import { EXIT } from "./exit_codes.ts";

/** So long after the first one a second signal forces, in milliseconds. */
const FORCE_AFTER_MS = 1000;

/** What each signal's force exits with. Windows has no TERM, QUIT and TSTP. */
const STOPPING: Partial<Record<Deno.Signal, number>> = Deno.build.os === "windows"
  ? { SIGINT: EXIT.forcedInt, SIGBREAK: EXIT.forcedTerm }
  : { SIGINT: EXIT.forcedInt, SIGTERM: EXIT.forcedTerm, SIGQUIT: EXIT.forcedQuit };

/** What is done at a signal. */
export interface SignalHandlers {
  /** The first signal that stops came. */
  stop(signal: Deno.Signal): void;
  /** TSTP came. */
  quiet(): void;
  /** A second signal came: end now, with this exit code. */
  force(signal: Deno.Signal, code: number): void;
}

/** The signals of this process, until it is disposed of. */
export class Signals implements Disposable {
  readonly #stop = new AbortController();
  readonly #firstMs = new Map<Deno.Signal, number>();
  readonly #ends: (() => void)[] = [];
  #stopMs: number | undefined;

  constructor(handlers: SignalHandlers) {
    for (const [name, code] of Object.entries(STOPPING)) {
      const signal = name as Deno.Signal;
      this.#listen(signal, () => this.#stopping(signal, code, handlers));
    }
    if (Deno.build.os !== "windows") this.#listen("SIGTSTP", () => handlers.quiet());
  }

  /** Aborts at the first signal that stops. */
  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  /** How long ago it aborted, in milliseconds; 0 where it did not. */
  get sinceStopMs(): number {
    return this.#stopMs === undefined ? 0 : performance.now() - this.#stopMs;
  }

  /** Listens no longer. */
  [Symbol.dispose](): void {
    for (const end of this.#ends) end();
  }

  #listen(signal: Deno.Signal, listener: () => void): void {
    Deno.addSignalListener(signal, listener);
    this.#ends.push(() => Deno.removeSignalListener(signal, listener));
  }

  #stopping(signal: Deno.Signal, code: number, handlers: SignalHandlers): void {
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
