/**
 * A consumer of a test: it stands between the log's consumer and the worker. Upwards it holds back the jobs that are
 * not to be performed now; downwards it commits no further than the first of them, so that the group's offset never
 * passes a job that waits, and it notes which jobs are done.
 *
 * A partition that the test takes away is not proved any more from that moment on: what the worker has of it waits for
 * the loss, as it does while a real group rebalances, and nothing of it is marked.
 */
import type {
  CommitOptions,
  ConsumeOptions,
  Consumer,
  ConsumerSink,
  Mark,
  Ownership,
  RecordBatch,
} from "../broker/broker.ts";
import { MAX_COMMIT_METADATA_LENGTH } from "../broker/memory/group.ts";
import type { JobInfo, LostReason } from "../monitor/events.ts";
import { decodeCommitMetadata, encodeCommitMetadata } from "../worker/partition/commit_metadata.ts";
import type { Entry } from "./job_recorder.ts";
import type { Partitions, TestContext } from "./test_context.ts";
import type { Position } from "../support/position.ts";

/** An ownership, and what of it was handed over. */
interface Share {
  /** In their order; what is done has left. */
  readonly handed: Entry[];
  /** The first job that was held back. */
  heldBack: number;
  /** The job whose mark is lost; `null` for none. */
  unmarked: JobInfo | null;
}

/** See the module. */
export class TestConsumer implements Consumer, ConsumerSink, Partitions {
  readonly #context: TestContext;
  readonly #options: ConsumeOptions;
  readonly #sink: ConsumerSink;
  readonly #consumer: Consumer;
  readonly #shares = new Map<Ownership, Share>();
  /** What the test has taken away and the worker has not lost yet. */
  readonly #doubtful = new Set<Ownership>();

  constructor(
    context: TestContext,
    options: ConsumeOptions,
    sink: ConsumerSink,
    consume: (between: ConsumerSink) => Consumer,
  ) {
    this.#context = context;
    this.#options = options;
    this.#sink = sink;
    this.#consumer = consume(this);
    context.consumers.add(this);
  }

  /** Takes the partition of a job away. */
  revoke(at: Position): void {
    for (const ownership of this.#shares.keys()) if (isAt(ownership, at)) this.#takeAway(ownership);
  }

  /** The same, for a job that has passed: it is not marked, what came before it is. */
  loseMark(job: JobInfo): void {
    for (const [ownership, share] of this.#shares) {
      if (!isAt(ownership, job)) continue;
      share.unmarked = job;
      this.#takeAway(ownership);
    }
  }

  // The worker asks.

  get joined(): Promise<void> {
    return this.#consumer.joined;
  }

  get sessionValidUntilMs(): number {
    return this.#doubtful.size > 0 ? 0 : this.#consumer.sessionValidUntilMs;
  }

  pause(ownership: Ownership): void {
    this.#consumer.pause(ownership);
  }

  resume(ownership: Ownership): void {
    this.#consumer.resume(ownership);
  }

  async commit(marks: readonly Mark[], options?: CommitOptions): ReturnType<Consumer["commit"]> {
    const outcomes = await this.#consumer.commit(marks.map((mark) => this.#bounded(mark)), options);
    for (const [index, mark] of marks.entries()) if (outcomes[index] === "committed") this.#note(mark);
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

  // The log tells.

  assigned(added: readonly Ownership[], continued: readonly Ownership[]): void {
    for (const ownership of added) {
      this.#shares.set(ownership, { handed: [], heldBack: Infinity, unmarked: null });
    }
    this.#sink.assigned(added, continued);
  }

  records(ownership: Ownership, batch: RecordBatch): void {
    const share = this.#shares.get(ownership)!;
    const { recorder, chosen } = this.#context;
    const records = batch.records.filter(({ offset }) => {
      const entry = recorder.at({ topic: ownership.topic, partition: ownership.partition, offset });
      if (entry === undefined || entry.done) return false;
      const isChosen = chosen === null || chosen.has(entry);
      if (isChosen) share.handed.push(entry);
      else share.heldBack = Math.min(share.heldBack, offset);
      return isChosen;
    });
    this.#sink.records(ownership, { ...batch, records });
  }

  releasing(ownerships: readonly Ownership[]): readonly Mark[] {
    return this.#sink.releasing(ownerships).map((mark) => {
      this.#note(mark);
      return this.#bounded(mark);
    });
  }

  lost(ownerships: readonly Ownership[], reason: LostReason): void {
    for (const ownership of ownerships) {
      this.#shares.delete(ownership);
      this.#doubtful.delete(ownership);
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
    this.#doubtful.add(ownership);
    this.#context.log.revoke(this.#options.group, ownership);
  }

  /** What is committed of a mark. */
  #bounded(mark: Mark): Mark {
    const { heldBack = Infinity, unmarked = null } = this.#shares.get(mark.ownership) ?? {};
    const next = Math.min(mark.next, heldBack, unmarked?.offset ?? Infinity);
    if (next === mark.next) return mark;
    const progress = decodeCommitMetadata(mark.metadata, mark.next);
    // What it had failed before it passed was told before: whoever performs it again counts on from there.
    const failed = unmarked === null || unmarked.attempt === 1
      ? progress.failed
      : { offset: unmarked.offset, attempts: unmarked.attempt - 1 };
    // Offsets are written as distances from the committed one.
    const metadata = encodeCommitMetadata({ ...progress, failed }, next, MAX_COMMIT_METADATA_LENGTH);
    return { ...mark, next, metadata };
  }

  /** A mark counts: what was handed over before it is done. */
  #note({ ownership, next }: Mark): void {
    const { handed = [], unmarked = null } = this.#shares.get(ownership) ?? {};
    const limit = Math.min(next, unmarked?.offset ?? Infinity);
    while (handed.length > 0 && handed[0]!.job.offset < limit) handed.shift()!.done = true;
  }
}

function isAt({ topic, partition }: Ownership, at: Position): boolean {
  return topic === at.topic && partition === at.partition;
}
