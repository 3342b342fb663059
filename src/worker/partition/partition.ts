/**
 * An owned partition: one object for one ownership. It starts with an assignment and ends when the ownership is lost.
 *
 * 1. `add` receives fetched records: into the queue, and into the offset tracker.
 * 2. The runner performs them one by one.
 * 3. Finished records move the front, which the group's committer commits (`pendingMark`, `confirm`).
 */
import type { Mark, Ownership, RecordBatch } from "../../broker/broker.ts";
import type { LostReason, RunningJob } from "../../monitor/events.ts";
import type { Route } from "../../routing/route.ts";
import type { PartitionStatus, StuckRecord } from "../status.ts";
import { decodeCommitMetadata, encodeCommitMetadata, NO_PROGRESS } from "./commit_metadata.ts";
import type { CommitSource } from "./committer.ts";
import type { GroupContext } from "./context.ts";
import { LagTracker } from "./lag.ts";
import { OffsetTracker } from "./offset_tracker.ts";
import { type QueuedRecord, toQueuedRecord } from "./queued_record.ts";
import { RecordQueue } from "./record_queue.ts";
import { RetryState } from "./retry_state.ts";
import { Runner } from "./runner.ts";

/** One partition has an eighth of the worker's memory budget at most: its jobs run one by one, however many wait. */
const PARTITION_SHARE = 8;

/** See the module. */
export class Partition implements CommitSource {
  /** The broker's token for it. */
  readonly ownership: Ownership;
  /** The known end of its log. */
  readonly lag: LagTracker = new LagTracker();
  readonly #context: GroupContext;
  readonly #tracker: OffsetTracker;
  readonly #retryState: RetryState;
  readonly #queue: RecordQueue;
  readonly #runner: Runner;
  #committed: { readonly offset: number | null; readonly metadata: string };
  #isOwned = true;

  constructor(ownership: Ownership, route: Route, context: GroupContext) {
    const { committed } = ownership;
    const { consumer, memoryBudget, committer, unknownClasses } = context;
    const progress = committed === null ? NO_PROGRESS : decodeCommitMetadata(committed.metadata, committed.offset);
    this.ownership = ownership;
    this.#context = context;
    this.#tracker = new OffsetTracker(committed?.offset ?? null, progress.finished);
    this.#retryState = new RetryState(route, progress, unknownClasses);
    this.#queue = new RecordQueue({
      ownership,
      consumer,
      memoryBudget,
      maxRecords: route.maxMessages,
      maxBytes: context.config.maxBufferedBytes / PARTITION_SHARE,
    });
    this.#runner = new Runner({
      partition: ownership.partition,
      route,
      context,
      queue: this.#queue,
      retryState: this.#retryState,
      onFinished: (record) => this.#finish(record),
      onProgress: () => committer.schedule(this),
    });
    this.#committed = committed ?? { offset: null, metadata: "" };
  }

  /** The position up to which everything is finished; `null` while nothing is known. */
  get front(): number | null {
    return this.#tracker.front;
  }

  /** Returns the records that wait for an operator. */
  stuck(): StuckRecord[] {
    return this.#runner.stuck();
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
      // No record waits, but the log has more: its age is unknown until it is fetched.
      oldestAgeMs: this.#queue.oldestAgeMs(Date.now()) ?? (lag === 0 ? 0 : null),
      waiting: this.#queue.length,
      running: this.running(),
      retrying: this.#runner.retrying(),
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
  }

  /**
   * Ends the ownership: nothing of it counts any more.
   *
   * @returns a promise that resolves once its job has ended
   */
  lose(reason: LostReason): Promise<void> {
    this.#isOwned = false;
    const ended = this.#runner.end();
    this.#context.committer.cancel(this);
    this.#queue.clear();
    const { topic, partition } = this.ownership;
    this.#context.config.monitor.emit("partition.lost", { topic, partition, reason });
    return ended;
  }

  /** Ends the wait for a next try, since the worker stops. */
  stop(): void {
    this.#runner.endWait();
  }

  /** Asks the running job to end. */
  abort(reason: Error): void {
    this.#runner.abort(reason);
  }

  /** Returns what is to be committed; `null` if the broker has it already. */
  pendingMark(): Mark | null {
    const next = this.#tracker.front;
    if (!this.#isOwned || next === null) return null;
    const progress = { ...this.#retryState.progress(), finished: this.#tracker.finishedRanges() };
    const metadata = encodeCommitMetadata(progress, next, this.#context.maxMetadataLength);
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
    this.#tracker.add(record);
    if (!this.#tracker.wasFinished(record.offset)) return this.#queue.push(record);
    const { topic, partition } = this.ownership;
    const { monitor } = this.#context.config;
    monitor.emit("record.skipped", { topic, partition, offset: record.offset, reason: "finished" });
    this.#tracker.finish(record);
    this.#context.committer.schedule(this);
  }

  #skipTo(next: number): void {
    this.#tracker.skipTo(next);
    this.#context.committer.schedule(this);
  }

  #finish(record: QueuedRecord): void {
    this.#queue.shift();
    this.#tracker.finish(record);
    this.#context.committer.schedule(this);
  }
}
