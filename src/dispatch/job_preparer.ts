/**
 * From a job to what is sent for it: its route, its record, its span and, for a job that is not due yet, the record that lets it
 * wait. A job that can never be enqueued is refused here.
 */
import type { NewRecord } from "../broker/broker.ts";
import { sizeOf } from "../broker/record.ts";
import { DELIVERY, type Delivery } from "../job/delivery.ts";
import type { EnvelopeCodec } from "../job/envelope.ts";
import type { Job } from "../job/job.ts";
import { applyPriority, queueOf } from "../job/placement.ts";
import type { JobSpan } from "../monitor/job_span.ts";
import type { Monitor } from "../monitor/monitor.ts";
import type { Tracing } from "../monitor/tracing.ts";
import type { Routes } from "../routing/route.ts";
import type { Clock } from "../support/clock.ts";
import { LimitedMap } from "../support/limited_map.ts";
import { nameOf, recordOf, refusal } from "./job_record.ts";
import type { ScheduledTopic } from "./scheduled_topic.ts";

/** The parts of an App, and its options, by which jobs are prepared. */
export interface PreparerOptions {
  readonly routes: Routes;
  readonly monitor: Monitor;
  readonly tracing: Tracing;
  readonly codec: EnvelopeCodec;
  readonly clock: Clock;
  /** The full name of the topic in which delayed jobs wait. */
  readonly scheduledTopic: string;
  /** The longest delay, in milliseconds. */
  readonly maxDelayMs: number;
  /** Whether a job for a queue that no topic declares is refused, or sent with a warning. */
  readonly undeclaredQueues: "error" | "warn";
}

/** A job that is ready to be sent. */
export interface PreparedJob {
  readonly job: Job;
  readonly delivery: Delivery;
  readonly topic: string;
  readonly record: NewRecord;
  readonly bytes: number;
  /** Whether the call waits for the acknowledgement. */
  readonly awaitsAck: boolean;
  /** The span of the send; `undefined` without tracing. */
  readonly span: JobSpan | undefined;
}

/** The most undeclared queues that are remembered, so that each is warned about once. */
const MAX_WARNED_QUEUES = 1000;

/** Prepares the jobs of one App. */
export class JobPreparer {
  readonly #options: PreparerOptions;
  readonly #warnedQueues = new LimitedMap<true>({ entries: MAX_WARNED_QUEUES });

  constructor(options: PreparerOptions) {
    this.#options = options;
  }

  /**
   * Checks that a job can be enqueued, as far as that is known without the broker.
   *
   * @throws {EnqueueError} if no topic declares its queue, or it can never be written
   * @throws {InvalidConfigurationError} if its class has a wrong option
   */
  check(job: Job): void {
    const { routes, codec, clock, undeclaredQueues } = this.#options;
    const queue = queueOf(job);
    const topic = routes.topicOf(queue);
    const route = routes.find(topic);
    if (route === undefined && undeclaredQueues === "error") throw refusal(job, routes.undeclared(queue));
    applyPriority(job);
    recordOf(job, topic, codec, route?.maxPayloadBytes ?? Infinity, clock.nowMs());
  }

  /**
   * Prepares a job. If it may wait, the topic of delayed jobs was looked at before.
   *
   * @throws {EnqueueError} if it cannot be enqueued
   * @throws {InvalidConfigurationError} if its class has a wrong option
   */
  prepare(job: Job, delivery: Delivery, awaitsAck: boolean, scheduled: ScheduledTopic | undefined): PreparedJob {
    const { routes, codec, clock, tracing } = this.#options;
    const queue = queueOf(job);
    applyPriority(job);
    const topic = routes.topicOf(queue);
    const route = routes.find(topic);
    if (route === undefined) this.#checkUndeclared(job, queue);
    const record = recordOf(job, topic, codec, route?.maxPayloadBytes ?? Infinity, clock.nowMs());
    const dueAtMs = mayWait(job) ? this.#dueAtMs(job) : null;
    if (dueAtMs !== null) scheduled!.assertReady();
    // Nothing is refused from here on: a span that was begun must be ended.
    const span = tracing.isOn
      ? tracing.startSend({ jobClass: nameOf(job), jobId: job.jobId, queue: topic, key: record.key })
      : undefined;
    const traced = span === undefined ? record : { ...record, headers: span.headers() };
    if (dueAtMs === null) return { job, delivery, topic, record: traced, bytes: sizeOf(traced), awaitsAck, span };
    const waiting = scheduled!.scheduleRecord(traced, { jobId: job.jobId, dueAtMs, targetTopic: topic });
    delivery.isScheduled = true;
    return {
      job,
      delivery,
      topic: this.#options.scheduledTopic,
      record: waiting,
      bytes: sizeOf(waiting),
      awaitsAck,
      span,
    };
  }

  /**
   * Returns the time at which a job is due; `null` if it goes to its topic at once. A job that was scheduled before is moved
   * among the delayed ones, also to now: its earlier schedule would be released as well.
   */
  #dueAtMs(job: Job): number | null {
    const { clock, maxDelayMs } = this.#options;
    const nowMs = clock.nowMs();
    const dueAtMs = job.scheduledAt?.getTime() ?? nowMs;
    if (Number.isNaN(dueAtMs)) throw refusal(job, "its scheduledAt is not a valid date");
    if (dueAtMs <= nowMs) return job[DELIVERY]!.isScheduled ? nowMs : null;
    if (dueAtMs - nowMs <= maxDelayMs) return dueAtMs;
    throw refusal(job, `it would wait for ${dueAtMs - nowMs} ms, but "maxDelayMs" of the App is ${maxDelayMs}`);
  }

  /** Refuses a queue that no topic declares, or warns about it once. */
  #checkUndeclared(job: Job, queue: string): void {
    const message = this.#options.routes.undeclared(queue);
    if (this.#options.undeclaredQueues === "error") throw refusal(job, message);
    if (this.#warnedQueues.entries.has(queue)) return;
    this.#warnedQueues.set(queue, true);
    const error = { errorClass: "InvalidConfigurationError", message };
    this.#options.monitor.emit("error.occurred", { where: "enqueue", error });
  }
}

/** Returns whether a job goes, or may have gone, to the delayed jobs. */
export function mayWait(job: Job): boolean {
  return job.scheduledAt !== null || job[DELIVERY]?.isScheduled === true;
}
