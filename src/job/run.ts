/**
 * One run of a job: its record, its `signal` and its `logger`. A worker's attempt is a run that the worker can abort; a job
 * that is performed without a worker has a plain run. Signal and logger are made at first use: most jobs use neither, and an
 * `AbortController` costs more than a small job.
 */
import type { Interrupt } from "../errors.ts";
import type { Monitor } from "../monitor/monitor.ts";
import type { Position } from "../support/position.ts";

/** The key of a job's run: a registered symbol, since the job may come from another copy of this library. */
export const RUN: unique symbol = Symbol.for("@activejob/kafka.run") as never;

/** Writes log lines that name the job. Details may be any values: they are written as plain data. */
export interface JobLogger {
  /** Writes a line for developers. */
  debug(message: string, details?: Readonly<Record<string, unknown>>): void;
  /** Writes a line about a normal event. */
  info(message: string, details?: Readonly<Record<string, unknown>>): void;
  /** Writes a line about a possible problem. */
  warn(message: string, details?: Readonly<Record<string, unknown>>): void;
  /** Writes a line about an error. */
  error(message: string, details?: Readonly<Record<string, unknown>>): void;
}

/** A place of a job in steps at which it can be interrupted. */
export interface Checkpoint {
  /** The step that runs, or the one that was completed last. */
  readonly step: string;
  /** The cursor of the step that runs. */
  readonly cursor: unknown;
  readonly isCompleted: boolean;
}

/** A job in steps that goes on. */
export interface Resumption {
  /** The number of runs that went on, this one included. */
  readonly resumptions: number;
  /** The steps that are not run again. */
  readonly completed: readonly string[];
  /** The step that goes on; `null` if the next one begins. */
  readonly step: string | null;
}

/** The steps of a run, as its end depends on them. */
export interface RunSteps {
  /** The interrupt that was thrown through the job, also if its own `catch` has swallowed it. */
  readonly interrupt: Interrupt | undefined;
  /** Whether this run has completed a step, or moved a cursor. */
  readonly hasAdvanced: boolean;
}

/** One run of a job. */
export class JobRun {
  /** The steps of this run, from its first `step` on. */
  steps: RunSteps | undefined = undefined;
  #controller: AbortController | undefined = undefined;
  #abortReason: Error | undefined = undefined;
  #pending: Promise<unknown>[] | undefined = undefined;

  /** The position of its record; `null` outside of a worker. */
  get record(): Position | null {
    return null;
  }

  /** The event stream for the lines of its logger; `null` for the console. */
  protected get monitor(): Monitor | null {
    return null;
  }

  /** Aborts with the reason that {@linkcode JobRun.abort} gives. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  /** The reason of the abort, if it was aborted. */
  get abortReason(): Error | undefined {
    return this.#abortReason;
  }

  /** Aborts the signal. The first reason stays. */
  abort(reason: Error): void {
    if (this.#abortReason !== undefined) return;
    this.#abortReason = reason;
    this.#controller?.abort(reason);
  }

  /** Whether the job can be interrupted: whether it goes on later. */
  get canInterrupt(): boolean {
    return false;
  }

  /** Returns the reason to interrupt the job at a checkpoint; `null` to go on. */
  interruptReason(_checkpoint: Checkpoint): string | null {
    return null;
  }

  /** Reports that the job goes on where an earlier run was interrupted. */
  reportResumed(_resumption: Resumption): void {}

  /** Lets the run wait for a promise before it ends: the job may not have awaited it. */
  waitFor(promise: Promise<unknown>): void {
    (this.#pending ??= []).push(promise);
    // It is awaited if the job passes; a job that throws has its own error.
    promise.catch(() => {});
  }

  /** Resolves once everything that the run waits for has succeeded; `undefined` if it waits for nothing. */
  settled(): Promise<unknown> | undefined {
    return this.#pending && Promise.all(this.#pending);
  }

  /** Returns a logger whose lines are events; outside of a worker (`performNow`) they go to the console. */
  loggerOf(jobClass: string, jobId: string): JobLogger {
    const write = (level: "debug" | "info" | "warn" | "error") =>
    (
      message: string,
      details: Readonly<Record<string, unknown>> = {},
    ) => {
      if (this.monitor === null) writeToConsole(level, `${jobClass} ${jobId}`, message, details);
      else this.monitor.emit("job.log", { ...this.record!, jobClass, jobId, level, message, details });
    };
    return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
  }
}

/** The message is an argument of a format, not the format: it may have a `%`. Showing details may call code that throws. */
function writeToConsole(level: "debug" | "info" | "warn" | "error", job: string, message: unknown, details: unknown) {
  try {
    console[level]("%s: %s", job, message, details);
  } catch {
    console[level]("%s: %s", job, typeof message === "string" ? message : typeof message, "(details cannot be shown)");
  }
}
