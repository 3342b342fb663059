/**
 * What happened in a test, in order: the jobs that were appended, those that were performed, those that are dead
 * letters. The test's broker writes down each append as it went into the log; everything that assertions say is read
 * from here.
 *
 * It lives as long as its test. What was enqueued stays, performed or not, as a record stays in its topic.
 */
import type { Headers, NewRecord } from "../broker/broker.ts";
import { type Envelope, readEnvelope } from "../job/envelope.ts";
import type { JobInfo } from "../monitor/events.ts";
import type { Route } from "../routing/route.ts";
import type { DeadLetter, EnqueuedJob, PerformedJob } from "./jobs.ts";
import { formatPosition, type Position } from "../support/position.ts";

/** A job in the log, and whether it is done: performed, or given up, and marked. */
export interface Entry {
  readonly job: EnqueuedJob;
  done: boolean;
}

/** What can be asked for: all of it, or what came after a moment. */
export type Since = number;

interface Numbered<Value> {
  readonly number: number;
  readonly value: Value;
}

/** See the module. */
export class JobRecorder {
  readonly #queues: ReadonlyMap<string, string>;
  readonly #entries: Numbered<Entry>[] = [];
  readonly #performed: Numbered<PerformedJob>[] = [];
  readonly #letters: Numbered<DeadLetter>[] = [];
  readonly #byPosition = new Map<string, Entry>();
  #count = 0;

  /** @param routes the App's routes: what is appended elsewhere is a dead letter */
  constructor(routes: readonly Route[]) {
    this.#queues = new Map(routes.map(({ topic, queue }) => [topic, queue]));
  }

  /** This moment. */
  now(): Since {
    return this.#count;
  }

  /** What was enqueued, in the order of the appends. */
  enqueued(since: Since = 0): EnqueuedJob[] {
    return after(this.#entries, since).map(({ job }) => job);
  }

  /** What was performed well, in order. */
  performed(since: Since = 0): PerformedJob[] {
    return after(this.#performed, since);
  }

  /** The dead letters, in order. */
  deadLetters(since: Since = 0): DeadLetter[] {
    return after(this.#letters, since);
  }

  /** What is not done. */
  waiting(since: Since = 0): Entry[] {
    return after(this.#entries, since).filter(({ done }) => !done);
  }

  /** The job at a position, if it is known. */
  at(position: Position): Entry | undefined {
    return this.#byPosition.get(formatPosition(position));
  }

  /** A record is in the log. */
  append(position: Position, { value, headers = [] }: NewRecord): void {
    const queue = this.#queues.get(position.topic);
    if (queue === undefined) return this.#appendLetter(position, headers);
    const entry = { job: jobOf(position, queue, value), done: false };
    this.#byPosition.set(formatPosition(position), entry);
    this.#entries.push(this.#next(entry));
  }

  /** A job was performed well. */
  perform(info: JobInfo): void {
    const entry = this.at(info);
    // It was cleared while it ran.
    if (entry !== undefined) this.#performed.push(this.#next({ ...entry.job, attempt: info.attempt }));
  }

  /** Forgets everything: nothing of it waits any more. */
  clear(): void {
    for (const { value } of this.#entries) value.done = true;
    this.#byPosition.clear();
    for (const list of [this.#entries, this.#performed, this.#letters]) list.length = 0;
  }

  #appendLetter(to: Position, headers: Headers): void {
    const header = (name: string) => textOf(headers, `dead-letter-${name}`);
    const source = { topic: header("topic"), partition: Number(header("partition")), offset: Number(header("offset")) };
    const job = this.at(source)?.job;
    if (job === undefined) return;
    const error = { errorClass: header("error-class"), message: header("error-message") };
    this.#letters.push(this.#next({ ...job, to, attempts: Number(header("attempts")), error }));
  }

  #next<Value>(value: Value): Numbered<Value> {
    return { number: this.#count++, value };
  }
}

function after<Value>(list: readonly Numbered<Value>[], since: Since): Value[] {
  return list.filter(({ number }) => number >= since).map(({ value }) => value);
}

function jobOf(position: Position, queue: string, value: NewRecord["value"]): EnqueuedJob {
  const { jobClass, jobId, priority, arguments: args, currentAttributes } = read(value);
  return { ...position, queue, jobClass, jobId: jobId ?? "", args, priority, currentAttributes };
}

function read(value: NewRecord["value"]): Envelope {
  return readEnvelope(typeof value === "string" ? value : new TextDecoder().decode(value ?? undefined));
}

function textOf(headers: Headers, wanted: string): string {
  const value = headers.findLast(([name]) => name === wanted)?.[1];
  return new TextDecoder().decode(value ?? undefined);
}
