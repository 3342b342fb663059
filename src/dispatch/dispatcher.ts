/**
 * The dispatcher: from a job to a record in its topic. It finds the route, writes the envelope, takes room in the buffer,
 * hands the record to its topic's lane, and tells the job and the event stream what became of it.
 *
 * One dispatcher an App; it lives until the App is closed.
 */
import type { AppendOutcome, Broker, NewRecord } from "../broker/broker.ts";
import { describeError, EnqueueError } from "../errors.ts";
import { type AnyCurrentAttributes, captureAttributes } from "../job/current_attributes.ts";
import { DELIVERY, Delivery } from "../job/delivery.ts";
import { writeEnvelope } from "../job/envelope.ts";
import { type Job, type JobClass, jobNameOf } from "../job/job.ts";
import { kafkaOption } from "../job/kafka_options.ts";
import type { Monitor } from "../monitor/monitor.ts";
import { show } from "../options.ts";
import type { Routes } from "../routing/route.ts";
import { Buffer, type BufferOptions } from "./buffer.ts";
import { Lane } from "./lane.ts";

/** What a dispatcher works with. */
export interface DispatcherOptions {
  readonly broker: Broker;
  readonly routes: Routes;
  readonly monitor: Monitor;
  readonly currentAttributes: readonly AnyCurrentAttributes[];
  readonly buffer: BufferOptions;
  /** Whether a queue that no topic declares is refused, or only warned about. */
  readonly undeclaredQueues: "error" | "warn";
  /** Awaited before a topic's first batch. */
  readonly ready: () => Promise<void>;
}

/** A job that is ready to be sent. */
interface Prepared {
  readonly job: Job;
  readonly topic: string;
  readonly record: NewRecord;
  readonly bytes: number;
}

/** From jobs to records. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #buffer: Buffer;
  readonly #lanes = new Map<string, Lane>();
  readonly #warnedOf = new Set<string>();
  #closed = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#buffer = new Buffer(options.buffer);
  }

  /** How many jobs are on their way. */
  get pending(): number {
    return this.#buffer.records;
  }

  /**
   * Enqueues a job: resolves once it is buffered, or acknowledged, as its class says.
   *
   * @throws {EnqueueError} if it cannot be enqueued
   * @throws {SerializationError} if an argument cannot be written
   */
  async enqueue<J extends Job>(job: J): Promise<J> {
    const durable = methodOf(job, "dispatchMethod", "produceAsync") === "produceSync";
    const prepared = this.#prepare(job);
    if (!this.#buffer.tryTake(prepared.bytes)) await this.#takeRoom(prepared);
    this.#ship(prepared, durable);
    if (durable) await job.delivered();
    return job;
  }

  /** Enqueues jobs; what became of each stands on the job. Those of a class that says so are awaited together. */
  async enqueueAll(jobs: readonly Job[]): Promise<void> {
    const acknowledged: Promise<unknown>[] = [];
    for (const job of jobs) {
      try {
        const durable = methodOf(job, "dispatchManyMethod", "produceManyAsync") === "produceManySync";
        const prepared = this.#prepare(job);
        if (!this.#buffer.tryTake(prepared.bytes)) await this.#takeRoom(prepared);
        this.#ship(prepared, durable);
        if (durable) acknowledged.push(job.delivered().catch(() => {}));
      } catch (error) {
        const failure = error instanceof EnqueueError
          ? error
          : new EnqueueError((error as Error).message, { written: "no", cause: error });
        if (job.enqueueError === undefined) this.#fail(job, failure);
      }
    }
    await Promise.all(acknowledged);
  }

  /** Appends a record that is no job (a dead letter) behind what its topic's lane already holds. */
  append(topic: string, record: NewRecord): Promise<AppendOutcome> {
    const { promise, resolve } = Promise.withResolvers<AppendOutcome>();
    this.#lane(topic).push({ record, bytes: sizeOf(record), durable: true, settle: resolve });
    return promise;
  }

  /** Resolves once nothing is on its way. */
  flush(): Promise<void> {
    return this.#buffer.emptied();
  }

  /** Refuses further jobs. What is on its way goes on. */
  close(): void {
    this.#closed = true;
  }

  #prepare(job: Job): Prepared {
    const { routes, currentAttributes } = this.#options;
    const Class = job.constructor as JobClass;
    const queue = job.queueName ?? Class.queue;
    const topic = routes.topicOf(queue);
    if (this.#closed) throw this.#fail(job, refusal(job, "its App is closed"));
    if (job.status === "buffered") throw refusal(job, "it is being enqueued already");
    if (routes.find(topic) === undefined) this.#undeclared(job, queue);
    const key = keyOf(job, Class);
    job.enqueuedAt = new Date().toISOString();
    const value = writeEnvelope(job, topic, captureAttributes(currentAttributes));
    const record = key === null ? { value } : { key, value };
    return { job, topic, record, bytes: sizeOf(record) };
  }

  #undeclared(job: Job, queue: string): void {
    const message = this.#options.routes.undeclared(queue);
    if (this.#options.undeclaredQueues === "error") {
      throw this.#fail(job, new EnqueueError(`Cannot enqueue ${nameOf(job)}: ${message}`, { written: "no" }));
    }
    if (this.#warnedOf.has(queue)) return;
    this.#warnedOf.add(queue);
    const error = { errorClass: "InvalidConfigurationError", message };
    this.#options.monitor.emit("error.occurred", { where: "enqueue", error });
  }

  async #takeRoom(prepared: Prepared): Promise<void> {
    try {
      await this.#buffer.take(prepared.bytes);
    } catch (error) {
      throw this.#fail(prepared.job, refusal(prepared.job, (error as Error).message, error));
    }
  }

  #ship({ job, topic, record, bytes }: Prepared, durable: boolean): void {
    const delivery = new Delivery();
    delivery.status = "buffered";
    job[DELIVERY] = delivery;
    this.#lane(topic).push({
      record,
      bytes,
      durable,
      settle: (outcome) => {
        this.#buffer.free(bytes);
        if (outcome.ok) this.#succeed(job, delivery, outcome.position);
        else this.#refused(job, delivery, outcome, durable);
      },
    });
  }

  #succeed(job: Job, delivery: Delivery, position: { topic: string; partition: number; offset: number }): void {
    delivery.succeed(position);
    const { monitor } = this.#options;
    if (!monitor.hears("job.enqueued")) return;
    monitor.emit("job.enqueued", {
      jobClass: nameOf(job),
      jobId: job.jobId,
      queue: position.topic,
      partition: position.partition,
      offset: position.offset,
    });
  }

  #refused(job: Job, delivery: Delivery, outcome: AppendOutcome & { ok: false }, heard: boolean): void {
    const error = refusal(job, outcome.error.message, outcome.error, outcome.written);
    delivery.fail(error);
    this.#tell(job, error);
    // A caller who has gone on hears of it here only.
    if (!heard) this.#options.monitor.emit("error.occurred", { where: "enqueue", error: describeError(error) });
  }

  #fail(job: Job, error: EnqueueError): EnqueueError {
    (job[DELIVERY] ??= new Delivery()).fail(error);
    this.#tell(job, error);
    return error;
  }

  #tell(job: Job, error: EnqueueError): void {
    const Class = job.constructor as JobClass;
    this.#options.monitor.emit("job.enqueue_failed", {
      jobClass: jobNameOf(Class),
      jobId: job.jobId,
      queue: this.#options.routes.topicOf(job.queueName ?? Class.queue),
      written: error.written,
      error: describeError(error),
    });
  }

  #lane(topic: string): Lane {
    let lane = this.#lanes.get(topic);
    if (lane === undefined) {
      lane = new Lane(topic, this.#options.broker, this.#options.ready);
      this.#lanes.set(topic, lane);
    }
    return lane;
  }
}

/** How a class's jobs are sent. */
function methodOf<Name extends "dispatchMethod" | "dispatchManyMethod", Default extends string>(
  job: Job,
  name: Name,
  fallback: Default,
) {
  return kafkaOption(job.constructor as JobClass, name) ?? fallback;
}

/** The key that a class's `key` function gives. */
function keyOf(job: Job, Class: JobClass): string | null {
  const key = kafkaOption(Class, "key");
  if (key === undefined) return null;
  let given: unknown;
  try {
    given = key(job);
  } catch (error) {
    throw refusal(job, `its key function threw: ${describeError(error).message}`, error);
  }
  if (given === null || typeof given === "string") return given;
  throw refusal(job, `its key function must answer a text or null, but it answered ${show(given)}`);
}

function refusal(job: Job, why: string, cause?: unknown, written: "no" | "unknown" = "no"): EnqueueError {
  return new EnqueueError(`Cannot enqueue ${nameOf(job)}: ${why}`, { written, cause });
}

function nameOf(job: Job): string {
  return jobNameOf(job.constructor as JobClass);
}

function sizeOf(record: NewRecord): number {
  return (record.key?.length ?? 0) + (record.value?.length ?? 0);
}
