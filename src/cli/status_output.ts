/** Formats the status of an App for people: the verdict, a table, and the reasons. Every string of the broker is escaped. */
import { listWrong } from "../status/topic_state.ts";
import type { AppStatus, DeadLetterCounts, TopicStatus } from "../status/status.ts";
import { formatAge } from "../support/age.ts";
import { countOf, formatCount } from "../support/count.ts";
import { alignColumns } from "./columns.ts";
import { escapeText } from "./escape.ts";
import type { TerminalSize } from "./runtime.ts";

const UNKNOWN = "?";
const NONE = "-";

/** A column: its heading, the side on which it is aligned, and its cell. */
interface Column {
  readonly heading: string;
  readonly isNumber: boolean;
  readonly format: (topic: TopicStatus, status: AppStatus) => string;
}

const COLUMNS: readonly Column[] = [
  { heading: "TOPIC", isNumber: false, format: ({ topic }) => escapeText(topic) },
  { heading: "STATE", isNumber: false, format: ({ state }) => state },
  { heading: "LAG", isNumber: true, format: ({ lag }) => formatKnown(lag) },
  {
    heading: "OLDEST",
    isNumber: true,
    format: ({ oldestWaitingMs: ms, lag }) => ms === null ? (lag === 0 ? NONE : UNKNOWN) : formatAge(ms),
  },
  { heading: "PARTITIONS", isNumber: true, format: ({ partitions }) => formatKnown(partitions.length || null) },
  { heading: "WORKERS", isNumber: true, format: ({ workers }) => formatKnown(workers) },
  { heading: "RUNNING", isNumber: true, format: ({ running }) => formatKnown(running) },
  {
    heading: "DELAYED",
    isNumber: true,
    format: ({ delayed }, { isDelayedComplete }) => isDelayedComplete ? formatKnown(delayed) : formatMinimum(delayed),
  },
  { heading: "DEAD LETTERS", isNumber: true, format: ({ deadLetters }) => formatDeadLetters(deadLetters) },
];

/** Formats a status, one string for each line. */
export function formatStatus(status: AppStatus): string[] {
  const { topics, notes } = status;
  return [
    formatVerdict(status, listWrong(status).length),
    "",
    ...formatTable(status),
    ...section(topics.filter(({ state }) => state !== "ok").map(formatReason)),
    ...section(notes.map((note) => `note: ${escapeText(note)}`)),
  ];
}

/**
 * Formats the lines of a status so that they replace those of the one before on a terminal.
 *
 * @param size of the terminal: more lines would move the first ones, which are the worst, out of sight
 */
export function redraw(lines: readonly string[], { rows, columns }: TerminalSize): string {
  // A terminal of an unknown size has 0 rows and columns.
  const space = rows > 1 ? rows - 1 : Infinity;
  const heights = lines.map((line) => columns === 0 ? 1 : Math.max(1, Math.ceil(line.length / columns)));
  const isFitting = (count: number, more: number) =>
    heights.slice(0, count).reduce((sum, height) => sum + height, more) <= space;
  let count = lines.length;
  while (count > 0 && !isFitting(count, count < lines.length ? 1 : 0)) count--;
  const left = lines.length - count;
  const shown = left === 0 ? lines : [...lines.slice(0, count), `… and ${formatCount(left)} more lines`];
  return `\x1b[H${shown.map((line) => `${line}\x1b[K\n`).join("")}\x1b[J`;
}

function formatVerdict({ name, broker, topics }: AppStatus, wrong: number): string {
  const where = `${escapeText(name)} (${escapeText(broker)})`;
  const all = countOf(topics.length, "topic");
  if (wrong === 0) return `${where}: nothing is wrong with ${all}`;
  return `${where}: ${formatCount(wrong)} of ${all} ${wrong === 1 ? "needs" : "need"} attention`;
}

function formatTable(status: AppStatus): string[] {
  const rows = [
    COLUMNS.map(({ heading }) => heading),
    ...status.topics.map((topic) => COLUMNS.map(({ format }) => format(topic, status))),
  ];
  return alignColumns(rows, (column) => COLUMNS[column]!.isNumber).map((row) => row.join("  ").trimEnd());
}

function formatReason({ topic, state, reason }: TopicStatus): string {
  return `${escapeText(topic)} ${state === "no worker" ? "has" : "is"} ${state}: ${escapeText(reason)}`;
}

function section(lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", ...lines];
}

function formatDeadLetters(counts: DeadLetterCounts | null): string {
  if (counts === null) return NONE;
  const { total, unhandled } = counts;
  return total === 0 ? "0" : `${formatKnown(total)} (${formatKnown(unhandled)} new)`;
}

function formatMinimum(count: number): string {
  return count === 0 ? UNKNOWN : `>=${formatCount(count)}`;
}

function formatKnown(count: number | null): string {
  return count === null ? UNKNOWN : formatCount(count);
}
