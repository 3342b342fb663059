/** The times between a job's enqueuing, or its due time, and its run. Pure. */
import { readTime } from "../../job/envelope.ts";
import type { Envelope } from "../../job/envelope_data.ts";

/** The times of a job. */
type JobTimes = Pick<Envelope, "enqueuedAt" | "scheduledAtMs">;

/** The clocks of two machines may differ by this, in milliseconds. A job from farther in the future has no wait time. */
const MAX_SKEW_MS = 1000;

/**
 * Returns the time since a job was enqueued, or since it was due, in milliseconds. Without a time in the envelope the record's own
 * counts; a job without any has the age 0.
 */
export function ageOf(job: JobTimes, timestampMs: number, nowMs: number): number {
  const sinceMs = enqueuedAtMsOf(job) ?? timestampMs;
  return sinceMs > 0 ? nowMs - Math.max(sinceMs, job.scheduledAtMs ?? 0) : 0;
}

/**
 * Returns the time from a job's enqueuing, or its due time, to its start, in milliseconds; `null` if it is unknown.
 *
 * @param durationMs the time since its start
 * @param nowMs returns the time; asked only if the time of the enqueuing is known
 */
export function waitMsOf(job: JobTimes, durationMs: number, nowMs: () => number): number | null {
  const enqueuedAtMs = enqueuedAtMsOf(job);
  if (enqueuedAtMs === null) return null;
  const waitMs = nowMs() - durationMs - Math.max(enqueuedAtMs, job.scheduledAtMs ?? 0);
  return waitMs < -MAX_SKEW_MS ? null : Math.max(waitMs, 0);
}

/** 1970 is the time of a clock that was never set. */
function enqueuedAtMsOf({ enqueuedAt }: JobTimes): number | null {
  const enqueuedAtMs = enqueuedAt === null ? null : readTime(enqueuedAt);
  return enqueuedAtMs !== null && enqueuedAtMs > 0 ? enqueuedAtMs : null;
}
