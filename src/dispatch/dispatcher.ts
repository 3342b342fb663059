/**
 * The dispatcher: from a job to a record in its topic. It finds the route, writes the envelope, takes room in the buffer,
 * hands the record to its topic's lane, and tells the job and the event stream what became of it.
 *
 * One dispatcher an App; it lives until the App is closed.
 */
import type { AppendOutcome, Broker, NewRecord } from "../broker/broker.ts";
import { sizeOf } from "../broker/record.ts";
import { describeError, EnqueueError, UnknownTopicError } from "../errors.ts";
import { type AnyCurrentAttributes, captureAttributes } from "../job/current_attributes.ts";
import { DELIVERY, Delivery } from "../job/delivery.ts";
import { writeEnvelope } from "../job/envelope.ts";
import type { Job, JobClass } from "../job/job.ts";
import { jobNameOf } from "../job/class_name.ts";
import { kafkaOption } from "../job/kafka_options.ts";
import type { JobSpan } from "../monitor/job_span.ts";
import type { Monitor } from "../monitor/monitor.ts";
import type { Tracing } from "../monitor/tracing.ts";
import { show } from "../support/validation.ts";
import type { Routes } from "../routing/route.ts";
import { type BufferOptions, SendBuffer } from "./send_buffer.ts";
import { TopicSender } from "./topic_sender.ts";

/** What a dispatcher works with. */
export interface DispatcherOptions {
  /** Answers the broker once it is ready. */
  readonly broker: () => Promise<Broker>;
  readonly routes: Routes;
  readonly monitor: Monitor;
  readonly tracing: Tracing;
  readonly currentAttributes: readonly AnyCurrentAttributes[];
  readonly buffer: BufferOptions;
  /** Whether a queue that no topic declares is refused, or only warned about. */
  readonly undeclaredQueues: "error" | "warn";
}

/** A job that is ready to be sent. */
interface Prepared {
  readonly job: Job;
  readonly delivery: Delivery;
  readonly topic: string;
  readonly record: NewRecord;
  readonly bytes: number;
  /** Whether the caller waits for the acknowledgement. */
  readonly durable: boolean;
  /** What traces its way; `undefined` where nobody does. */
  readonly span: JobSpan | undefined;
}

/** From jobs to records. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #buffer: SendBuffer;
  readonly #lanes = new Map<string, TopicSender>();
  readonly #warnedOf = new Set<string>();
  #closed = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#buffer = new SendBuffer(options.buffer);
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
    const prepared = this.#prepare(job, isAcknowledged);
    if (!this.#buffer.tryAcquire(prepared.bytes)) await this.#takeRoom(prepared);
    this.#ship(prepared);
    if (prepared.durable) await job.delivered();
    return job;
  }

  /** Enqueues jobs; what became of each stands on the job. Those of a class that says so are awaited together. */
  async enqueueAll(jobs: readonly Job[]): Promise<void> {
    const acknowledged: Promise<unknown>[] = [];
    let full: Error | undefined;
    for (const job of jobs) {
      try {
        const prepared = this.#prepare(job, isAcknowledgedOfMany);
        if (!this.#buffer.tryAcquire(prepared.bytes)) {
          // Who has waited in vain once does not wait for each of the others in turn.
          if (full !== undefined) throw this.#noRoom(prepared, full);
          await this.#takeRoom(prepared).catch((error: EnqueueError) => {
            full = error.cause as Error;
            throw error;
          });
        }
        this.#ship(prepared);
        if (prepared.durable) acknowledged.push(job.delivered().catch(() => {}));
      } catch (error) {
        // A failure stands on the job; but what is on its way by another call has not failed.
        if (job.enqueued) {
          this.#options.monitor.emit("error.occurred", { where: "enqueue", error: describeError(error) });
        }
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

  #prepare(job: Job, isDurable: (Class: JobClass) => boolean): Prepared {
    if (job.status === "buffered") throw refusal(job, "it is being enqueued already");
    // The promise of someone who asked before is kept; what became of an earlier enqueuing is over.
    const delivery = job.status === "new" ? job[DELIVERY] ?? new Delivery() : new Delivery();
    job[DELIVERY] = delivery;
    try {
      const prepared = this.#build(job, delivery, isDurable);
      delivery.status = "buffered";
      return prepared;
    } catch (error) {
      this.#fail(job, delivery, error instanceof EnqueueError ? error : refusal(job, (error as Error).message, error));
      throw error;
    }
  }

  #build(job: Job, delivery: Delivery, isDurable: (Class: JobClass) => boolean): Prepared {
    const { routes, currentAttributes, tracing } = this.#options;
    const Class = job.constructor as JobClass;
    const queue = job.queueName ?? Class.queue;
    const topic = routes.topicOf(queue);
    if (this.#closed) throw refusal(job, "its App is closed");
    if (routes.find(topic) === undefined) this.#undeclared(job, queue);
    const durable = isDurable(Class);
    const key = keyOf(job, Class);
    job.enqueuedAt = isoNow();
    const value = writeEnvelope(job, topic, captureAttributes(currentAttributes));
    // The last step, since who begins a span must end it.
    const span = tracing.isOn
      ? tracing.startSend({ jobClass: jobNameOf(Class), jobId: job.jobId, queue: topic, key })
      : undefined;
    const untraced = key === null ? { value } : { key, value };
    const record = span === undefined ? untraced : { ...untraced, headers: span.headers() };
    return { job, delivery, topic, record, bytes: sizeOf(record), durable, span };
  }

  #undeclared(job: Job, queue: string): void {
    const message = this.#options.routes.undeclared(queue);
    if (this.#options.undeclaredQueues === "error") {
      throw refusal(job, message);
    }
    if (this.#warnedOf.has(queue)) return;
    this.#warnedOf.add(queue);
    const error = { errorClass: "InvalidConfigurationError", message };
    this.#options.monitor.emit("error.occurred", { where: "enqueue", error });
  }

  async #takeRoom(prepared: Prepared): Promise<void> {
    try {
      await this.#buffer.acquire(prepared.bytes);
    } catch (error) {
      throw this.#noRoom(prepared, error as Error);
    }
  }

  #noRoom({ job, delivery, span }: Prepared, cause: Error): EnqueueError {
    span?.fail(cause);
    return this.#fail(job, delivery, refusal(job, cause.message, cause));
  }

  #ship({ job, delivery, topic, record, bytes, durable, span }: Prepared): void {
    this.#lane(topic).push({
      record,
      bytes,
      durable,
      settle: (outcome) => {
        this.#buffer.release(bytes);
        if (outcome.ok) {
          span?.end(outcome.position);
          this.#succeed(job, delivery, outcome.position);
        } else {
          span?.fail(outcome.error);
          this.#refused(job, delivery, outcome, durable);
        }
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
    const remedy = outcome.error instanceof UnknownTopicError ? '; create it with "topics apply"' : "";
    const error = refusal(job, `${outcome.error.message}${remedy}`, outcome.error, outcome.written);
    delivery.fail(error);
    this.#tell(job, error);
    // A caller who has gone on hears of it here only.
    if (!heard) this.#options.monitor.emit("error.occurred", { where: "enqueue", error: describeError(error) });
  }

  #fail(job: Job, delivery: Delivery, error: EnqueueError): EnqueueError {
    delivery.fail(error);
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

  #lane(topic: string): TopicSender {
    let lane = this.#lanes.get(topic);
    if (lane === undefined) {
      lane = new TopicSender(topic, this.#options.broker);
      this.#lanes.set(topic, lane);
    }
    return lane;
  }
}

/** Whether `performLater` waits for the acknowledgement of this class's jobs. */
function isAcknowledged(Class: JobClass): boolean {
  return kafkaOption(Class, "dispatchMethod") === "produceSync";
}

/** Whether `performAllLater` does. */
function isAcknowledgedOfMany(Class: JobClass): boolean {
  return kafkaOption(Class, "dispatchManyMethod") === "produceManySync";
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

let isoMs = 0;
let iso = "";

/** The time in ISO 8601. Writing one costs half a microsecond, and jobs come many a millisecond. */
function isoNow(): string {
  const nowMs = Date.now();
  if (nowMs !== isoMs) [isoMs, iso] = [nowMs, new Date(nowMs).toISOString()];
  return iso;
}
