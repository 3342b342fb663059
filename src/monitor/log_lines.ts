/**
 * What the logger says of each event: at which level, and in which words. Lines carry what an event says and nothing
 * else: never a job's arguments.
 */
import type { ErrorInfo } from "../errors.ts";
import type { EventMap, EventName, UnknownClassWait } from "./events.ts";
import { formatPartition, formatPosition } from "../support/position.ts";

/** How much a line matters. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** How an event is written. */
export interface Line<Event> {
  /** How much it matters. */
  readonly level: LogLevel | ((event: Event) => LogLevel);
  /** Its words. */
  readonly text: (event: Event) => string;
  /** The error whose stack and causes people are shown below the line; machines have it in the event. */
  readonly error?: (event: Event) => ErrorInfo;
  /** What people are shown behind the words as `key=value`, likewise. */
  readonly details?: (event: Event) => Readonly<Record<string, unknown>>;
}

/** Every event's line. */
export const LINES: { readonly [Name in EventName]: Line<EventMap[Name]> } = {
  "job.enqueued": { level: "debug", text: (e) => `Enqueued ${e.jobClass} to ${at(e, e.queue)}` },
  "job.enqueue_failed": { level: "error", text: (e) => e.error.message },
  "job.performing": { level: "debug", text: (e) => `Performing ${e.jobClass} from ${at(e)}` },
  "job.performed": { level: "info", text: (e) => `Performed ${e.jobClass} from ${at(e)} in ${ms(e.durationMs)}` },
  "job.failed": {
    level: "warn",
    text: (e) =>
      `${e.jobClass} from ${at(e)} failed at attempt ${e.attempt} (${said(e.error)}), ${
        e.next === "retry" ? `next try in ${ms(e.waitMs)}` : "no try is left"
      }`,
    error: (e) => e.error,
  },
  "job.orphaned": {
    level: "error",
    text: (e) => `${e.jobClass} from ${at(e)} still runs after ${ms(e.runningMs)} (${e.reason})`,
  },
  "job.revoked": {
    level: "warn",
    text: (e) => `${e.jobClass} from ${at(e)} ${e.outcome} after its partition was lost: not marked; ${ran(e)}`,
  },
  "job.log": {
    level: (e) => e.level,
    text: (e) => `${e.jobClass} from ${at(e)}: ${e.message}`,
    details: (e) => e.details,
  },
  "record.skipped": { level: "debug", text: (e) => `Skipped ${at(e)} (${e.reason})` },
  "record.dead_lettered": {
    level: "error",
    text: (e) =>
      `Dead-lettered ${e.jobClass ?? "a record"} from ${at(e)} to ${at(e.to)} after ${
        count(e.attempts, "attempt", "attempts")
      } (${said(e.error)})`,
  },
  "records.expired": {
    level: "error",
    text: (e) => `Records ${e.from} to ${e.to - 1} of ${formatPartition(e)} were deleted before they were performed`,
  },
  "topic.recreated": {
    level: "warn",
    text: (e) => `${formatPartition(e)} was made anew: it is read from its start`,
  },
  "assignment.changed": { level: "info", text: changedAssignment },
  "partition.assigned": {
    level: "debug",
    text: (e) => `Assigned ${formatPartition(e)}${e.offset === null ? "" : ` at ${e.offset}`}`,
  },
  "partition.lost": {
    level: "debug",
    text: (e) => e.reason === "closed" ? `Released ${formatPartition(e)}` : `Lost ${formatPartition(e)} (${e.reason})`,
  },
  "partition.paused": {
    level: (e) => e.lasting ? "error" : e.unknownClass?.tries === 1 ? "warn" : "debug",
    text: (e) => {
      if (e.lasting) {
        const remedy = e.remedy === null ? "" : `; to pass it over: ${e.remedy}`;
        return `${formatPartition(e)} stands still at offset ${e.offset} (${said(e.error)}), next try in ${
          ms(e.waitMs)
        }${remedy}`;
      }
      return e.unknownClass === null
        ? `${formatPartition(e)} waits ${ms(e.waitMs)} at offset ${e.offset}`
        : `${e.error.message}: ${at(e)} ${until(e.unknownClass)}`;
    },
  },
  "offset.committed": { level: "debug", text: (e) => `Committed ${formatPartition(e)} at ${e.offset}` },
  "membership.changed": {
    level: "debug",
    text: (e) => e.held ? "The session is good" : "The session may have expired: no job starts",
  },
  "worker.started": {
    level: "info",
    text: (e) =>
      `Worker of group ${e.group} started: ${e.topics.join(", ")} (${
        count(e.partitions, "partition", "partitions")
      }) with ${count(e.concurrency, "job", "jobs")} at once`,
  },
  "worker.quieted": { level: "info", text: (e) => `Worker of group ${e.group} takes no new job` },
  "worker.stopping": {
    level: "info",
    text: (e) =>
      `Worker of group ${e.group} stops: ${
        e.running === 0
          ? "no job runs"
          : `${count(e.running, "job still runs", "jobs still run")}, and may for ${seconds(e.shutdownTimeoutMs)}`
      }`,
  },
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
    text: (e) => `Error in ${e.where}: ${said(e.error)}`,
    error: (e) => e.error,
  },
};

/** One line for any number of partitions: `Assigned 3 partitions: default/0@7, default/1, mail/0`. */
function changedAssignment({ assigned, lost, reason }: EventMap["assignment.changed"]): string {
  const parts: string[] = [];
  if (lost.length > 0) {
    const list = listOf(lost.map(formatPartition));
    parts.push(
      reason === "closed"
        ? `Released ${count(lost.length, "partition", "partitions")}: ${list}`
        : `Lost ${count(lost.length, "partition", "partitions")} (${reason}): ${list}`,
    );
  }
  if (assigned.length > 0) {
    const list = listOf(
      assigned.map((each) => `${formatPartition(each)}${each.offset === null ? "" : `@${each.offset}`}`),
    );
    parts.push(`Assigned ${count(assigned.length, "partition", "partitions")}: ${list}`);
  }
  return parts.join("; ");
}

/** The number of names that a line lists. */
const MAX_LISTED = 20;

function listOf(names: readonly string[]): string {
  const rest = names.length - MAX_LISTED;
  return names.slice(0, MAX_LISTED).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

/** What was thrown, in a few words. */
export function said({ errorClass, message }: ErrorInfo): string {
  if (errorClass === "undefined") return "undefined was thrown";
  return message === "" ? errorClass : `${errorClass}: ${message}`;
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}

function at(event: { topic?: string; partition: number; offset: number }, topic?: string): string {
  return formatPosition({ topic: topic ?? event.topic!, partition: event.partition, offset: event.offset });
}

function ran({ durationMs, sessionTimeoutMs }: EventMap["job.revoked"]): string {
  if (durationMs < sessionTimeoutMs) return `it ran ${ms(durationMs)}`;
  return `it ran ${seconds(durationMs)}: ` +
    `a job that blocks the event loop for longer than sessionTimeoutMs (${sessionTimeoutMs}) loses its partition`;
}

function until({ leftMs, next }: UnknownClassWait): string {
  const time = new Date(Date.now() + leftMs).toISOString();
  const shown = leftMs < DAY_MS ? time.slice(11, 19) : time.slice(0, 16).replace("T", " ");
  return `is tried again until ${shown} UTC, then ${next === "pause" ? "the partition waits" : "dead-lettered"}`;
}

const DAY_MS = 86_400_000;

function ms(value: number): string {
  return `${Math.round(value * 10) / 10} ms`;
}

function seconds(valueMs: number): string {
  return `${(valueMs / 1000).toFixed(1)} s`;
}
