/**
 * An owned partition: what was taken of it, how far it is, and what is to be committed. One object for one ownership: it
 * begins with an assignment and ends when the broker says that the ownership is lost, and never comes back.
 *
 * Records are taken here, performed by the partition's loop, finished here, and committed by the group's commit loop.
 */
import type { Mark, Ownership, RecordBatch } from "../broker/broker.ts";
import type { LostReason, RecordInfo, RunningJob } from "../monitor/events.ts";
import type { Route } from "../routing/route.ts";
import type { Committable } from "./commit_loop.ts";
import { takeIn, type WaitingRecord } from "./decode.ts";
import { decodeProgress, encodeProgress, NO_PROGRESS } from "./finished_offsets.ts";
import type { GroupContext } from "./group_context.ts";
import { HeadRecord } from "./head_record.ts";
import { LogEnd } from "./log_end.ts";
import { OffsetTracker } from "./offset_tracker.ts";
import { PerformLoop } from "./perform_loop.ts";
import type { PartitionStatus } from "./status.ts";
import { WaitingRecords } from "./waiting_records.ts";

/** A partition while it is ours. */
export class OwnedPartition implements Committable {
  /** The broker's token for it. */
  readonly ownership: Ownership;
  /** How far its log reaches. */
  readonly end: LogEnd = new LogEnd();
  readonly #context: GroupContext;
  readonly #tracker: OffsetTracker;
  readonly #head: HeadRecord;
  readonly #waiting: WaitingRecords;
  readonly #loop: PerformLoop;
  #committed: { readonly offset: number | null; readonly metadata: string };
  #live = true;

  constructor(ownership: Ownership, route: Route, context: GroupContext) {
    const { committed } = ownership;
    const progress = committed === null ? NO_PROGRESS : decodeProgress(committed.metadata, committed.offset);
    this.ownership = ownership;
    this.#context = context;
    this.#tracker = new OffsetTracker(committed?.offset ?? null, progress.finished);
    this.#head = new HeadRecord(route, progress);
    this.#waiting = new WaitingRecords(ownership, context.consumer, context.intake, route.maxMessages);
    this.#loop = new PerformLoop({
      partition: ownership.partition,
      route,
      context,
      waiting: this.#waiting,
      head: this.#head,
      finish: (record) => this.#finish(record),
      changed: () => context.commits.touch(this),
    });
    this.#committed = committed ?? { offset: null, metadata: "" };
  }

  /** The position up to which everything is finished; `null` while nothing is known. */
  get front(): number | null {
    return this.#tracker.front;
  }

  /** The record at which the partition waits for an operator; `null` for none. */
  get stuckAt(): RecordInfo | null {
    return this.#loop.stuckAt;
  }

  /** The job that runs; `null` for none. */
  get running(): RunningJob | null {
    return this.#loop.running;
  }

  /** What there is to say of it now. */
  status(): PartitionStatus {
    const { topic, partition } = this.ownership;
    const position = this.front;
    const lag = this.end.lag(position);
    return {
      topic,
      partition,
      position,
      highWatermark: this.end.high,
      lag,
      // Nothing waits, but there is more in the log: it has yet to be fetched.
      oldestAgeMs: this.#waiting.oldestAgeMs(Date.now()) ?? (lag === 0 ? 0 : null),
      waiting: this.#waiting.count,
      isPaused: this.#loop.isPaused,
      stuckAt: this.stuckAt,
    };
  }

  /** Takes what was fetched. Called by the broker; returns at once. */
  take({ records, next, highWatermark }: RecordBatch): void {
    if (!this.#live) return;
    this.end.reaches(highWatermark);
    for (let index = 0; index < records.length; index++) {
      const record = records[index]!;
      const isLast = index === records.length - 1;
      this.#takeOne(takeIn(record, isLast ? Math.max(next, record.offset + 1) : record.offset + 1));
    }
    if (records.length === 0) this.#passTo(next);
    this.#waiting.pauseIfFull();
    this.#loop.start();
  }

  /**
   * The ownership has ended: nothing of it counts any more.
   *
   * @returns a promise that resolves once its job has ended
   */
  lose(reason: LostReason): Promise<void> {
    this.#live = false;
    const ended = this.#loop.end();
    this.#context.commits.forget(this);
    this.#waiting.clear();
    const { topic, partition } = this.ownership;
    this.#context.monitor.emit("partition.lost", { topic, partition, reason });
    return ended;
  }

  /** The worker stops: no wait goes on. */
  stop(): void {
    this.#loop.wake();
  }

  /** Asks the running job to end. */
  abort(reason: Error): void {
    this.#loop.abort(reason);
  }

  /** What is to be committed; `null` where the broker has it already. */
  pendingMark(): Mark | null {
    const next = this.#tracker.front;
    if (!this.#live || next === null) return null;
    const progress = { ...this.#head.progress(), finished: this.#tracker.finishedBeyond() };
    const metadata = encodeProgress(progress, next, this.#context.maxMetadataLength);
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

  #takeOne(record: WaitingRecord): void {
    this.#tracker.take(record);
    if (!this.#tracker.wasFinished(record.offset)) return this.#waiting.push(record);
    const { topic, partition } = this.ownership;
    this.#context.monitor.emit("record.skipped", { topic, partition, offset: record.offset, reason: "finished" });
    this.#tracker.finish(record);
    this.#context.commits.touch(this);
  }

  #passTo(next: number): void {
    this.#tracker.passTo(next);
    this.#context.commits.touch(this);
  }

  #finish(record: WaitingRecord): void {
    this.#waiting.shift();
    this.#tracker.finish(record);
    this.#context.commits.touch(this);
  }
}
