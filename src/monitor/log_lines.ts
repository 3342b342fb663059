/**
 * The line of each event in the log: its level and its message. A message says what happened, to what, what follows and,
 * where an operator must act, what to type. It has nothing but what the event carries: never a job's arguments.
 */
import type { ErrorInfo } from "../errors.ts";
import { formatPartition, formatPosition } from "../support/position.ts";
import type { EventMap, EventName } from "./events.ts";
import {
  formatBlock,
  formatChange,
  formatCount,
  formatDuration,
  formatError,
  formatJob,
  formatList,
  formatMessage,
  formatOperator,
  formatPlace,
  formatRun,
  formatRunning,
  formatScope,
  formatTime,
  formatWait,
} from "./log_phrases.ts";

/** The level of a line. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** The format of an event's line. */
export interface Line<Event> {
  /** Its level. */
  readonly level: LogLevel | ((event: Event) => LogLevel);
  /** Its message. */
  readonly message: (event: Event) => string;
  /** The error whose stack and causes people are shown below the line; machines have it in the event. */
  readonly error?: (event: Event) => ErrorInfo;
  /** Details that people are shown behind the message as `key=value`, likewise. */
  readonly details?: (event: Event) => unknown;
}

/** The line of every event. */
export const LINES: { readonly [Name in EventName]: Line<EventMap[Name]> } = {
  "job.enqueued": {
    level: "debug",
    message: (e) => `Enqueued ${e.jobClass} to ${formatPosition({ ...e, topic: e.queue })}`,
  },
  "job.enqueue_failed": { level: "error", message: (e) => e.error.message },
  "job.scheduled": {
    level: "debug",
    message: (e) => `Scheduled ${e.jobClass} for ${e.queue} at ${formatTime(e.dueAtMs)}`,
  },
  "job.released": {
    level: "debug",
    message: (e) => `Released job ${e.jobId} to ${formatPosition(e)}, ${formatDuration(e.latenessMs)} after it was due`,
  },
  "job.cancelled": {
    level: (e) => e.state === "delayed" ? "debug" : "warn",
    message: (e) => {
      const job = e.jobClass === null ? `job ${e.jobId}` : `${e.jobClass} ${e.jobId}`;
      return `Cancelled the ${e.state} ${job} (${formatPosition(e)})${formatOperator(e)}`;
    },
  },
  "job.enqueue_halted": { level: "debug", message: (e) => `A callback halted the enqueuing of ${e.jobClass}` },
  "job.halted": { level: "info", message: (e) => `A callback halted ${formatJob(e)}: it is done` },
  "job.expired": {
    level: "warn",
    message: (e) =>
      `Did not perform ${formatJob(e)}: it is ${e.ageMs} ms old, and expires after ${e.expiresAfterMs} ms`,
  },
  "job.discarded": {
    level: "warn",
    message: (e) => `Discarded ${formatJob(e)} at attempt ${e.attempt} (${formatError(e.error)})`,
    error: (e) => e.error,
  },
  "job.rescued": {
    level: "info",
    message: (e) => `${formatJob(e)} failed and its class handled the error (${formatError(e.error)})`,
  },
  "job.retry_scheduled": {
    level: "info",
    message: (e) =>
      `${formatJob(e)} failed at run ${e.executions} (${formatError(e.error)}), next run in ${
        formatDuration(e.waitMs)
      }`,
    error: (e) => e.error,
  },
  "job.retry_stopped": {
    level: "warn",
    message: (e) =>
      `${formatJob(e)} has no run left after ${formatCount(e.executions, "run")} (${formatError(e.error)})`,
  },
  "job.interrupted": {
    level: "info",
    message: (e) =>
      `Interrupted ${formatJob(e)}${e.step === null ? "" : ` at step ${e.step}`} (${e.reason}), it goes on in ${
        formatDuration(e.waitMs)
      }`,
  },
  "job.resumed": {
    level: "info",
    message: (e) =>
      `${formatJob(e)} goes on ${
        e.step === null ? `after ${formatCount(e.completed.length, "step")}` : `in step ${e.step}`
      }`,
  },
  "job.performing": { level: "debug", message: (e) => `Performing ${formatJob(e)}` },
  "job.performed": { level: "info", message: (e) => `Performed ${formatJob(e)} in ${formatDuration(e.durationMs)}` },
  "job.failed": {
    level: "warn",
    message: (e) =>
      `${formatJob(e)} failed at attempt ${e.attempt} (${formatError(e.error)}), ${
        e.next === "retry" ? `next attempt in ${formatDuration(e.waitMs)}` : "no attempt is left"
      }`,
    error: (e) => e.error,
  },
  "job.orphaned": {
    level: "error",
    message: (e) => {
      const running = `${formatJob(e)} still runs after ${formatDuration(e.runningMs)}`;
      return e.reason === "timeout"
        ? `${running}, over its timeout: ${formatPartition(e)} waits until it ends`
        : `${running}, but ${formatPartition(e)} belongs to another worker, which performs it again`;
    },
  },
  "job.revoked": {
    level: "warn",
    message: (e) =>
      `${formatJob(e)} ${e.outcome} after ${
        formatPartition(e)
      } was lost, so it is not marked and may be performed again; ${formatRun(e)}`,
  },
  "job.log": {
    level: (e) => e.level,
    message: (e) => `${formatJob(e)}: ${formatMessage(e.message)}`,
    details: (e) => e.details,
  },
  "record.skipped": { level: "debug", message: (e) => `Skipped ${formatPosition(e)} (${e.reason})` },
  "record.dead_lettered": {
    level: "error",
    message: (e) =>
      `Dead-lettered ${e.jobClass ?? "a record"} from ${formatPosition(e)} to ${formatPosition(e.to)} after ${
        formatCount(e.attempts, "attempt")
      } (${formatError(e.error)})`,
  },
  "records.expired": {
    level: "error",
    message: (e) =>
      `Records ${e.from} to ${e.to - 1} of ${formatPartition(e)} were deleted before they were performed: ` +
      "their jobs are lost (raise the topic's retention, or add workers)",
  },
  "group.started_at_beginning": {
    level: "warn",
    message: ({ group, partitions }) => {
      const records = partitions.reduce((sum, each) => sum + each.records, 0);
      const places = formatList(partitions.map((each) => formatPosition(each)));
      return `Group ${group} has no offsets for ${places}: up to ${records} records are performed from the beginning of ` +
        "the log, also those that were performed before the group was deleted or its offsets expired";
    },
  },
  "topic.missing": {
    level: "error",
    message: (e) =>
      `Topic ${e.topic} does not exist any more: group ${e.group} waits until it is created again ` +
      "(the command topics apply does it), and reads its other topics on",
  },
  "topic.paused": {
    level: "warn",
    message: (e) => `Paused ${formatPlace(e)}: no job of it starts before it is resumed${formatOperator(e)}`,
  },
  "topic.resumed": {
    level: "info",
    message: (e) => `Resumed ${formatPlace(e)}${formatOperator({ ...e, why: null })}`,
  },
  "topic.recreated": {
    level: "warn",
    message: (e) => `Topic ${e.topic} was deleted and created again: ${formatPartition(e)} is read from its start`,
  },
  "assignment.changed": { level: "info", message: formatChange },
  "partition.assigned": {
    level: "debug",
    message: (e) => `Assigned ${formatPartition(e)}${e.offset === null ? "" : ` at ${e.offset}`}`,
  },
  "partition.lost": {
    level: "debug",
    message: (e) =>
      e.reason === "closed" ? `Released ${formatPartition(e)}` : `Lost ${formatPartition(e)} (${e.reason})`,
  },
  "partition.leaderless": {
    level: "error",
    message: (e) => `${formatPartition(e)} has no leader: it waits until a broker that has its records is back`,
  },
  "partition.led": { level: "info", message: (e) => `${formatPartition(e)} has a leader again` },
  "partition.paused": {
    level: (e) => e.lasting ? "error" : e.unknownClass?.tries === 1 ? "warn" : "debug",
    message: (e) => {
      const next = `next attempt in ${formatDuration(e.waitMs)}`;
      if (e.lasting) {
        const remedy = e.remedy === null ? "" : `; to skip it: ${e.remedy}`;
        return `${formatScope(e, "is stuck")} (${formatError(e.error)}), ${next}${remedy}`;
      }
      return e.unknownClass === null
        ? `${formatScope(e, "waits")}, ${next}`
        : `${e.error.message}: ${formatPosition(e)} ${formatWait(e.unknownClass)}`;
    },
  },
  "partition.exhausted": {
    level: "warn",
    message: (e) => {
      const front = e.front === null ? "" : `, since ${formatPosition({ ...e, offset: e.front })} is not finished`;
      return `${formatPartition(e)} waits with ${formatCount(e.waiting, "record")}${front}`;
    },
  },
  "offset.committed": { level: "debug", message: (e) => `Committed ${formatPartition(e)} at ${e.offset}` },
  "membership.changed": {
    level: "debug",
    message: (e) =>
      e.isMember
        ? "The session in the group is valid"
        : "The session in the group may have expired: no job starts until it is valid again",
  },
  "session.lost": {
    level: "error",
    message: (e) =>
      `Group ${e.group}: the session has been lost for ${formatDuration(e.lostMs)}, although the broker responds: ` +
      "no job starts (look at the group's coordinator; the worker goes on trying)",
  },
  "schedule.ready": {
    level: (e) => e.waiting > 0 ? "info" : "debug",
    message: (e) =>
      `${formatCount(e.waiting, "delayed job")} in ${formatPartition(e)}, read in ${formatDuration(e.readMs)}: ` +
      "those that are due are released",
  },
  "schedule.unreadable": {
    level: "error",
    message: (e) => `${formatPosition(e)} is not a delayed job, since ${e.reason}: it is set aside`,
  },
  "schedule.clamped": {
    level: "warn",
    message: (e) =>
      `Delayed job ${e.jobId} (${formatPosition(e)}) waits for longer than maxDelayMs allows: it is due ${
        formatTime(e.clampedToMs)
      }`,
  },
  "schedule.blocked": {
    level: "error",
    message: (e) => `Delayed jobs for topic ${e.target} wait, since ${formatBlock(e)}`,
  },
  "recurring.enqueued": {
    level: "info",
    message: (e) =>
      `Enqueued recurring job ${e.recurringId} for ${formatTime(e.tickAtMs)} to ${
        formatPosition({ ...e, topic: e.queue })
      }, ${formatDuration(e.latenessMs)} after it was due`,
  },
  "recurring.missed": {
    level: "warn",
    message: (e) =>
      `Recurring job ${e.recurringId} was missed at ${formatTime(e.tickAtMs)} and is left out: it is due again at ${
        formatTime(e.nextAtMs)
      }`,
  },
  "recurring.overlapped": {
    level: "warn",
    message: (e) =>
      `Recurring job ${e.recurringId} is left out at ${
        formatTime(e.tickAtMs)
      }, since job ${e.lastJobId} still waits or ` +
      `runs: it is due again at ${formatTime(e.nextAtMs)}`,
  },
  "worker.started": {
    level: "info",
    message: (e) =>
      `Worker of group ${e.group} started: ${e.topics.join(", ")} (${
        formatCount(e.partitions, "partition")
      }) with up to ${formatCount(e.concurrency, "job")} at once`,
  },
  "worker.quieted": {
    level: "info",
    message: (e) => `Worker of group ${e.group} is quiet: no new job starts, its partitions are kept`,
  },
  "worker.stopping": {
    level: "info",
    message: (e) =>
      `Worker of group ${e.group} stops: ${
        e.running === 0
          ? "no job runs"
          : `${formatRunning(e.running)} and may take ${formatDuration(e.shutdownTimeoutMs)}`
      }`,
  },
  "worker.stopped": {
    level: "info",
    message: (e) =>
      `Worker of group ${e.group} stopped${
        e.unfinished.length === 0 ? "" : `; not ended, so performed again: ${e.unfinished.map(formatJob).join(", ")}`
      }`,
  },
  "report.failed": {
    level: "warn",
    message: (e) =>
      `Cannot report this worker in topic "${e.topic}" (${
        formatError(e.error)
      }): jobs go on, and the next report is tried`,
  },
  "operator.acted": {
    level: (e) => e.outcome === "done" ? "info" : "warn",
    message: (e) =>
      `${e.user ?? "A reader"} ${e.outcome === "done" ? "did" : `could not do (${e.outcome})`} ${
        e.action ?? "a change"
      } at ${e.path}${e.target === null ? "" : ` to ${e.target}`}: ${e.message}`,
  },
  "broker.log": { level: (e) => e.level, message: (e) => `Broker: ${formatMessage(e.message)}` },
  "error.occurred": {
    // A job that could not be enqueued has a line of its own.
    level: (e) => e.where === "enqueue" && e.error.errorClass === "EnqueueError" ? "debug" : "error",
    message: (e) => `Error in ${e.where}: ${formatError(e.error)}`,
    error: (e) => e.error,
  },
};
