/**
 * The two formats of the log: one JSON object a line for machines, with all fields of the event; for people one line with
 * the job's details behind the message, and below it where an error was thrown and what caused it.
 *
 * Values that came in with a record, or with an error, must not control a terminal: control characters, and marks that
 * change the direction of writing, are escaped in every line. Details may be any value: they are copied to plain data first, so that formatting a line never throws.
 */
import { describeError, type ErrorInfo } from "../errors.ts";
import { escapeText } from "../support/escape_text.ts";
import type { EventName } from "./events.ts";
import type { Line, LogLevel } from "./log_lines.ts";
import { formatError } from "./log_phrases.ts";
import { cutText, isError, toPlainData } from "./plain_data.ts";

/** Formats an event for people, each line with its line break. */
export function formatPretty<Event>(level: LogLevel, { message, error, details }: Line<Event>, event: Event): string {
  const time = formatTime(Date.now()).slice(11, 23);
  const shown = details === undefined ? "" : formatDetails(details(event));
  const below = error === undefined ? [] : formatOrigin(error(event));
  return [`${time} ${level.toUpperCase().padEnd(5)} ${message(event)}${shown}`, ...below]
    .map((line) => `${escapeText(line)}\n`).join("");
}

/** Formats an event for machines, with its line break. */
export function formatJson(level: LogLevel, event: EventName, message: string, data: object): string {
  const head = `{"time":"${formatTime(Date.now())}","level":"${level}","event":"${event}","message":`;
  return formatPlain(head, message, data) ?? head + quote(message) + formatFields(data, formatField);
}

/**
 * Formats an event whose strings mean themselves in JSON, as nearly all do; `null` for another one. They are tested all at
 * once, which takes half of the time (measured).
 */
function formatPlain(head: string, message: string, data: object): string | null {
  let strings = message;
  const fields = formatFields(data, (name, value) => {
    if (typeof value !== "string") return formatField(name, value);
    strings += value;
    return `"${value}"`;
  });
  return PLAIN.test(strings) ? `${head}"${message}"${fields}` : null;
}

/** Puts the fields together one by one: to copy the event into a new object, and to write that, costs twice as much. */
function formatFields(data: object, format: (name: string, value: unknown) => string | undefined): string {
  const fields = data as Readonly<Record<string, unknown>>;
  let line = "";
  for (const name in fields) {
    if (name === "level" || name === "message") continue;
    const text = format(name, fields[name]);
    if (text !== undefined) line += `,"${name}":${text}`;
  }
  return `${line}}\n`;
}

/** Formats one field of an event as JSON; `undefined` if it has no value. */
function formatField(name: string, value: unknown): string | undefined {
  if (typeof value === "string") return quote(value);
  if (value === null) return "null";
  if (Number.isFinite(value)) return String(roundNumbers(value));
  const text: string | undefined = JSON.stringify(name === "details" ? toPlainData(value) : roundNumbers(value));
  return text === undefined ? undefined : escapeText(text);
}

/** Printable ASCII that means itself in JSON: nearly every string. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** Writes a string as JSON without control characters. */
function quote(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : escapeText(JSON.stringify(text));
}

let lastMs = NaN;
let lastTime = "";

/** Formats a time as ISO 8601. Lines come many to a millisecond, and `toISOString` costs as much as a third of a line. */
function formatTime(ms: number): string {
  if (ms !== lastMs) [lastMs, lastTime] = [ms, new Date(ms).toISOString()];
  return lastTime;
}

/** Rounds the milliseconds of an event, and those of the jobs that it lists, to microseconds. */
function roundNumbers(value: unknown): unknown {
  if (typeof value === "number") return Number.isInteger(value) ? value : Math.round(value * 1000) / 1000;
  return Array.isArray(value) ? value.map(roundFields) : value;
}

function roundFields(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, roundNumbers(field)]));
}

/** Frames of a stack that are shown, at most. */
const MAX_FRAMES = 4;
/** The library's own files, as a stack names them. */
const LIBRARY = new URL("..", import.meta.url).href;
/** Frames of the runtime. */
const RUNTIME = /\b(ext|node):|<anonymous>\)?$/;
/** Frames of dependencies, from where they are installed. */
const INSTALLED = /\/node_modules\/|\/npm\/[^/]+\.[^/]+\/|\bhttps?:/;

/** Formats where an error was thrown, and what caused it. */
function formatOrigin(error: ErrorInfo): string[] {
  const lines = formatFrames(error.stack);
  for (let { cause } = error; cause !== undefined; { cause } = cause) {
    lines.push(`  caused by ${formatError(cause)}`, ...formatFrames(cause.stack));
  }
  return lines;
}

/** Formats the frames that help: the program's own first, then its dependencies'; never the library's or the runtime's. */
function formatFrames(stack: string | undefined): string[] {
  const theirs = (stack?.match(/^ +at .+$/gm) ?? []).map((frame) => frame.trim())
    .filter((frame) => !frame.includes(LIBRARY) && !RUNTIME.test(frame));
  const { own = [], installed = [] } = Object.groupBy(
    theirs,
    (frame) => INSTALLED.test(frame) ? "installed" : "own",
  );
  return [...own, ...installed].slice(0, MAX_FRAMES).map((frame) => `    ${frame}`);
}

/** Details that people are shown, at most. */
const MAX_DETAILS = 20;
/** Characters of each of them. */
const MAX_DETAIL_TEXT = 200;

/** Formats details as ` userId=7 name="a b"`; details that are not an object as ` details=7`. */
function formatDetails(details: unknown): string {
  if (details === undefined || details === null) return "";
  if (typeof details !== "object" || isError(details)) return ` details=${formatDetail(details)}`;
  const copy = toPlainData(details);
  if (typeof copy !== "object" || copy === null || Array.isArray(copy)) return ` details=${formatDetail(copy)}`;
  const names = Object.keys(copy);
  const shown = names.slice(0, MAX_DETAILS).map((name) => {
    const original = readError(details, name);
    return ` ${quoteWord(name)}=${formatDetail(original ?? copy[name as never])}`;
  });
  return shown.join("") + (names.length > MAX_DETAILS ? " …" : "");
}

/** Reads a detail that is an error: people are shown its name and message only. */
function readError(details: object, name: string): Error | undefined {
  try {
    const value: unknown = details[name as never];
    return isError(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function formatDetail(value: unknown): string {
  if (isError(value)) return quoteWord(formatError(describeError(value)));
  if (typeof value === "string") return quoteWord(value);
  return cutText(typeof value === "object" ? JSON.stringify(value) : String(value), MAX_DETAIL_TEXT);
}

/** Returns a string as it is where it is plain, else in quotes. */
function quoteWord(text: string): string {
  const cut = cutText(text, MAX_DETAIL_TEXT);
  return /^[\w./:@+-]+…?$/.test(cut) ? cut : JSON.stringify(cut);
}
