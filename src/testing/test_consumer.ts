/**
 * A consumer of a test, between the consumer of the log and the worker.
 *
 * - It delivers only the jobs that are selected. It commits no further than the first job that it held back, so that
 *   the committed offset of the group never passes a job that waits.
 * - It records which jobs are finished.
 * - It takes partitions away as the test has planned. From that moment on the ownership is not proved: the worker marks
 *   nothing of it until it learns of the loss, as during the rebalance of a real group.
 */
import type {
  CommitOptions,
  CommitOutcome,
  ConsumeOptions,
  Consumer,
  ConsumerSink,
  Mark,
  Ownership,
  RecordBatch,
} from "../broker/broker.ts";
import { MAX_COMMIT_METADATA_LENGTH } from "../broker/memory/group.ts";
import type { JobInfo, LostReason } from "../monitor/events.ts";
import type { Position } from "../support/position.ts";
import { decodeCommitMetadata, encodeCommitMetadata } from "../worker/partition/commit_metadata.ts";
import { isInRanges, type OffsetRange } from "../worker/partition/offset_states.ts";
import type { RecordedJob } from "./job_recorder.ts";
import type { RevocableConsumer, TestContext } from "./test_context.ts";

/** The jobs that were delivered of an ownership. */
interface Delivery {
  /** The jobs that were delivered and are not finished. */
  readonly jobs: Set<RecordedJob>;
  /** The offset of the first job that was held back; `Infinity` for none. */
  heldBack: number;
  /** The jobs whose marks are lost. */
  readonly lostMarks: JobInfo[];
}

/** See the module. */
export class TestConsumer implements Consumer, ConsumerSink, RevocableConsumer {
  readonly #context: TestContext;
  readonly #options: ConsumeOptions;
  readonly #sink: ConsumerSink;
  readonly #consumer: Consumer;
  readonly #deliveries = new Map<Ownership, Delivery>();
  /** The ownerships that the test has taken away and that the worker has not lost yet. */
  readonly #revoked = new Set<Ownership>();

  /**
   * Starts a consumer.
   *
   * @param sink the worker's side
   * @param consume starts the consumer of the log, with this object as its sink
   */
  constructor(
    context: TestContext,
    options: ConsumeOptions,
    sink: ConsumerSink,
    consume: (sink: ConsumerSink) => Consumer,
  ) {
    this.#context = context;
    this.#options = options;
    this.#sink = sink;
    this.#consumer = consume(this);
    context.consumers.add(this);
  }

  revoke(at: Position): void {
    for (const ownership of this.#deliveries.keys()) if (contains(ownership, at)) this.#takeAway(ownership);
  }

  loseMark(job: JobInfo): void {
    for (const [ownership, delivery] of this.#deliveries) {
      if (!contains(ownership, job)) continue;
      delivery.lostMarks.push(job);
      this.#takeAway(ownership);
    }
  }

  // Calls of the worker.

  get joined(): Promise<void> {
    return this.#consumer.joined;
  }

  get sessionValidUntilMs(): number {
    return this.#revoked.size > 0 ? 0 : this.#consumer.sessionValidUntilMs;
  }

  pause(ownership: Ownership): void {
    this.#consumer.pause(ownership);
  }

  resume(ownership: Ownership): void {
    this.#consumer.resume(ownership);
  }

  async commit(marks: readonly Mark[], options?: CommitOptions): Promise<readonly CommitOutcome[]> {
    const outcomes = await this.#consumer.commit(marks.map((mark) => this.#limit(mark)), options);
    for (const [index, mark] of marks.entries()) if (outcomes[index] === "committed") this.#recordFinished(mark);
    return outcomes;
  }

  async close(deadlineMs: number): Promise<void> {
    await this.#consumer.close(deadlineMs);
    this.#context.consumers.delete(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#consumer[Symbol.asyncDispose]();
    this.#context.consumers.delete(this);
  }

  // Calls of the log's consumer.

  assigned(added: readonly Ownership[], continued: readonly Ownership[]): void {
    for (const ownership of added) {
      this.#deliveries.set(ownership, { jobs: new Set(), heldBack: Infinity, lostMarks: [] });
    }
    this.#sink.assigned(added, continued);
  }

  records(ownership: Ownership, batch: RecordBatch): void {
    const delivery = this.#deliveries.get(ownership)!;
    const { recorder, selected, catalog: { scheduledTopic } } = this.#context;
    // Delayed jobs are selected once they are in their own topics.
    if (ownership.topic === scheduledTopic) return this.#sink.records(ownership, batch);
    const records = batch.records.filter(({ offset }) => {
      const recorded = recorder.find({ topic: ownership.topic, partition: ownership.partition, offset });
      if (recorded === undefined || recorded.isFinished) return false;
      const isSelected = selected === null || selected.has(recorded);
      if (isSelected) delivery.jobs.add(recorded);
      else delivery.heldBack = Math.min(delivery.heldBack, offset);
      return isSelected;
    });
    this.#sink.records(ownership, { ...batch, records });
  }

  releasing(ownerships: readonly Ownership[]): readonly Mark[] {
    return this.#sink.releasing(ownerships).map((mark) => {
      this.#recordFinished(mark);
      return this.#limit(mark);
    });
  }

  lost(ownerships: readonly Ownership[], reason: LostReason): void {
    for (const ownership of ownerships) {
      this.#deliveries.delete(ownership);
      this.#revoked.delete(ownership);
    }
    this.#sink.lost(ownerships, reason);
  }

  expired(ownership: Ownership, from: number, to: number): void {
    this.#sink.expired(ownership, from, to);
  }

  membership(isMember: boolean): void {
    this.#sink.membership(isMember);
  }

  failed(error: Error): void {
    this.#sink.failed(error);
  }

  #takeAway(ownership: Ownership): void {
    this.#revoked.add(ownership);
    this.#context.log.revoke(this.#options.group, ownership);
  }

  /** Returns the part of a mark that is committed: before the first job that was held back, and without lost marks. */
  #limit(mark: Mark): Mark {
    const { heldBack = Infinity, lostMarks = [] } = this.#deliveries.get(mark.ownership) ?? {};
    const next = Math.min(mark.next, heldBack, ...lostMarks.map(({ offset }) => offset));
    if (next === mark.next && lostMarks.length === 0) return mark;
    const progress = decodeCommitMetadata(mark.metadata, mark.next);
    // The failures of a job before it succeeded were reported: its next run continues to count.
    const retried = lostMarks.filter(({ attempt }) => attempt > 1)
      .map(({ offset, attempt }) => ({ offset, attempts: attempt - 1 }));
    const failed = [...retried, ...progress.failed].sort((a, b) => a.offset - b.offset);
    const finished = lostMarks.reduce<readonly OffsetRange[]>(without, progress.finished);
    // Offsets are encoded as distances from the committed one.
    const metadata = encodeCommitMetadata({ ...progress, failed, finished }, next, MAX_COMMIT_METADATA_LENGTH);
    return { ...mark, next, metadata };
  }

  /** Records the jobs that a mark finishes: those before it, and those after it that its metadata names. */
  #recordFinished({ ownership, next, metadata }: Mark): void {
    const { jobs = new Set<RecordedJob>(), lostMarks = [] } = this.#deliveries.get(ownership) ?? {};
    const { finished } = decodeCommitMetadata(metadata, next);
    for (const recorded of jobs) {
      const { offset } = recorded.job;
      if (lostMarks.some((job) => job.offset === offset)) continue;
      if (offset >= next && !isInRanges(offset, finished)) continue;
      recorded.isFinished = true;
      jobs.delete(recorded);
    }
  }
}

function contains({ topic, partition }: Ownership, at: Position): boolean {
  return topic === at.topic && partition === at.partition;
}

/** Returns ranges without one offset. */
function without(ranges: readonly OffsetRange[], { offset }: { readonly offset: number }): OffsetRange[] {
  return ranges.flatMap(({ from, to }) => {
    const parts = offset < from || offset >= to ? [{ from, to }] : [{ from, to: offset }, { from: offset + 1, to }];
    return parts.filter((part) => part.from < part.to);
  });
}
