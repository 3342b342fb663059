/**
 * The dispatcher: from a job to a record in its topic. An App has one, until it is closed.
 *
 * 1. It prepares the job: finds the route and writes the envelope (`job_preparer.ts`).
 * 2. It takes space in the send buffer; a full buffer makes the caller wait.
 * 3. It hands the record to the sender of its topic.
 * 4. It reports the outcome of the append to the job and to the event stream.
 */
import type { AppendOutcome, Broker, NewRecord } from "../broker/broker.ts";
import { sizeOf } from "../broker/record.ts";
import { describeError, EnqueueError, InvalidConfigurationError, UnknownTopicError, type Written } from "../errors.ts";
import { DELIVERY, Delivery } from "../job/delivery.ts";
import type { Job, JobClass } from "../job/job.ts";
import { kafkaOption } from "../job/kafka_options.ts";
import { describeQueue } from "../job/placement.ts";
import type { Position } from "../support/position.ts";
import { lazyImport } from "../support/root_context.ts";
import { show } from "../support/validation.ts";
import { JobPreparer, mayWait, type PreparedJob, type PreparerOptions } from "./job_preparer.ts";
import { asRefusal, nameOf, refusal } from "./job_record.ts";
import type { CancelOrder } from "./schedule.ts";
import type { ScheduledTopic } from "./scheduled_topic.ts";
import { type BufferOptions, SendBuffer } from "./send_buffer.ts";
import { TopicSender } from "./topic_sender.ts";

/** The parts that a dispatcher works with. */
export interface DispatcherOptions extends PreparerOptions {
  /** Returns the broker once it is ready. */
  readonly broker: () => Promise<Broker>;
  readonly buffer: BufferOptions;
}

/** Sends the jobs of one App. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #preparer: JobPreparer;
  /** Loaded when a job that may wait is enqueued: most programs have none. */
  #scheduled: ScheduledTopic | undefined;
  readonly #buffer: SendBuffer;
  readonly #senders = new Map<string, TopicSender>();
  #undelivered = 0;
  #isClosed = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#preparer = new JobPreparer(options);
    this.#buffer = new SendBuffer(options.buffer);
  }

  /** Number of jobs that are buffered and not acknowledged. */
  get pending(): number {
    return this.#buffer.records;
  }

  /** Number of jobs that could not be enqueued although the call that enqueued them did not reject. */
  get undelivered(): number {
    return this.#undelivered;
  }

  /** Number of topics that have a sender: the declared topics that were used, and those with records in flight. */
  get senders(): number {
    return this.#senders.size;
  }

  /**
   * Enqueues a job. Resolves once it is buffered, or acknowledged, as its class says.
   *
   * @param awaitsAck whether it is acknowledged, whatever its class says
   * @throws {EnqueueError} if it cannot be enqueued
   * @throws {InvalidConfigurationError} if its class has a wrong option
   */
  async enqueue<J extends Job>(job: J, awaitsAck: boolean = false): Promise<J> {
    if (mayWait(job) && !this.#scheduled?.isReady) await this.#lookAtScheduledTopic();
    const prepared = this.#prepare(job, awaitsAck ? always : isSync);
    if (!this.#buffer.tryAcquire(prepared.bytes)) await this.#waitForRoom(prepared);
    this.#send(prepared);
    if (prepared.awaitsAck) await job.delivered();
    return job;
  }

  /** Enqueues jobs; the outcome of each is on the job. Acknowledgements are awaited together, where a class says so. */
  async enqueueAll(jobs: readonly Job[]): Promise<void> {
    const acknowledged: Promise<unknown>[] = [];
    let full: EnqueueError | undefined;
    for (const job of jobs) {
      try {
        if (mayWait(job) && !this.#scheduled?.isReady) await this.#lookAtScheduledTopic();
        const prepared = this.#prepare(job, isManySync);
        if (!this.#buffer.tryAcquire(prepared.bytes)) {
          // After one wait in vain, the other jobs do not wait one by one.
          if (full !== undefined) throw this.#refuseForRoom(prepared, full.cause as Error);
          await this.#waitForRoom(prepared).catch((error: EnqueueError) => {
            full = error;
            throw error;
          });
        }
        this.#send(prepared);
        if (prepared.awaitsAck) acknowledged.push(job.delivered().catch(() => void this.#undelivered++));
      } catch (error) {
        // The failure is on the job, unless another call is sending it.
        if (job.enqueued) {
          this.#options.monitor.reportError("enqueue", error);
        } else {
          this.#undelivered++;
        }
      }
    }
    await Promise.all(acknowledged);
  }

  /**
   * Checks that a job can be enqueued, as far as that is known without the broker.
   *
   * @throws {EnqueueError} if no topic declares its queue, or it can never be written
   * @throws {InvalidConfigurationError} if its class has a wrong option
   */
  check(job: Job): void {
    this.#preparer.check(job);
  }

  /** Appends a record that is not a job (a dead letter), after the records that its topic's sender holds. */
  append(topic: string, record: NewRecord, durable: boolean = true): Promise<AppendOutcome> {
    const { promise, resolve } = Promise.withResolvers<AppendOutcome>();
    this.#senderOf(topic).push({ record, bytes: sizeOf(record), durable, settle: resolve });
    return promise;
  }

  /**
   * Takes a job away from the delayed ones.
   *
   * @param order the operator's name and reason. @default not known
   * @returns a promise that resolves once the cancellation is acknowledged
   * @throws {EnqueueError} if it cannot be written
   */
  async cancelScheduled(jobId: string, order?: CancelOrder): Promise<void> {
    const scheduled = await this.#lookAtScheduledTopic();
    const records = scheduled.cancellationRecords(jobId, order);
    const outcomes = await Promise.all(records.map((record) => this.append(scheduled.topic, record)));
    for (const outcome of outcomes) {
      if (outcome.ok) continue;
      const { error: cause, written } = outcome;
      throw new EnqueueError(`Cannot cancel job ${show(jobId)}: ${cause.message}`, { cause, written });
    }
  }

  /**
   * Lets a record that came before its time wait among the delayed jobs.
   *
   * @returns the outcome of the append; it never rejects
   */
  async schedule(
    record: NewRecord,
    schedule: { readonly jobId: string; readonly dueAtMs: number; readonly targetTopic: string },
  ): Promise<AppendOutcome> {
    try {
      const scheduled = await this.#lookAtScheduledTopic();
      return await this.append(scheduled.topic, scheduled.scheduleRecord(record, schedule));
    } catch (error) {
      return { ok: false, error: error as Error, written: "no" };
    }
  }

  /** Resolves once no job is pending. */
  flush(): Promise<void> {
    return this.#buffer.whenEmpty();
  }

  /** Refuses further jobs. Those that are pending are still sent. */
  close(): void {
    this.#isClosed = true;
  }

  /** Returns the topic of delayed jobs, once it is known whether jobs can wait in it. */
  async #lookAtScheduledTopic(): Promise<ScheduledTopic> {
    if (this.#scheduled === undefined) {
      const { scheduledTopic, broker } = this.#options;
      const { ScheduledTopic } = await lazyImport(() => import("./scheduled_topic.ts"));
      this.#scheduled ??= new ScheduledTopic(scheduledTopic, broker);
    }
    await this.#scheduled.look();
    return this.#scheduled;
  }

  #prepare(job: Job, awaitsAck: (Class: JobClass) => boolean): PreparedJob {
    if (job.status === "buffered") throw refusal(job, "it is being enqueued already");
    // The promise of an earlier delivered() is kept, but the outcome of an earlier enqueuing is not.
    const earlier = job[DELIVERY];
    const delivery = job.status === "new" ? earlier ?? new Delivery() : new Delivery();
    delivery.isScheduled = earlier?.isScheduled ?? false;
    job[DELIVERY] = delivery;
    try {
      if (this.#isClosed) throw refusal(job, "its App is closed");
      const prepared = this.#preparer.prepare(job, delivery, awaitsAck(job.constructor as JobClass), this.#scheduled);
      delivery.status = "buffered";
      return prepared;
    } catch (error) {
      const failure = this.#fail(job, delivery, asRefusal(job, error));
      throw error instanceof InvalidConfigurationError ? error : failure;
    }
  }

  async #waitForRoom(prepared: PreparedJob): Promise<void> {
    try {
      await this.#buffer.acquire(prepared.bytes);
    } catch (error) {
      throw this.#refuseForRoom(prepared, error as Error);
    }
  }

  #refuseForRoom({ job, delivery, span }: PreparedJob, cause: Error): EnqueueError {
    span?.fail(cause);
    return this.#fail(job, delivery, refusal(job, cause.message, cause));
  }

  #send(prepared: PreparedJob): void {
    const { job, delivery, topic, record, bytes, awaitsAck, span } = prepared;
    this.#senderOf(topic).push({
      record,
      bytes,
      durable: awaitsAck,
      settle: (outcome) => {
        this.#buffer.release(bytes);
        if (outcome.ok) {
          span?.end(outcome.position);
          this.#succeed(job, delivery, outcome.position);
        } else {
          span?.fail(outcome.error);
          this.#failSent(prepared, outcome.error, outcome.written);
        }
      },
    });
  }

  #succeed(job: Job, delivery: Delivery, position: Position): void {
    delivery.succeed(position);
    const { monitor } = this.#options;
    if (position.topic === this.#options.scheduledTopic) return this.#reportScheduled(job, position);
    if (!monitor.hasListener("job.enqueued")) return;
    const { topic: queue, partition, offset } = position;
    monitor.emit("job.enqueued", { jobClass: nameOf(job), jobId: job.jobId, queue, partition, offset });
  }

  #reportScheduled(job: Job, { partition, offset }: Position): void {
    const { monitor, routes } = this.#options;
    const queue = routes.topicOf(describeQueue(job));
    const dueAtMs = job.scheduledAt?.getTime() ?? this.#options.clock.nowMs();
    monitor.emit("job.scheduled", { jobClass: nameOf(job), jobId: job.jobId, queue, dueAtMs, partition, offset });
  }

  /** Fails a job whose record the broker did not acknowledge. */
  #failSent({ job, delivery, awaitsAck }: PreparedJob, cause: Error, written: Written): void {
    const remedy = cause instanceof UnknownTopicError ? '; create it with "topics apply"' : "";
    const error = this.#fail(job, delivery, refusal(job, `${cause.message}${remedy}`, cause, written));
    if (awaitsAck) return;
    // The caller has gone on, and learns of it only here.
    this.#undelivered++;
    this.#options.monitor.reportError("enqueue", error);
  }

  #fail(job: Job, delivery: Delivery, error: EnqueueError): EnqueueError {
    delivery.fail(error);
    const queue = this.#options.routes.topicOf(describeQueue(job));
    this.#options.monitor.emit("job.enqueue_failed", {
      jobClass: nameOf(job),
      jobId: job.jobId,
      queue,
      written: error.written,
      error: describeError(error),
    });
    return error;
  }

  #senderOf(topic: string): TopicSender {
    let sender = this.#senders.get(topic);
    if (sender === undefined) {
      // Names of undeclared queues may be without number, so their senders end when they are idle.
      const route = this.#options.routes.find(topic);
      const options = route === undefined
        ? { onIdle: () => void this.#senders.delete(topic) }
        : { compression: route.declared.compression };
      sender = new TopicSender(topic, this.#options.broker, options);
      this.#senders.set(topic, sender);
    }
    return sender;
  }
}

function always(): boolean {
  return true;
}

/** Whether `performLater` waits for the acknowledgement of this class's jobs. */
function isSync(Class: JobClass): boolean {
  return kafkaOption(Class, "dispatchMethod") === "produceSync";
}

/** Whether `performAllLater` does. */
function isManySync(Class: JobClass): boolean {
  return kafkaOption(Class, "dispatchManyMethod") === "produceManySync";
}
