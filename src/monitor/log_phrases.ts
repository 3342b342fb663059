/**
 * The words for the parts of an event in a line of the log: a job, an error, a partition, a duration. Text that any client may
 * have written is cut.
 */
import { describeError, type ErrorInfo } from "../errors.ts";
import { formatPartition, formatPosition } from "../support/position.ts";
import type { EventMap, UnknownClassWait } from "./events.ts";
import { cutText, isError, MAX_TEXT, toPlainData } from "./plain_data.ts";

/** Formats an error as `TypeError: no such page`. */
export function formatError({ errorClass, message }: ErrorInfo): string {
  if (errorClass === "undefined") return "undefined was thrown";
  return message === "" ? errorClass : `${errorClass}: ${message}`;
}

/** Formats a time in ISO 8601. */
export function formatTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

/** Formats the reason why delayed jobs are not released, and the remedy. */
export function formatBlock({ reason, error }: EventMap["schedule.blocked"]): string {
  const cause = error === null ? "" : ` (${formatError(error)})`;
  switch (reason) {
    case "undeclared":
      return "the App does not declare it: deploy a worker that does, or cancel them";
    case "missing":
      return `it does not exist${cause}: create it with topics apply`;
    case "refused":
      return `it refuses a job${cause}, and has no dead letter topic`;
    case "unavailable":
      return `it does not acknowledge them${cause}: they are tried again`;
  }
}

/** Formats a topic as `topic orders`, or one of its partitions as `orders/3`. */
export function formatPlace({ topic, partition }: { topic: string; partition: number | null }): string {
  return partition === null ? `topic ${topic}` : formatPartition({ topic, partition });
}

/** Names the operator who gave an order, and the reason: text that any client may have written. */
export function formatOperator({ by, why }: { by: string | null; why: string | null }): string {
  const parts = [by === null ? [] : `by ${by}`, why === null ? [] : why].flat();
  return parts.length === 0 ? "" : ` (${cutText(parts.join(": "), MAX_TEXT)})`;
}

/** Formats a job and its record as `ChargeJob from orders/3@42`. */
export function formatJob(event: { jobClass: string; topic: string; partition: number; offset: number }): string {
  return `${event.jobClass} from ${formatPosition(event)}`;
}

/** Formats a message of a job or a client: a string is expected, but code without types may give any value. */
export function formatMessage(message: unknown): string {
  if (typeof message === "string") return cutText(message, MAX_TEXT);
  if (isError(message)) return formatError(describeError(message));
  return JSON.stringify(toPlainData(message)) ?? "undefined";
}

/** Names what waits together with a record that failed. */
export function formatScope(event: EventMap["partition.paused"], verb: string): string {
  if (event.scope === "partition") return `${formatPartition(event)} ${verb} at offset ${event.offset}`;
  return `${event.scope === "key" ? "The key of " : ""}${formatPosition(event)} ${verb}`;
}

/** Formats a number of things as `1 record` or `3 records`. */
export function formatCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Formats a number of jobs that run as the beginning of a sentence. */
export function formatRunning(count: number): string {
  return count === 1 ? "1 job still runs" : `${count} jobs still run`;
}

/** Formats any number of partitions in one line: `Assigned 3 partitions: default/0@7, default/1, mail/0`. */
export function formatChange({ assigned, lost, reason }: EventMap["assignment.changed"]): string {
  const parts: string[] = [];
  if (lost.length > 0) {
    const end = reason === "closed" ? "Released" : "Lost";
    const why = reason === "closed" ? "" : ` (${reason})`;
    parts.push(`${end} ${formatCount(lost.length, "partition")}${why}: ${formatList(lost.map(formatPartition))}`);
  }
  if (assigned.length > 0) {
    const places = assigned.map(({ topic, partition, offset }) =>
      offset === null ? formatPartition({ topic, partition }) : formatPosition({ topic, partition, offset })
    );
    parts.push(`Assigned ${formatCount(assigned.length, "partition")}: ${formatList(places)}`);
  }
  return parts.join("; ");
}

/** Names that a line lists, at most. */
const MAX_LISTED = 20;

/** Formats names as `a, b`, the first ones of a long list. */
export function formatList(names: readonly string[]): string {
  const rest = names.length - MAX_LISTED;
  return names.slice(0, MAX_LISTED).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

/** Formats how long a job of a lost partition ran, and why that may have cost the partition. */
export function formatRun({ durationMs, sessionTimeoutMs }: EventMap["job.revoked"]): string {
  const run = `it ran for ${formatDuration(durationMs)}`;
  if (durationMs < sessionTimeoutMs) return run;
  return `${run}: a job that blocks the event loop for longer than sessionTimeoutMs (${sessionTimeoutMs}) loses its partition`;
}

/** Formats until when a record waits for its class, and what follows. */
export function formatWait({ leftMs, next }: UnknownClassWait): string {
  const time = new Date(Date.now() + leftMs).toISOString();
  const shown = leftMs < DAY_MS ? time.slice(11, 19) : time.slice(0, 16).replace("T", " ");
  const then = next === "pause" ? "waits for an operator" : "is dead-lettered";
  return `is tried again until ${shown} UTC, then ${then}`;
}

const DAY_MS = 86_400_000;

/** Formats a duration as `1.3 ms` below a second, else as `25.0 s`. */
export function formatDuration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms * 10) / 10} ms` : `${(ms / 1000).toFixed(1)} s`;
}
