/**
 * An owned partition: one object for one ownership. It starts with an assignment and ends when the ownership is lost.
 *
 * 1. `add` receives fetched records: into the offset tracker, and into the queue.
 * 2. The runner performs them as the queue has them ready.
 * 3. Finished records move the front, which the group's committer commits (`pendingMark`, `confirm`).
 */
import type { Mark, Ownership, RecordBatch } from "../../broker/broker.ts";
import type { LostReason, RunningJob } from "../../monitor/events.ts";
import type { Route } from "../../routing/route.ts";
import type { PartitionStatus, StuckRecord } from "../status.ts";
import { capacityOf, decodeCommitMetadata, encodeCommitMetadata, NO_PROGRESS } from "./commit_metadata.ts";
import type { GroupContext } from "./context.ts";
import type { PartitionHandler } from "./handler.ts";
import { LagTracker } from "./lag.ts";
import { OffsetTracker } from "./offset_tracker.ts";
import { dropContent, type QueuedRecord, toQueuedRecord } from "./queued_record.ts";
import { RecordQueue } from "./record_queue.ts";
import { RetryState } from "./retry_state.ts";
import { RetryWaits } from "./retry_waits.ts";
import { Runner } from "./runner.ts";

/** One partition has an eighth of the worker's memory budget at most. */
const PARTITION_SHARE = 8;

/** See the module. */
export class Partition implements PartitionHandler {
  /** The broker's token for it. */
  readonly ownership: Ownership;
  /** The known end of its log. */
  readonly lag: LagTracker = new LagTracker();
  readonly #context: GroupContext;
  readonly #tracker: OffsetTracker;
  readonly #retryState: RetryState;
  readonly #queue: RecordQueue;
  readonly #waits: RetryWaits;
  readonly #runner: Runner;
  #committed: { readonly offset: number | null; readonly metadata: string };
  #isExhausted = false;

  constructor(ownership: Ownership, route: Route, context: GroupContext) {
    const { topic, partition, committed } = ownership;
    const place = { topic, partition };
    const { consumer, memoryBudget, committer, unknownClasses, config: { monitor, skipCommand } } = context;
    const progress = committed === null ? NO_PROGRESS : decodeCommitMetadata(committed.metadata, committed.offset);
    this.ownership = ownership;
    this.#context = context;
    this.#tracker = new OffsetTracker(committed?.offset ?? null, progress.finished);
    this.#retryState = new RetryState(route, progress, unknownClasses);
    this.#queue = new RecordQueue({
      ordering: route.ordering,
      ownership,
      consumer,
      memoryBudget,
      maxRecords: route.maxMessages,
      maxBytes: context.config.maxBufferedBytes / PARTITION_SHARE,
      fits: (record) => this.#tracker.fits(record, capacityOf(context.metadataLimit.maxLength)),
      onKeptBack: (record) => this.#runner.leaveTurn(record),
    });
    const onProgress = () => {
      committer.schedule(this);
      this.#checkExhausted();
    };
    this.#waits = new RetryWaits({
      place,
      queue: this.#queue,
      retryState: this.#retryState,
      monitor,
      skipCommand,
      onReady: () => this.#runner.start(),
      onProgress,
    });
    this.#runner = new Runner({
      place,
      route,
      context,
      queue: this.#queue,
      retryState: this.#retryState,
      waits: this.#waits,
      onFinished: (record) => this.#finish(record),
      onProgress,
    });
    this.#committed = committed ?? { offset: null, metadata: "" };
  }

  /** The position up to which everything is finished; `null` while nothing is known. */
  get front(): number | null {
    return this.#tracker.front;
  }

  /** Returns the records that wait for an operator. */
  stuck(): StuckRecord[] {
    return this.#waits.stuck();
  }

  /**
   * Returns whether nothing before this offset can be performed until an operator helps: what is read waits for one, and
   * no more is read.
   */
  isStuckBefore(end: number): boolean {
    return this.#waits.isStuck && (this.#queue.isKeptBack || this.#tracker.end >= end);
  }

  /** Returns the jobs that run. */
  running(): RunningJob[] {
    return this.#runner.running();
  }

  /** Returns its status. */
  status(): PartitionStatus {
    const { topic, partition } = this.ownership;
    const position = this.front;
    const lag = this.lag.lagOf(position);
    return {
      topic,
      partition,
      position,
      highWatermark: this.lag.highWatermark,
      lag,
      oldestAgeMs: this.#oldestAgeMs(lag),
      waiting: this.#queue.length,
      isExhausted: this.#isExhausted,
      pausedBy: this.#context.control.pauseOf(topic, partition),
      running: this.running(),
      retrying: this.#waits.retrying(),
      stuck: this.stuck(),
    };
  }

  /** Adds fetched records. Called by the broker; returns at once. */
  add({ records, next, highWatermark }: RecordBatch): void {
    this.lag.update(highWatermark);
    for (let index = 0; index < records.length; index++) {
      const record = records[index]!;
      const isLast = index === records.length - 1;
      this.#addRecord(toQueuedRecord(record, isLast ? Math.max(next, record.offset + 1) : record.offset + 1));
    }
    if (records.length === 0) this.#skipTo(next);
    this.#queue.pauseIfFull();
    this.#runner.start();
    this.#checkExhausted();
  }

  /**
   * Ends the ownership: nothing of it counts any more.
   *
   * @returns a promise that resolves once its jobs have ended
   */
  lose(reason: LostReason): Promise<void> {
    const ended = this.#runner.end();
    this.#context.committer.cancel(this);
    this.#queue.clear();
    const { topic, partition } = this.ownership;
    this.#context.config.monitor.emit("partition.lost", { topic, partition, reason });
    return ended;
  }

  /** Ends the waits for a next try, since the worker stops. */
  stop(): void {
    this.#runner.stop();
  }

  /** Asks the running jobs to end. */
  abort(reason: Error): void {
    this.#runner.abort(reason);
  }

  /** Returns what is to be committed; `null` if the broker has it already. */
  pendingMark(): Mark | null {
    const next = this.#tracker.front;
    if (!this.#runner.isOwned || next === null) return null;
    const progress = { ...this.#retryState.progress(next), finished: this.#tracker.finishedRanges() };
    const metadata = encodeCommitMetadata(progress, next, this.#context.metadataLimit.maxLength);
    if (next === this.#committed.offset && metadata === this.#committed.metadata) return null;
    return { ownership: this.ownership, next, metadata };
  }

  /** Takes note that the broker has this. */
  confirm({ next, metadata }: Mark): void {
    this.#committed = { offset: next, metadata };
    const { monitor } = this.#context.config;
    if (!monitor.hasListener("offset.committed")) return;
    const { topic, partition } = this.ownership;
    monitor.emit("offset.committed", { topic, partition, offset: next });
  }

  #addRecord(record: QueuedRecord): void {
    const wasFinished = this.#tracker.add(record);
    if (!wasFinished) return this.#queue.push(record);
    const { topic, partition } = this.ownership;
    const { monitor } = this.#context.config;
    monitor.emit("record.skipped", { topic, partition, offset: record.offset, reason: "finished" });
    dropContent(record);
    this.#tracker.finish(record);
    this.#context.committer.schedule(this);
  }

  #skipTo(next: number): void {
    this.#tracker.skipTo(next);
    this.#context.committer.schedule(this);
  }

  #finish(record: QueuedRecord): void {
    this.#tracker.finish(record);
    this.#queue.remove(record);
    this.#isExhausted = false;
    this.#context.committer.schedule(this);
    this.#checkExhausted();
  }

  /** Reports that no job can start until one that failed is finished. */
  #checkExhausted(): void {
    if (this.#isExhausted || !this.#queue.isExhausted || !this.#waits.isWaiting) return;
    this.#isExhausted = true;
    const { topic, partition } = this.ownership;
    const { front } = this;
    this.#context.config.monitor.emit("partition.exhausted", { topic, partition, front, waiting: this.#queue.length });
  }

  /** Returns the age of the first record that is not finished, as far as clocks agree; `null` if it is unknown. */
  #oldestAgeMs(lag: number | null): number | null {
    const { first } = this.#tracker;
    // No record waits, but the log has more: its age is unknown until it is fetched.
    if (first === undefined) return lag === 0 ? 0 : null;
    return first.timestampMs <= 0 ? null : Math.max(0, Date.now() - first.timestampMs);
  }
}
