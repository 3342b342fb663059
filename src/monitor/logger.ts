/**
 * The logger: a listener of the event stream that writes a line for each event (`log_lines.ts`), pretty on a terminal
 * and as JSON elsewhere (`log_format.ts`). It listens only to events of its level and above, so that a quiet logger
 * costs a job nothing.
 *
 * No line is lost in the normal case: what is gathered is also written when the process crashes or calls `Deno.exit`. A
 * standard error that is not read does not stop the process: lines are dropped, counted and reported.
 */
import { describeError } from "../errors.ts";
import { stderr } from "../support/stderr.ts";
import type { EventName } from "./events.ts";
import { formatJson, formatPretty } from "./log_format.ts";
import { type Line, LINES, type LogLevel } from "./log_lines.ts";
import type { Monitor } from "./monitor.ts";

export type { LogLevel };

/** Options of the logger. */
export interface LoggerOptions {
  /** The least level that is written; `"silent"` for none. @default "info" */
  readonly level?: LogLevel | "silent";
  /** `"pretty"` for people, `"json"` for machines. @default "pretty" on a terminal, else "json" */
  readonly format?: "pretty" | "json";
  /**
   * Writes lines, each with its line break. If it throws or rejects, the lines are lost and the jobs go on.
   *
   * @default to standard error, without blocking the process
   */
  readonly write?: (text: string) => void;
}

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** The wait for lines that are not written yet when a logger is detached, in milliseconds. */
const FLUSH_MS = 1000;

/** A logger that is attached to a monitor. */
export interface Logger {
  /** Logs no event of this name any more. */
  mute(name: EventName): void;
  /** Logs nothing any more. @returns resolves once all lines are written, or after a second */
  close(): Promise<void>;
}

/** Writes the events of a monitor. */
export function attachLogger(monitor: Monitor, options: LoggerOptions = {}): Logger {
  const { level = "info", write } = options;
  const format = formatterOf(options.format ?? (stderr.isTerminal ? "pretty" : "json"));
  const least = level === "silent" ? Infinity : LEVELS.indexOf(level);
  const destination = write === undefined ? (text: string) => stderr.write(text) : (text: string) => {
    // It may be an async function. Its rejection, unhandled, would end the process; reported, it would be logged again.
    const returned: unknown = write(text);
    if (returned instanceof Promise) returned.catch(() => {});
    return true;
  };
  const lines = new LineWriter(destination, (message) => {
    monitor.emit("error.occurred", { where: "log", error: { errorClass: "Error", message } });
  });
  const ends = new Map<EventName, () => void>();
  for (const name of Object.keys(LINES) as EventName[]) {
    const line = LINES[name] as Line<unknown>;
    const own = line.level;
    if (least > LEVELS.indexOf(typeof own === "string" ? own : "error")) continue;
    const end = monitor.on(name, (event) => {
      const level = typeof own === "string" ? own : own(event);
      if (LEVELS.indexOf(level) < least) return;
      lines.add(format(level, name, line, event as object));
    });
    ends.set(name, end);
  }
  const endOfProcess = onProcessEnd(() => {
    lines.flush();
    stderr.flushNow();
  });
  return {
    mute: (name) => ends.get(name)?.(),
    async close() {
      for (const end of ends.values()) end();
      endOfProcess();
      lines.flush();
      await stderr.flush(FLUSH_MS);
    },
  };
}

type Formatter = (level: LogLevel, name: EventName, line: Line<unknown>, event: object) => string;

/** Returns the formatter of a format. An event that it cannot format has a line that says so. */
function formatterOf(format: "pretty" | "json"): Formatter {
  const formatter: Formatter = format === "pretty"
    ? (level, _name, line, event) => formatPretty(level, line, event)
    : (level, name, line, event) => formatJson(level, name, line.message(event), event);
  return (level, name, line, event) => {
    try {
      return formatter(level, name, line, event);
    } catch (error) {
      const message = `An event of ${name} cannot be written: ${describeError(error).message}`;
      return formatter(level, name, { level, message: () => message }, {});
    }
  };
}

/** The error that is reported when lines were dropped. */
const DROPPED = "were dropped: standard error is not read, or not fast enough";

/**
 * Gathers the lines of one turn of the event loop, and writes them at once. When the destination has no more space,
 * lines are dropped; the first one, and their number once there is space again, is an `error.occurred`.
 */
class LineWriter {
  readonly #destination: (text: string) => boolean;
  readonly #reportDropped: (message: string) => void;
  #text = "";
  #count = 0;
  #dropped = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(destination: (text: string) => boolean, reportDropped: (message: string) => void) {
    this.#destination = destination;
    this.#reportDropped = reportDropped;
  }

  add(line: string): void {
    this.#text += line;
    this.#count++;
    if (this.#text.length > MAX_GATHERED) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), 0);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const [text, count, dropped] = [this.#text, this.#count, this.#dropped];
    [this.#text, this.#count] = ["", 0];
    if (text === "") return;
    if (!this.#write(text)) {
      this.#dropped += count;
      if (dropped === 0) this.#reportDropped(`Log lines ${DROPPED}`);
    } else if (dropped > 0) {
      this.#dropped = 0;
      this.#reportDropped(`${dropped} log lines ${DROPPED}`);
    }
  }

  #write(text: string): boolean {
    try {
      return this.#destination(text);
    } catch {
      // A destination of the user's own that fails: the lines are lost, the jobs go on.
      return true;
    }
  }
}

/** More text than this is written before the end of the turn, in characters. */
const MAX_GATHERED = 65_536;

/** The events of the end of the process, where it is not the end of the event loop. `unload` is not dispatched at a crash. */
const ENDS = ["unload", "error", "unhandledrejection"];

/**
 * Calls a function at the end of the process. It may be called without an end as well: at an error or a rejection that is
 * handled by a later listener.
 *
 * @param fn a synchronous function
 * @returns a function that removes it
 */
function onProcessEnd(fn: () => void): () => void {
  const listener = () => fn();
  for (const event of ENDS) globalThis.addEventListener?.(event, listener);
  return () => {
    for (const event of ENDS) globalThis.removeEventListener?.(event, listener);
  };
}
