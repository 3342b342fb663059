/**
 * Records what happened in a test, in order: the jobs that were enqueued, performed and dead-lettered. The test's
 * broker records each append as it went into the log; the assertions read nothing else.
 *
 * It lives as long as its test. An enqueued job stays recorded after it was performed, as a record stays in its topic.
 */
import type { Headers, NewRecord } from "../broker/broker.ts";
import { readScheduled } from "../dispatch/schedule.ts";
import type { EnvelopeCodec } from "../job/envelope.ts";
import type { JobInfo } from "../monitor/events.ts";
import type { Route } from "../routing/route.ts";
import { isReleased } from "../routing/scheduled_topic.ts";
import { formatPosition, type Position } from "../support/position.ts";
import type { DeadLetter, EnqueuedJob, PerformedJob } from "./jobs.ts";

/** A job in the log. */
export interface RecordedJob {
  /** The job. Its position changes when it is due. */
  job: EnqueuedJob;
  /** The time at which it is due, while it waits among the delayed jobs; `null` in its own topic. */
  dueAtMs: number | null;
  /** Whether it was performed or dead-lettered, and marked; or cancelled, or scheduled again. */
  isFinished: boolean;
}

/** A moment of the test: a number that grows with each record. 0 is the start of the test. */
export type Moment = number;

interface Recorded<Value> {
  readonly moment: Moment;
  readonly value: Value;
}

/** The records of one test. */
export class JobRecorder {
  readonly #queues: ReadonlyMap<string, string>;
  readonly #deadLetterTopics: ReadonlySet<string | undefined>;
  readonly #codec: EnvelopeCodec;
  readonly #scheduledTopic: string;
  readonly #enqueued: Recorded<RecordedJob>[] = [];
  readonly #performed: Recorded<PerformedJob>[] = [];
  readonly #deadLetters: Recorded<DeadLetter>[] = [];
  readonly #byPosition = new Map<string, RecordedJob>();
  #now: Moment = 0;

  /**
   * @param routes the routes of the App
   * @param scheduledTopic the topic in which its delayed jobs wait
   * @param codec the codec of the App
   */
  constructor(routes: readonly Route[], scheduledTopic: string, codec: EnvelopeCodec) {
    this.#codec = codec;
    this.#scheduledTopic = scheduledTopic;
    this.#deadLetterTopics = new Set(routes.map(({ deadLetterQueue }) => deadLetterQueue?.topic));
    this.#queues = new Map(routes.map(({ topic, queue }) => [topic, queue]));
  }

  /** Returns this moment. */
  now(): Moment {
    return this.#now;
  }

  /** Returns the jobs that were enqueued since a moment, in the order of the appends. */
  enqueued(since: Moment = 0): EnqueuedJob[] {
    return valuesSince(this.#enqueued, since).map(({ job }) => job);
  }

  /** Returns the jobs that succeeded since a moment, in order. */
  performed(since: Moment = 0): PerformedJob[] {
    return valuesSince(this.#performed, since);
  }

  /** Returns the jobs that were dead-lettered since a moment, in order. */
  deadLetters(since: Moment = 0): DeadLetter[] {
    return valuesSince(this.#deadLetters, since);
  }

  /** Returns the jobs that were enqueued since a moment and are not finished. */
  waiting(since: Moment = 0): RecordedJob[] {
    return valuesSince(this.#enqueued, since).filter(({ isFinished }) => !isFinished);
  }

  /** Returns those of them that are due at a time. */
  due(nowMs: number, since: Moment = 0): RecordedJob[] {
    return this.waiting(since).filter(({ dueAtMs }) => dueAtMs === null || dueAtMs <= nowMs);
  }

  /** Returns the job at a position; `undefined` if there is none, or if it was cleared. */
  find(position: Position): RecordedJob | undefined {
    return this.#byPosition.get(formatPosition(position));
  }

  /** Records that a record was appended. */
  recordAppend(position: Position, record: NewRecord): void {
    const { value, headers = [] } = record;
    if (position.topic === this.#scheduledTopic) return this.#recordScheduled(position, record);
    const queue = this.#queues.get(position.topic);
    if (queue === undefined) {
      if (this.#deadLetterTopics.has(position.topic)) this.#recordDeadLetter(position, headers);
      return;
    }
    const job = this.#readJob(position, queue, value);
    const released = isReleased(headers) ? this.#delayed(job.jobId) : undefined;
    if (released === undefined) return this.#add({ job, dueAtMs: null, isFinished: false });
    released.job = job;
    released.dueAtMs = null;
    this.#byPosition.set(formatPosition(position), released);
  }

  /** Records a job that waits, or the end of one that waited. */
  #recordScheduled(position: Position, { key = null, value, headers = [] }: NewRecord): void {
    const read = readScheduled({ ...position, key, value, headers, timestampMs: 0 });
    if (read.kind !== "schedule" && read.kind !== "cancellation") return;
    // A job that is scheduled again is moved.
    const earlier = this.#delayed(read.jobId);
    if (earlier !== undefined) earlier.isFinished = true;
    if (read.kind === "cancellation") return;
    const queue = this.#queues.get(read.targetTopic) ?? read.targetTopic;
    this.#add({ job: this.#readJob(position, queue, value), dueAtMs: read.dueAtMs, isFinished: false });
  }

  /** Returns the job that waits for its time. */
  #delayed(jobId: string): RecordedJob | undefined {
    return this.waiting().find(({ job, dueAtMs }) => dueAtMs !== null && job.jobId === jobId);
  }

  #add(recorded: RecordedJob): void {
    this.#byPosition.set(formatPosition(recorded.job), recorded);
    this.#enqueued.push(this.#stamp(recorded));
  }

  /** Records that a job succeeded. */
  recordPerformed(info: JobInfo): void {
    const recorded = this.find(info);
    // The test may have cleared it while it ran.
    if (recorded !== undefined) this.#performed.push(this.#stamp({ ...recorded.job, attempt: info.attempt }));
  }

  /** Forgets everything: none of it waits any longer. */
  clear(): void {
    for (const { value } of this.#enqueued) value.isFinished = true;
    this.#byPosition.clear();
    for (const list of [this.#enqueued, this.#performed, this.#deadLetters]) list.length = 0;
  }

  #recordDeadLetter(to: Position, headers: Headers): void {
    const header = (name: string) => headerText(headers, `dead-letter-${name}`);
    const source = { topic: header("topic"), partition: Number(header("partition")), offset: Number(header("offset")) };
    const job = this.find(source)?.job;
    if (job === undefined) return;
    const error = { errorClass: header("error-class"), message: header("error-message") };
    this.#deadLetters.push(this.#stamp({ ...job, to, attempts: Number(header("attempts")), error }));
  }

  #readJob({ topic, partition, offset }: Position, queue: string, value: NewRecord["value"]): EnqueuedJob {
    const codec = this.#codec;
    const text = typeof value === "string" ? value : new TextDecoder().decode(value ?? undefined);
    const envelope = codec.read(text);
    const { jobClass, jobId, priority, scheduledAtMs } = envelope;
    const args = orJson(() => codec.readArguments(envelope), envelope.arguments);
    const currentAttributes = orJson(() => codec.readAttributes(envelope), envelope.currentAttributes);
    const at = scheduledAtMs === null ? null : new Date(scheduledAtMs);
    return { topic, partition, offset, queue, jobClass, jobId: jobId ?? "", args, priority, at, currentAttributes };
  }

  #stamp<Value>(value: Value): Recorded<Value> {
    return { moment: this.#now++, value };
  }
}

function valuesSince<Value>(list: readonly Recorded<Value>[], since: Moment): Value[] {
  return list.filter(({ moment }) => moment >= since).map(({ value }) => value);
}

/** A value that cannot be read is shown as its JSON: the error is the job's, when it runs. */
function orJson<Value>(read: () => Value, json: Value): Value {
  try {
    return read();
  } catch {
    return json;
  }
}

function headerText(headers: Headers, wanted: string): string {
  const value = headers.findLast(([name]) => name === wanted)?.[1];
  return new TextDecoder().decode(value ?? undefined);
}
