/**
 * One run of a job: the record that it came in, its `signal` and its `logger`. A worker's attempt is one, and aborts it;
 * a job that is performed without a worker gets one of these as they are. Signal and logger are made when they are first
 * asked for: most jobs ask for neither, and an `AbortController` costs more than a small job.
 */
import type { Monitor } from "../monitor/monitor.ts";
import type { Position } from "../support/position.ts";

/** Where a job keeps its run; a registered symbol, since the job may come from another copy of this library. */
export const RUN: unique symbol = Symbol.for("@activejob/kafka.run") as never;

/** Writes lines that name the job. Details are plain data. */
export interface JobLogger {
  /** For the developer. */
  debug(message: string, details?: Readonly<Record<string, unknown>>): void;
  /** What happened. */
  info(message: string, details?: Readonly<Record<string, unknown>>): void;
  /** What somebody should look at. */
  warn(message: string, details?: Readonly<Record<string, unknown>>): void;
  /** What went wrong. */
  error(message: string, details?: Readonly<Record<string, unknown>>): void;
}

/** One run of a job. */
export class JobRun {
  #controller: AbortController | undefined = undefined;
  #abortReason: Error | undefined = undefined;

  /** The record that it came in; `null` outside of a worker. */
  get record(): Position | null {
    return null;
  }

  /** Where its logger's lines go; `null`: to the console. */
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

  /** Why it was aborted, if it was. */
  get abortReason(): Error | undefined {
    return this.#abortReason;
  }

  /** Asks the job to end. The first reason stays. */
  abort(reason: Error): void {
    if (this.#abortReason !== undefined) return;
    this.#abortReason = reason;
    this.#controller?.abort(reason);
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
