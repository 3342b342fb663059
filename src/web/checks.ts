/**
 * Checks whether a worker is alive, and whether it is ready: pure functions of its status, which return the reasons against.
 *
 * A worker is not alive if a restart would help: it has failed, a job runs beyond its timeout and grace, or its session stays
 * lost for minutes although the broker responds. A session that was lost just now, a broker that cannot be reached and a
 * partition that waits for an operator do not count: they recover without a restart, or would be the same after it. A worker
 * is ready if it starts the jobs that arrive.
 */
import type { RunningJob } from "../monitor/events.ts";
import { show } from "../support/validation.ts";
import type { GroupStatus, WorkerStatus } from "../worker/status.ts";
import { formatPosition } from "../support/position.ts";

/** A session that stays lost for so long while the broker responds is not expected to recover, in milliseconds. */
const MAX_STALLED_MS = 120_000;

/** Returns the reasons to restart a worker; none if it is alive. */
export function reasonsNotAlive({ failure, groups, scheduler }: WorkerStatus): string[] {
  const failed = failure === null
    ? []
    : [`the worker failed: ${failure.errorClass}: ${failure.message.replace(/\s+/g, " ")}`];
  const overdue = groups.flatMap(({ running }) => running).filter(isOverdue).map(formatOverdue);
  const stalled = [...groups, ...(scheduler ? [scheduler] : [])].flatMap(({ group, stalledMs }) =>
    stalledMs === null || stalledMs < MAX_STALLED_MS ? [] : [
      `the session in group ${show(group)} has been lost for ${formatSeconds(stalledMs)}, although the broker responds`,
    ]
  );
  return [...failed, ...overdue, ...stalled];
}

/** Returns the reasons for which a worker starts no job; none if it is ready. */
export function reasonsNotReady({ state, groups }: WorkerStatus): string[] {
  if (state === "running") return groups.flatMap(reasonsOfGroup);
  const running = groups.reduce((count, group) => count + group.running.length, 0);
  return [
    `the worker is ${state}${
      running === 0 ? "" : `, and ${running} ${running === 1 ? "job still runs" : "jobs still run"}`
    }`,
  ];
}

function isOverdue({ runningMs, timeoutMs, timeoutGraceMs }: RunningJob): boolean {
  return timeoutMs !== null && runningMs > timeoutMs + timeoutGraceMs;
}

function formatOverdue(job: RunningJob): string {
  const [running, timeout, grace] = [job.runningMs, job.timeoutMs!, job.timeoutGraceMs].map(formatSeconds);
  // The id is untrusted: it comes from a record.
  return `job ${job.jobClass} ${show(job.jobId)} from ${
    formatPosition(job)
  } runs ${running}, over its timeout of ${timeout} plus ${grace}`;
}

function reasonsOfGroup({ group, isJoined, isSessionValid }: GroupStatus): string[] {
  if (!isJoined) return [`the worker has not joined group ${show(group)} yet`];
  return isSessionValid ? [] : [`the session in group ${show(group)} may have expired`];
}

/** Formats a time as `65 s` or `0.5 s`. */
function formatSeconds(ms: number): string {
  return `${ms < 10_000 ? Math.round(ms) / 1000 : Math.round(ms / 1000)} s`;
}
