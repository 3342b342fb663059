/**
 * Whether a worker is alive, and whether it is ready: pure functions of its status, which answer what speaks against it.
 *
 * Not alive is what a restart mends: a worker that has failed, a job that goes on beyond all its time. A session that was
 * lost, a broker that is away, a partition that waits for an operator are no such thing; they mend themselves, or a new
 * process would find them as they are. Ready is a worker that performs what comes.
 */
import type { RunningJob } from "../monitor/events.ts";
import { show } from "../support/validation.ts";
import type { GroupStatus, WorkerStatus } from "../worker/status.ts";
import { formatPosition } from "../support/position.ts";

/** Why this worker should be restarted; empty where it is alive. */
export function notAlive({ failure, groups }: WorkerStatus): string[] {
  const overdue = groups.flatMap(({ running }) => running).filter(isOverdue).map(sayOverdue);
  if (failure === null) return overdue;
  return [`the worker failed: ${failure.errorClass}: ${failure.message.replace(/\s+/g, " ")}`, ...overdue];
}

/** Why this worker performs nothing new; empty where it is ready. */
export function notReady({ state, groups }: WorkerStatus): string[] {
  if (state === "running") return groups.flatMap(sayAbsent);
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

function sayOverdue(job: RunningJob): string {
  const [running, timeout, grace] = [job.runningMs, job.timeoutMs!, job.timeoutGraceMs].map(seconds);
  // An id may come from a stranger's record.
  return `job ${job.jobClass} ${show(job.jobId)} from ${
    formatPosition(job)
  } runs ${running}, over its timeout of ${timeout} plus ${grace}`;
}

function sayAbsent({ group, isJoined, isSessionValid }: GroupStatus): string[] {
  if (!isJoined) return [`the worker has not joined group ${show(group)} yet`];
  return isSessionValid ? [] : [`the session in group ${show(group)} may have expired`];
}

/** `"65 s"`, `"0.5 s"`. */
function seconds(ms: number): string {
  return `${ms < 10_000 ? Math.round(ms) / 1000 : Math.round(ms / 1000)} s`;
}
