/**
 * The logger: a listener of the event stream that writes what the events say (`log_lines.ts`), pretty on a terminal and
 * as JSON elsewhere (`log_format.ts`). It hears only the events of its level and above, so that a quiet logger costs a
 * job nothing. Lines are gathered over a turn of the event loop and written at once.
 */
import { describeError } from "../errors.ts";
import type { EventName } from "./events.ts";
import { formatJson, formatPretty } from "./log_format.ts";
import { type Line, LINES, type LogLevel } from "./log_lines.ts";
import type { Monitor } from "./monitor.ts";

export type { LogLevel };

/** How the logger writes. */
export interface LoggerOptions {
  /** The least level that is written; `"silent"` for none. @default "info" */
  readonly level?: LogLevel | "silent";
  /** `"pretty"` for people, `"json"` for machines. @default "pretty" on a terminal, else "json" */
  readonly format?: "pretty" | "json";
  /** Where lines go, each with its line break. @default the process's standard error */
  readonly write?: (text: string) => void;
}

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/**
 * Writes the events of a monitor.
 *
 * @returns a function that writes the gathered lines and stops logging; with a name it stops logging that event only
 */
export function attachLogger(monitor: Monitor, options: LoggerOptions = {}): (name?: EventName) => void {
  const { level = "info", write = writeToStderr } = options;
  if (level === "silent") return () => {};
  const format = formatterOf(options.format ?? (stderr().isTTY === true ? "pretty" : "json"));
  const least = LEVELS.indexOf(level);
  const lines = new Lines(write);
  const ends = new Map<EventName, () => void>();
  for (const name of Object.keys(LINES) as EventName[]) {
    const line = LINES[name] as Line<unknown>;
    const own = line.level;
    if (typeof own === "string" && LEVELS.indexOf(own) < least) continue;
    ends.set(
      name,
      monitor.on(name, (event) => {
        const level = typeof own === "string" ? own : own(event);
        if (LEVELS.indexOf(level) < least) return;
        lines.add(format(level, name, line, event as object));
      }),
    );
  }
  return (name) => {
    if (name !== undefined) return ends.get(name)?.();
    for (const end of ends.values()) end();
    lines.flush();
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

/** More text than this is written at once, in characters. */
const MAX_GATHERED = 65_536;

/** Lines of one turn of the event loop. */
class Lines {
  readonly #write: (text: string) => void;
  #text = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  add(line: string): void {
    this.#text += line;
    if (this.#text.length > MAX_GATHERED) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), 0);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = this.#text;
    this.#text = "";
    if (text === "") return;
    try {
      this.#write(text);
    } catch {
      // A full disk, or a writer with a fault of its own: the lines are lost, the jobs go on.
    }
  }
}

/** What the logger needs of `node:process`. It takes 15 ms to load: asked for where a logger is made, not at the import. */
interface Stderr {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

function stderr(): Stderr {
  return (globalThis as unknown as { process: { stderr: Stderr } }).process.stderr;
}

function writeToStderr(text: string): void {
  stderr().write(text);
}
