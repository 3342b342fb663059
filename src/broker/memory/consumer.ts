/**
 * A consumer of the memory log: it joins its group, reads its partitions in turn, and delivers their records.
 *
 *     joining ──▶ member ──▶ closed
 *
 * One task delivers at most one batch of each partition: a partition that the caller pauses gets no more records, and a
 * long backlog does not block the event loop.
 */
import { BrokerError } from "../../errors.ts";
import type {
  CommitOptions,
  CommitOutcome,
  ConsumeOptions,
  Consumer,
  ConsumerSink,
  Mark,
  Ownership,
  RecordBatch,
} from "../broker.ts";
import type { LostReason } from "../../monitor/events.ts";
import type { Group, Member } from "./group.ts";
import type { MemoryOwnership } from "./ownership.ts";
import type { TaskQueue } from "./task_queue.ts";

/** A batch is handed over in one turn, so that it must not take long: its limit in bytes. */
const MAX_BATCH_BYTES = 128 * 1024;

/** The deadline for disposing of a consumer, in ms. It needs one task. */
const DISPOSE_MS = 1000;

/** A consumer from its first join to its close. */
export class MemoryConsumer implements Consumer, Member {
  readonly id: string = crypto.randomUUID();
  readonly topics: readonly string[];
  /** Its options. */
  protected readonly options: ConsumeOptions;
  /** The caller's side. */
  protected readonly sink: ConsumerSink;
  /** The tasks of its log. */
  protected readonly tasks: TaskQueue;
  readonly #group: Group;
  readonly #joined = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();
  readonly #owned = new Set<MemoryOwnership>();
  #state: "joining" | "member" | "closed" = "joining";
  #closing: Promise<void> | null = null;
  #isDeliveryAdded = false;
  #isMember = false;

  /** Makes a consumer and lets it join its group. */
  constructor(group: Group, tasks: TaskQueue, options: ConsumeOptions, sink: ConsumerSink) {
    this.topics = [...new Set(options.topics)];
    this.#group = group;
    this.tasks = tasks;
    this.options = options;
    this.sink = sink;
    this.#joined.promise.catch(() => {});
    this.join();
  }

  get joined(): Promise<void> {
    return this.#joined.promise;
  }

  /** Resolves when it starts to close. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  get sessionValidUntilMs(): number {
    return this.#state === "member" && this.#isMember ? Infinity : 0;
  }

  pause(ownership: Ownership): void {
    const owned = this.#find(ownership);
    if (owned !== undefined) owned.isPaused = true;
  }

  resume(ownership: Ownership): void {
    const owned = this.#find(ownership);
    if (owned === undefined) return;
    owned.isPaused = false;
    this.wake();
  }

  commit(marks: readonly Mark[], _options?: CommitOptions): Promise<readonly CommitOutcome[]> {
    return Promise.resolve(this.#group.commit(this, marks));
  }

  /** Closes it. It takes one task, whatever the deadline. */
  close(_deadlineMs: number): Promise<void> {
    return this.end("closed", null);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close(DISPOSE_MS);
  }

  releasing(owned: readonly MemoryOwnership[]): readonly Mark[] {
    return this.sink.releasing(owned);
  }

  lost(ownerships: readonly MemoryOwnership[], reason: LostReason): void {
    for (const ownership of ownerships) {
      ownership.end();
      this.#owned.delete(ownership);
    }
    this.sink.lost(ownerships, reason);
  }

  assigned(added: readonly MemoryOwnership[], continued: readonly MemoryOwnership[]): void {
    for (const ownership of added) this.#owned.add(ownership);
    this.#state = "member";
    this.sink.assigned(added, continued);
    this.setMember(true);
    this.#joined.resolve();
    this.wake();
  }

  wake(): void {
    if (this.#isDeliveryAdded || this.#state !== "member") return;
    this.#isDeliveryAdded = true;
    this.tasks.add(() => this.#deliver());
  }

  /** Whether it is a member of its group, as far as it knows. */
  protected get hasJoined(): boolean {
    return this.#state === "member";
  }

  /** Joins its group, in a task of its own. */
  protected join(): void {
    this.tasks.add(() => {
      if (this.#state !== "closed") this.#group.join(this);
    });
  }

  /** Leaves its group without a word to the caller: its ownerships are reported as lost later. */
  protected leave(): void {
    if (this.#state === "member") this.#state = "joining";
    this.#group.leave(this);
  }

  /** Reads the next records of an ownership; `null` at the end of the partition. */
  protected read(ownership: MemoryOwnership): RecordBatch | null {
    return ownership.source.read(ownership.position, Math.min(this.options.maxFetchBytes, MAX_BATCH_BYTES));
  }

  /** Reports the membership to the sink, if it has changed. */
  protected setMember(isMember: boolean): void {
    if (this.#isMember === isMember) return;
    this.#isMember = isMember;
    this.sink.membership(isMember);
  }

  /** Ends all its ownerships. */
  protected loseAll(reason: LostReason): void {
    if (this.#owned.size > 0) this.lost([...this.#owned], reason);
  }

  /**
   * Leaves the group for good, once.
   *
   * @param reason the reason with which its ownerships end
   * @param failure the error with which it fails; `null` if it is closed
   */
  protected end(reason: LostReason, failure: Error | null): Promise<void> {
    return this.#closing ??= this.#end(reason, failure);
  }

  #deliver(): void {
    this.#isDeliveryAdded = false;
    let hasMore = false;
    for (const ownership of [...this.#owned]) {
      // Checked each time: a call of the sink may have paused or closed anything.
      if (this.#state !== "member") return;
      if (ownership.isPaused) continue;
      const batch = this.read(ownership);
      if (batch === null) continue;
      ownership.position = batch.next;
      this.sink.records(ownership, batch);
      ownership.source.clean();
      hasMore ||= batch.next < ownership.source.high;
    }
    if (hasMore) this.wake();
  }

  #find(ownership: Ownership): MemoryOwnership | undefined {
    const owned = ownership as MemoryOwnership;
    return this.#owned.has(owned) ? owned : undefined;
  }

  async #end(reason: LostReason, failure: Error | null): Promise<void> {
    this.#state = "closed";
    this.#closed.resolve();
    this.#group.leave(this);
    await this.tasks.flush();
    this.loseAll(reason);
    if (failure !== null) this.sink.failed(failure);
    const { group } = this.options;
    this.#joined.reject(failure ?? new BrokerError(`Cannot join group "${group}": the consumer was closed`));
  }
}
