/**
 * How the logger writes: for machines one JSON object a line, with all that the event carries; for people a line with the
 * job's own details behind it, and below it where an error was thrown and what caused it.
 *
 * What came in with a record, or was thrown, must not draw on a terminal: control characters are escaped in all of it.
 */
import { describeError, type ErrorInfo } from "../errors.ts";
import type { EventName } from "./events.ts";
import { type Line, type LogLevel, said } from "./log_lines.ts";

/** An event for people, each line with its line break. */
export function prettyLines<Event>(level: LogLevel, { text, error, details }: Line<Event>, event: Event): string {
  const time = new Date().toISOString().slice(11, 23);
  const shown = details === undefined ? "" : pairs(details(event));
  const below = error === undefined ? [] : origin(error(event));
  return [`${time} ${level.toUpperCase().padEnd(5)} ${text(event)}${shown}`, ...below]
    .map((line) => `${printable(line)}\n`).join("");
}

/** An event for machines, with its line break. */
export function jsonLine(level: LogLevel, event: EventName, message: string, data: unknown): string {
  const { level: _, message: __, ...rest } = data as Record<string, unknown>;
  return `${printable(json({ time: new Date().toISOString(), level, event, message, ...rest }))}\n`;
}

/** So many frames of a stack are shown. */
const MAX_FRAMES = 4;
/** The library's own files, as a stack names them. */
const LIBRARY = new URL("..", import.meta.url).href;
/** The runtime's. */
const RUNTIME = /\b(ext|node):|<anonymous>\)?$/;
/** What others wrote, from where it is installed. */
const INSTALLED = /\/node_modules\/|\/npm\/[^/]+\.[^/]+\/|\bhttps?:/;

/** Where an error was thrown, and what caused it. */
function origin(error: ErrorInfo): string[] {
  const lines = frames(error.stack);
  for (let { cause } = error; cause !== undefined; { cause } = cause) {
    lines.push(`  caused by ${said(cause)}`, ...frames(cause.stack));
  }
  return lines;
}

/** The frames that help: the program's own first, then those of its dependencies; the library's and the runtime's never. */
function frames(stack: string | undefined): string[] {
  const theirs = (stack?.match(/^ +at .+$/gm) ?? []).map((frame) => frame.trim())
    .filter((frame) => !frame.includes(LIBRARY) && !RUNTIME.test(frame));
  const { own = [], installed = [] } = Object.groupBy(
    theirs,
    (frame) => INSTALLED.test(frame) ? "installed" : "own",
  );
  return [...own, ...installed].slice(0, MAX_FRAMES).map((frame) => `    ${frame}`);
}

/** So many details are shown, and so many characters of each. */
const MAX_DETAILS = 20;
const MAX_DETAIL_TEXT = 200;

/** ` userId=7 name="a b"`. */
function pairs(details: unknown): string {
  if (typeof details !== "object" || details === null) return "";
  // By name, since reading a value may throw.
  const names = Object.keys(details);
  const shown = names.slice(0, MAX_DETAILS).map((name) => ` ${word(name)}=${valueText(details, name)}`);
  return shown.join("") + (names.length > MAX_DETAILS ? " …" : "");
}

function valueText(details: object, name: string): string {
  try {
    const value: unknown = details[name as never];
    if (typeof value === "string") return word(value);
    if (value instanceof Error) return word(said(describeError(value)));
    return cut(typeof value === "object" && value !== null ? JSON.stringify(writable(value)) : String(value));
  } catch {
    return UNREADABLE;
  }
}

/** A text as it is where it is plain, else in quotes. */
function word(text: string): string {
  return /^[\w./:@+-]+$/.test(text) ? cut(text) : JSON.stringify(cut(text));
}

function cut(text: string): string {
  return text.length > MAX_DETAIL_TEXT ? `${text.slice(0, MAX_DETAIL_TEXT)}…` : text;
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

const UNREADABLE = "(cannot be written as JSON)";

/** A detail with its bigints as text; what cannot be written all the same (a circle, a getter that throws) as a note. */
function writable(value: unknown): unknown {
  try {
    const text = JSON.stringify(value, (_key, inner) => typeof inner === "bigint" ? String(inner) : inner);
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return UNREADABLE;
  }
}

// deno-lint-ignore no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/** Control characters as `\\u001b`. */
function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
