/**
 * An owned partition: what was taken of it, how far it is, and what is to be committed. One object for one ownership: it
 * begins with an assignment and ends when the broker says that the ownership is lost, and never comes back.
 *
 * Records are taken here, performed by the partition's loop, finished here, and committed by the group's commit loop.
 */
import type { Mark, Ownership, RecordBatch } from "../../broker/broker.ts";
import type { LostReason, RunningJob } from "../../monitor/events.ts";
import type { Route } from "../../routing/route.ts";
import type { Committable } from "./committer.ts";
import { type QueuedRecord, takeIn } from "./decode.ts";
import { decodeCommitMetadata, encodeCommitMetadata, NO_PROGRESS } from "./commit_metadata.ts";
import type { GroupContext } from "./context.ts";
import { RetryState } from "./retry_state.ts";
import { LagTracker } from "./lag.ts";
import { OffsetTracker } from "./offset_tracker.ts";
import { Runner } from "./runner.ts";
import type { PartitionStatus, StuckRecord } from "../status.ts";
import { RecordQueue } from "./record_queue.ts";

/** A partition while it is ours. */
export class Partition implements Committable {
  /** The broker's token for it. */
  readonly ownership: Ownership;
  /** How far its log reaches. */
  readonly lag: LagTracker = new LagTracker();
  readonly #context: GroupContext;
  readonly #tracker: OffsetTracker;
  readonly #retryState: RetryState;
  readonly #queue: RecordQueue;
  readonly #runner: Runner;
  #committed: { readonly offset: number | null; readonly metadata: string };
  #live = true;

  constructor(ownership: Ownership, route: Route, context: GroupContext) {
    const { committed } = ownership;
    const progress = committed === null ? NO_PROGRESS : decodeCommitMetadata(committed.metadata, committed.offset);
    this.ownership = ownership;
    this.#context = context;
    this.#tracker = new OffsetTracker(committed?.offset ?? null, progress.finished);
    this.#retryState = new RetryState(route, progress);
    this.#queue = new RecordQueue(ownership, context.consumer, context.memoryBudget, route.maxMessages);
    this.#runner = new Runner({
      partition: ownership.partition,
      route,
      context,
      queue: this.#queue,
      retryState: this.#retryState,
      finish: (record) => this.#finish(record),
      changed: () => context.committer.schedule(this),
    });
    this.#committed = committed ?? { offset: null, metadata: "" };
  }

  /** The position up to which everything is finished; `null` while nothing is known. */
  get front(): number | null {
    return this.#tracker.front;
  }

  /** The records that wait for an operator. */
  stuck(): StuckRecord[] {
    return this.#runner.stuck();
  }

  /** The job that runs; `null` for none. */
  get running(): RunningJob | null {
    return this.#runner.running;
  }

  /** What there is to say of it now. */
  status(): PartitionStatus {
    const { topic, partition } = this.ownership;
    const position = this.front;
    const lag = this.lag.lag(position);
    return {
      topic,
      partition,
      position,
      highWatermark: this.lag.high,
      lag,
      // Nothing waits, but there is more in the log: it has yet to be fetched.
      oldestAgeMs: this.#queue.oldestAgeMs(Date.now()) ?? (lag === 0 ? 0 : null),
      waiting: this.#queue.count,
      running: this.running === null ? [] : [this.running],
      retrying: this.#runner.retrying(),
      stuck: this.stuck(),
    };
  }

  /** Takes what was fetched. Called by the broker; returns at once. */
  take({ records, next, highWatermark }: RecordBatch): void {
    if (!this.#live) return;
    this.lag.update(highWatermark);
    for (let index = 0; index < records.length; index++) {
      const record = records[index]!;
      const isLast = index === records.length - 1;
      this.#takeOne(takeIn(record, isLast ? Math.max(next, record.offset + 1) : record.offset + 1));
    }
    if (records.length === 0) this.#passTo(next);
    this.#queue.pauseIfFull();
    this.#runner.start();
  }

  /**
   * The ownership has ended: nothing of it counts any more.
   *
   * @returns a promise that resolves once its job has ended
   */
  lose(reason: LostReason): Promise<void> {
    this.#live = false;
    const ended = this.#runner.end();
    this.#context.committer.forget(this);
    this.#queue.clear();
    const { topic, partition } = this.ownership;
    this.#context.monitor.emit("partition.lost", { topic, partition, reason });
    return ended;
  }

  /** The worker stops: no wait goes on. */
  stop(): void {
    this.#runner.wake();
  }

  /** Asks the running job to end. */
  abort(reason: Error): void {
    this.#runner.abort(reason);
  }

  /** What is to be committed; `null` where the broker has it already. */
  pendingMark(): Mark | null {
    const next = this.#tracker.front;
    if (!this.#live || next === null) return null;
    const progress = { ...this.#retryState.progress(), finished: this.#tracker.finishedBeyond() };
    const metadata = encodeCommitMetadata(progress, next, this.#context.maxMetadataLength);
    if (next === this.#committed.offset && metadata === this.#committed.metadata) return null;
    return { ownership: this.ownership, next, metadata };
  }

  /** The broker has this. */
  committed({ next, metadata }: Mark): void {
    this.#committed = { offset: next, metadata };
    const { monitor } = this.#context;
    if (!monitor.hears("offset.committed")) return;
    const { topic, partition } = this.ownership;
    monitor.emit("offset.committed", { topic, partition, offset: next });
  }

  #takeOne(record: QueuedRecord): void {
    this.#tracker.take(record);
    if (!this.#tracker.wasFinished(record.offset)) return this.#queue.push(record);
    const { topic, partition } = this.ownership;
    this.#context.monitor.emit("record.skipped", { topic, partition, offset: record.offset, reason: "finished" });
    this.#tracker.finish(record);
    this.#context.committer.schedule(this);
  }

  #passTo(next: number): void {
    this.#tracker.passTo(next);
    this.#context.committer.schedule(this);
  }

  #finish(record: QueuedRecord): void {
    this.#queue.shift();
    this.#tracker.finish(record);
    this.#context.committer.schedule(this);
  }
}
