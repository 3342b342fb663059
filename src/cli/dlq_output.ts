/** Formats dead letters for `dlq`. Every string of a record is escaped. */
import type { DeadLetter, DeadLetterDetails } from "../dead_letters/letter.ts";
import { SAFE_ENVELOPE_FIELDS } from "../job/envelope_data.ts";
import { formatCount } from "../support/count.ts";
import { formatPosition, type Position } from "../support/position.ts";
import { alignColumns } from "./columns.ts";
import { escapeText } from "./escape.ts";

/** The longest error in a list, in characters. */
const MAX_ERROR = 240;

/** The longest name in a list, in characters: one forged letter must not make all lines long. */
const MAX_NAME = 60;

/** The longest value of a line of `show`, in characters. */
const MAX_LINE = 10_000;

/** Also the number of failures by the class of the error. */
const SAFE_FIELDS: ReadonlySet<string> = new Set([...SAFE_ENVELOPE_FIELDS, "exception_executions"]);

/** Formats one line for each letter, in columns. @param dim formats the line of a letter that was handled */
export function formatList(letters: readonly DeadLetter[], dim: (line: string) => string): string[] {
  const rows = letters.map((letter) => [
    formatPosition(letter),
    letter.deadLetteredAt?.toISOString() ?? "-",
    cut(show(letter.jobClass)),
    cut(show(letter.jobId)),
    cut(formatSource(letter.source)),
    letter.attempts === null ? "-" : `${letter.attempts}x`,
    letter.handled === null ? "new" : letter.handled.action,
  ]);
  return alignColumns(rows).map((row, index) => {
    const letter = letters[index]!;
    const line = [...row, cut(formatError(letter), MAX_ERROR)].join("  ");
    return letter.handled === null ? line : dim(line);
  });
}

/** Formats all of a letter. @param withArguments whether the envelope is shown whole */
export function formatDetails(details: DeadLetterDetails, withArguments: boolean): string[] {
  const { handled, envelope } = details;
  const rows: [string, string][] = [
    ["position", formatPosition(details)],
    ["written", details.deadLetteredAt?.toISOString() ?? "-"],
    ["class", show(details.jobClass)],
    ["job id", show(details.jobId)],
    ["source", formatSource(details.source)],
    ["group", show(details.group)],
    ["attempts", String(details.attempts ?? "-")],
    ["error", formatError(details)],
    [
      "handled",
      handled === null ? "-" : `${handled.action} by ${escapeText(handled.by)} at ${handled.at.toISOString()}`,
    ],
    ["key", show(details.key)],
    ...details.headers.map(([name, value]) => [`header ${escapeText(name)}`, show(value)] as [string, string]),
    ...Object.entries(envelope ?? {}).map(([name, value]): [string, string] => [
      `envelope ${escapeText(name)}`,
      withArguments || SAFE_FIELDS.has(name) ? escapeText(JSON.stringify(value)) : "hidden: --arguments shows it",
    ]),
  ];
  if (envelope === null) rows.push(["envelope", "cannot be read"]);
  if (envelope === null && withArguments) rows.push(["value", show(details.value)]);
  return rows.map(([name, value]) => `${cut(name, MAX_ERROR)}: ${cutLine(value)}`);
}

/** Returns the details without what may hold secrets: fields of the envelope that are the application's, and the value. */
export function withoutArguments(details: DeadLetterDetails): Omit<DeadLetterDetails, "value"> {
  const { value: _value, envelope, ...rest } = details;
  if (envelope === null) return { ...rest, envelope };
  return { ...rest, envelope: Object.fromEntries(Object.entries(envelope).filter(([name]) => SAFE_FIELDS.has(name))) };
}

function formatError({ errorClass, errorMessage }: DeadLetter): string {
  return `${show(errorClass)}: ${escapeText(errorMessage ?? "")}`;
}

/** Cuts a value of a megabyte, which would fill a terminal, and says where all of it is. */
function cutLine(text: string): string {
  return text.length <= MAX_LINE ? text : `${cut(text, MAX_LINE)} (${formatCount(text.length)} characters: see --json)`;
}

/** Cuts a string that is escaped. */
function cut(text: string, maxLength: number = MAX_NAME): string {
  if (text.length <= maxLength) return text;
  const characters = [...text];
  return characters.length <= maxLength ? text : `${characters.slice(0, maxLength).join("")}…`;
}

function formatSource(source: Position | null): string {
  return source === null ? "-" : formatPosition(source);
}

function show(text: string | null): string {
  return text === null ? "-" : escapeText(text);
}
