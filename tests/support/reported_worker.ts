/** Reports of workers for tests of pages, which need not run such workers. */
import type { ReportedWorker } from "../../src/reports/reported_worker.ts";

/** The parts of a report that a test chooses. */
export interface ReportedWorkerParts {
  readonly id: string;
  readonly state?: ReportedWorker["state"];
  /** The newest minute by the worker's clock. */
  readonly minuteMs: number;
  /** The jobs of the newest minutes. */
  readonly performed: readonly number[];
  /** The partitions that it owns. @default 1 */
  readonly partitions?: number;
  /** The message of the records that fail. */
  readonly message?: string;
}

const NO_VALUES = { bounds: [10, 100], counts: [0, 0, 0], sum: 0 };

/** Returns a report of a worker with a job that runs, a record that is retried and one that is stuck. */
export function reportedWorker(
  { id, state = "running", minuteMs, performed, partitions = 1, message = "no" }: ReportedWorkerParts,
): ReportedWorker {
  const job = {
    ...{
      jobId: "j",
      jobClass: "MailJob",
      queue: "default",
      topic: "default",
      partition: 0,
      offset: 9,
      executions: 1,
      attempt: 1,
    },
    ...{ runningMs: 500, timeoutMs: null, timeoutGraceMs: 5000, waitMs: null },
  };
  const failed = {
    topic: "default",
    partition: 0,
    attempts: 2,
    nextTryInMs: 2000,
    error: { errorClass: "TypeError", message },
  };
  const hour = Array.from({ length: 60 - performed.length }, () => 0).concat(performed);
  const none = hour.map(() => 0);
  return {
    ...{ id, host: id, pid: 7, version: "0.1.0", runtime: "Deno 2.9.6", startedAtMs: minuteMs - 60_000 },
    ...{ writtenAtMs: minuteMs + 1000, state },
    status: {
      ...{ state: "running", failure: null, concurrency: 10, scheduler: null },
      groups: [{
        ...{ group: "shop", topics: ["default"], isJoined: true, isSessionValid: true, stalledMs: null },
        running: [job],
        partitions: Array.from({ length: partitions }, (_, partition) => ({
          ...{ topic: "default", partition, position: 5, highWatermark: 10, lag: 5, oldestAgeMs: 1000, waiting: 5 },
          ...{ isExhausted: false, pausedBy: null, running: [] },
          retrying: partition === 0 ? [{ ...failed, offset: 6 }] : [],
          stuck: partition === 0 ? [{ ...failed, offset: 5, remedy: "skip default/0@5" }] : [],
        })),
      }],
    },
    totals: { partitions, running: 1, retrying: 1, stuck: 1 },
    history: {
      minuteMs,
      otherTopics: 0,
      topics: [{
        ...{ topic: "default", performed: hour, failed: none, retried: none, deadLettered: none },
        ...{ runMs: NO_VALUES, waitMs: NO_VALUES },
      }],
    },
  };
}
