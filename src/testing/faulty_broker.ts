/**
 * Clients and consumers of a {@linkcode FaultyLog}: they feel that the log is offline, or that records were deleted.
 */
import { MemoryBroker } from "../broker/memory/broker.ts";
import { MemoryConsumer } from "../broker/memory/consumer.ts";
import type { MemoryOwnership } from "../broker/memory/ownership.ts";
import type {
  AppendOutcome,
  CommitOptions,
  CommitOutcome,
  ConsumeOptions,
  ConsumerSink,
  DecideSkip,
  Mark,
  NewRecord,
  RecordBatch,
} from "../broker/broker.ts";
import { abortable } from "../support/deadline.ts";
import type { Position } from "../support/position.ts";
import type { LostReason } from "../monitor/events.ts";
import type { FaultyLog, InterruptibleTasks, OfflineListener } from "./faulty_log.ts";
import { clearTimeout, setTimeout } from "../support/timers.ts";

/** A client whose calls wait while its log is offline. */
export class FaultyBroker extends MemoryBroker {
  /** The log. */
  protected readonly log: FaultyLog;
  readonly #disposed = Promise.withResolvers<void>();

  /** Opens a client of a log. */
  constructor(log: FaultyLog) {
    super(log);
    this.log = log;
  }

  override async connect(signal?: AbortSignal): Promise<void> {
    await abortable(super.connect(signal), signal);
  }

  override append(topic: string, records: readonly NewRecord[]): Promise<readonly AppendOutcome[]> {
    // At once while the log is online: the records are in the log when the call returns.
    if (this.log.tasks.isOnline) return super.append(topic, records);
    return this.log.tasks.online(this.#disposed.promise).then(() => super.append(topic, records));
  }

  override async skip(group: string, position: Position, decide: DecideSkip): Promise<void> {
    const disposed = this.#disposed.promise.then(() => Promise.reject(this.disposedError()));
    await Promise.race([super.skip(group, position, decide), disposed]);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    const disposed = super[Symbol.asyncDispose]();
    this.#disposed.resolve();
    await disposed;
  }

  protected override async ready(): Promise<void> {
    await this.log.tasks.online(this.#disposed.promise);
    await super.ready();
  }

  protected override createConsumer(options: ConsumeOptions, sink: ConsumerSink): FaultyConsumer {
    return this.register(new FaultyConsumer(this.log, options, sink));
  }

  /** Lets the log tell the consumer when it goes offline and online, until the consumer is closed. */
  protected register<C extends FaultyConsumer>(consumer: C): C {
    this.log.consumers.add(consumer);
    consumer.closed.then(() => this.log.consumers.delete(consumer));
    return consumer;
  }
}

/** A consumer whose session runs out while its log is offline, and from which records may be deleted. */
export class FaultyConsumer extends MemoryConsumer implements OfflineListener {
  declare protected readonly tasks: InterruptibleTasks;
  /** While the log is offline: the end of the session, and the timer that reports it. */
  #session: { readonly untilMs: number; readonly timer: ReturnType<typeof setTimeout> } | null = null;

  /** Makes a consumer and lets it join its group. */
  constructor(log: FaultyLog, options: ConsumeOptions, sink: ConsumerSink) {
    super(log.group(options.group), log.tasks, options, sink);
  }

  override get sessionValidUntilMs(): number {
    return Math.min(super.sessionValidUntilMs, this.#session?.untilMs ?? Infinity);
  }

  override async commit(marks: readonly Mark[], options: CommitOptions = {}): Promise<readonly CommitOutcome[]> {
    // At once while the log is online: a commit belongs to the generation in which it was called.
    if (!this.tasks.isOnline && !await this.#online(options.deadlineMs)) return marks.map(() => "unknown");
    return await super.commit(marks);
  }

  /** The log went offline: the session runs out unless the log is back in time. */
  wentOffline(): void {
    if (this.#session !== null || !this.hasJoined) return;
    const { sessionTimeoutMs } = this.options;
    const timer = setTimeout(() => this.setMember(false), sessionTimeoutMs);
    this.#session = { untilMs: performance.now() + sessionTimeoutMs, timer };
  }

  /** The log came online. */
  cameOnline(): void {
    this.#endSession();
    this.tasks.add(() => {
      if (this.hasJoined) this.setMember(true);
    });
  }

  protected override read(ownership: MemoryOwnership): RecordBatch | null {
    const { position, source: { low } } = ownership;
    if (position < low) {
      ownership.position = low;
      this.sink.expired(ownership, position, low);
    }
    return super.read(ownership);
  }

  protected override end(reason: LostReason, failure: Error | null): Promise<void> {
    this.#endSession();
    return super.end(reason, failure);
  }

  #endSession(): void {
    clearTimeout(this.#session?.timer);
    this.#session = null;
  }

  async #online(deadlineMs: number | undefined): Promise<boolean> {
    if (deadlineMs === undefined) return await this.tasks.online(this.closed);
    const deadline = Promise.withResolvers<void>();
    const timer = setTimeout(deadline.resolve, deadlineMs);
    const isOnline = await this.tasks.online(Promise.race([deadline.promise, this.closed]));
    clearTimeout(timer);
    return isOnline;
  }
}
