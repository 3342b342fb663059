/**
 * The logger: a listener of the event stream that writes one line an event, pretty on a terminal and JSON elsewhere. It
 * hears only the events of its level and above, so that a quiet logger costs a job nothing.
 *
 * Lines carry what an event says and nothing else: never a job's arguments, and never a control character that came in
 * with a record. They are gathered over a turn of the event loop and written at once.
 */
import type { EventMap, EventName } from "./events.ts";
import type { Monitor } from "./monitor.ts";

/** How much a line matters. */
export type LogLevel = "debug" | "info" | "warn" | "error";

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

/** How an event is written: at which level, and in which words. */
interface Line<Event> {
  readonly level: LogLevel | ((event: Event) => LogLevel);
  readonly text: (event: Event) => string;
}

const LINES: { readonly [Name in EventName]: Line<EventMap[Name]> } = {
  "job.enqueued": { level: "debug", text: (e) => `Enqueued ${e.jobClass} to ${at(e, e.queue)}` },
  "job.enqueue_failed": { level: "error", text: (e) => e.error.message },
  "job.performing": { level: "debug", text: (e) => `Performing ${e.jobClass} from ${at(e)}` },
  "job.performed": { level: "info", text: (e) => `Performed ${e.jobClass} from ${at(e)} in ${ms(e.durationMs)}` },
  "job.failed": {
    level: "warn",
    text: (e) =>
      `${e.jobClass} from ${at(e)} failed at attempt ${e.attempt} (${e.error.errorClass}: ${e.error.message}), ${
        e.next === "retry" ? `next try in ${ms(e.waitMs)}` : "no try is left"
      }`,
  },
  "job.orphaned": {
    level: "error",
    text: (e) => `${e.jobClass} from ${at(e)} still runs after ${ms(e.runningMs)} (${e.reason})`,
  },
  "job.revoked": {
    level: "warn",
    text: (e) => `${e.jobClass} from ${at(e)} ${e.outcome} after its partition was lost: not marked`,
  },
  "job.log": { level: (e) => e.level, text: (e) => `${e.jobClass} from ${at(e)}: ${e.message}` },
  "record.skipped": { level: "debug", text: (e) => `Skipped ${at(e)} (${e.reason})` },
  "record.dead_lettered": {
    level: "error",
    text: (e) =>
      `Dead-lettered ${e.jobClass ?? "a record"} from ${at(e)} to ${
        at(e.to)
      } after ${e.attempts} attempts (${e.error.errorClass}: ${e.error.message})`,
  },
  "records.gone": {
    level: "error",
    text: (e) =>
      `Records ${e.from} to ${e.to - 1} of ${e.topic}/${e.partition} were deleted before they were performed`,
  },
  "log.restarted": {
    level: "warn",
    text: (e) => `${e.topic}/${e.partition} was made anew: it is read from its start`,
  },
  "partition.assigned": {
    level: "info",
    text: (e) => `Assigned ${e.topic}/${e.partition}${e.offset === null ? "" : ` at ${e.offset}`}`,
  },
  "partition.lost": { level: "info", text: (e) => `Lost ${e.topic}/${e.partition} (${e.reason})` },
  "partition.paused": {
    level: (e) => e.lasting ? "error" : "debug",
    text: (e) =>
      e.lasting
        ? `${e.topic}/${e.partition} stands still at offset ${e.offset} (${e.error.errorClass}: ${e.error.message}), next try in ${
          ms(e.waitMs)
        }${e.remedy === null ? "" : `; to pass it over: ${e.remedy}`}`
        : `${e.topic}/${e.partition} waits ${ms(e.waitMs)} at offset ${e.offset}`,
  },
  "offset.committed": { level: "debug", text: (e) => `Committed ${e.topic}/${e.partition} at ${e.offset}` },
  "membership.changed": {
    level: "debug",
    text: (e) => e.held ? "The session is good" : "The session may have expired: no job starts",
  },
  "worker.started": {
    level: "info",
    text: (e) => `Worker of group ${e.group} started: ${e.topics.join(", ")} with ${e.concurrency} jobs at once`,
  },
  "worker.quieted": { level: "info", text: (e) => `Worker of group ${e.group} takes no new job` },
  "worker.stopping": { level: "info", text: (e) => `Worker of group ${e.group} stops: ${e.running} jobs still run` },
  "worker.stopped": {
    level: "info",
    text: (e) =>
      `Worker of group ${e.group} stopped${
        e.unfinished.length === 0
          ? ""
          : `; not ended: ${e.unfinished.map((job) => `${job.jobClass} from ${at(job)}`).join(", ")}`
      }`,
  },
  "broker.log": { level: (e) => e.level, text: (e) => `Broker: ${e.message}` },
  "error.occurred": {
    // A job that could not be enqueued has had its line.
    level: (e) => e.where === "enqueue" && e.error.errorClass === "EnqueueError" ? "debug" : "error",
    text: (e) => `Error in ${e.where}: ${e.error.errorClass}: ${e.error.message}`,
  },
};

/**
 * Writes the events of a monitor.
 *
 * @returns a function that ends that, having written what was gathered
 */
export function attachLogger(monitor: Monitor, options: LoggerOptions = {}): () => void {
  const { level = "info", write = writeToStderr } = options;
  if (level === "silent") return () => {};
  const pretty = (options.format ?? (stderr().isTTY === true ? "pretty" : "json")) === "pretty";
  const least = LEVELS.indexOf(level);
  const lines = new Lines(write);
  const ends: (() => void)[] = [];
  for (const name of Object.keys(LINES) as EventName[]) {
    const { level: own, text } = LINES[name] as Line<unknown>;
    if (typeof own === "string" && LEVELS.indexOf(own) < least) continue;
    ends.push(monitor.on(name, (event) => {
      const level = typeof own === "string" ? own : own(event);
      if (LEVELS.indexOf(level) < least) return;
      lines.add(pretty ? prettyLine(level, text(event)) : jsonLine(level, name, text(event), event));
    }));
  }
  return () => {
    for (const end of ends) end();
    lines.flush();
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

function prettyLine(level: LogLevel, text: string): string {
  return `${new Date().toISOString().slice(11, 23)} ${level.toUpperCase().padEnd(5)} ${printable(text)}\n`;
}

function jsonLine(level: LogLevel, event: EventName, message: string, data: unknown): string {
  const { level: _, message: __, ...rest } = data as Record<string, unknown>;
  return `${printable(json({ time: new Date().toISOString(), level, event, message, ...rest }))}\n`;
}

/** No line is lost for what a job gives as its details. */
function json(line: Record<string, unknown>): string {
  try {
    return JSON.stringify(line);
  } catch {
    const details = Object.entries(line.details ?? {}).map(([name, value]) => [name, writable(value)]);
    return JSON.stringify({ ...line, details: Object.fromEntries(details) });
  }
}

/** A detail with its bigints as text; what cannot be written all the same (a circle, a getter that throws) as a note. */
function writable(value: unknown): unknown {
  try {
    const text = JSON.stringify(value, (_key, inner) => typeof inner === "bigint" ? String(inner) : inner);
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return "(cannot be written as JSON)";
  }
}

// What a record says must not draw on a terminal: line breaks, escape sequences.
// deno-lint-ignore no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/** Control characters as `\\u001b`. */
function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function at(event: { topic?: string; partition: number; offset: number }, topic?: string): string {
  return `${topic ?? event.topic}/${event.partition}@${event.offset}`;
}

function ms(value: number): string {
  return `${Math.round(value * 10) / 10} ms`;
}
