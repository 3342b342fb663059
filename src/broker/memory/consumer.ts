/**
 * A consumer on the memory log: it joins its group, reads its partitions in turn and hands records over.
 *
 *     joining ──▶ member ◀──▶ blocked (a fault: as if the process had stood still past its session)
 *        └───────────┴────────────┴──▶ closed
 *
 * One turn hands over at most one batch of each partition, so that one which the worker pauses gets nothing more, and the
 * event loop is never held by a backlog.
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
} from "../broker.ts";
import type { LostReason } from "../../monitor/events.ts";
import type { Group, Member } from "./group.ts";
import type { MemoryOwnership } from "./ownership.ts";
import type { TaskQueue } from "./task_queue.ts";

/** How long disposing of a consumer may take, in milliseconds. It needs one turn. */
const DISPOSE_MS = 1000;

/** See the module. */
export class MemoryConsumer implements Consumer, Member {
  readonly id: string = crypto.randomUUID();
  readonly topics: readonly string[];
  readonly #group: Group;
  readonly #turns: TaskQueue;
  readonly #sink: ConsumerSink;
  readonly #options: ConsumeOptions;
  readonly #joined = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();
  readonly #owned = new Set<MemoryOwnership>();
  #state: "joining" | "member" | "blocked" | "closed" = "joining";
  #closing: Promise<void> | null = null;
  #turnAsked = false;
  #isMember = false;
  /** While the log is away: when the session ends, and the timer that says so. */
  #session: { readonly untilMs: number; readonly timer: ReturnType<typeof setTimeout> } | null = null;

  constructor(group: Group, turns: TaskQueue, options: ConsumeOptions, sink: ConsumerSink) {
    this.topics = [...new Set(options.topics)];
    this.#group = group;
    this.#turns = turns;
    this.#options = options;
    this.#sink = sink;
    this.#joined.promise.catch(() => {});
    this.#join();
  }

  get joined(): Promise<void> {
    return this.#joined.promise;
  }

  /** Resolves when it begins to close. */
  get closing(): Promise<void> {
    return this.#closed.promise;
  }

  get sessionValidUntilMs(): number {
    if (this.#state !== "member") return 0;
    return this.#session?.untilMs ?? (this.#isMember ? Infinity : 0);
  }

  pause(ownership: Ownership): void {
    const owned = this.#find(ownership);
    if (owned !== undefined) owned.paused = true;
  }

  resume(ownership: Ownership): void {
    const owned = this.#find(ownership);
    if (owned === undefined) return;
    owned.paused = false;
    this.wake();
  }

  async commit(marks: readonly Mark[], options: CommitOptions = {}): Promise<CommitOutcome[]> {
    // Without waiting where nothing hinders: a commit belongs to the generation in which it was called.
    if (this.#turns.away && !await this.#reachable(options.deadlineMs)) return marks.map(() => "unknown");
    return this.#group.commit(this, marks);
  }

  /** It takes one turn, whatever the deadline. */
  close(_deadlineMs: number): Promise<void> {
    return this.#closing ??= this.#end("closed", null);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close(DISPOSE_MS);
  }

  // What its group says.

  releasing(owned: readonly MemoryOwnership[]): readonly Mark[] {
    return this.#sink.releasing(owned);
  }

  lost(ownerships: readonly MemoryOwnership[], reason: LostReason): void {
    for (const ownership of ownerships) {
      ownership.end();
      this.#owned.delete(ownership);
    }
    this.#sink.lost(ownerships, reason);
  }

  assigned(added: readonly MemoryOwnership[], continued: readonly MemoryOwnership[]): void {
    for (const ownership of added) this.#owned.add(ownership);
    this.#state = "member";
    this.#sink.assigned(added, continued);
    this.#setMember(true);
    this.#joined.resolve();
    this.wake();
  }

  wake(): void {
    if (this.#turnAsked || this.#state !== "member") return;
    this.#turnAsked = true;
    this.#turns.run(() => this.#handOver());
  }

  // Faults that tests ask for, through the log.

  /** As if its process stood still past its session: the group goes on without it, and it has not noticed. */
  block(): void {
    if (this.#state !== "member") return;
    this.#state = "blocked";
    this.#group.leave(this);
  }

  /** It notices, loses everything, and joins again. */
  unblock(): void {
    if (this.#state !== "blocked") return;
    this.#state = "joining";
    this.#turns.run(() => {
      this.#setMember(false);
      this.#loseAll("unknown");
      this.#join();
    });
  }

  /** It fails for good. */
  fail(error: Error): void {
    this.#closing ??= this.#end("unknown", error);
  }

  /** The log is away: the session runs out unless it is back in time. */
  logLeft(): void {
    if (this.#session !== null || this.#state !== "member") return;
    const { sessionTimeoutMs } = this.#options;
    const timer = setTimeout(() => this.#setMember(false), sessionTimeoutMs);
    this.#session = { untilMs: performance.now() + sessionTimeoutMs, timer };
  }

  /** The log is back. */
  logCameBack(): void {
    this.#endSession();
    this.#turns.run(() => {
      if (this.#state === "member") this.#setMember(true);
    });
  }

  #join(): void {
    this.#turns.run(() => {
      if (this.#state !== "closed") this.#group.join(this);
    });
  }

  #handOver(): void {
    this.#turnAsked = false;
    let more = false;
    for (const ownership of [...this.#owned]) {
      // Asked each time: a call of the sink may have paused, ended or closed anything.
      if (this.#state !== "member") return;
      if (ownership.paused) continue;
      this.#skipGone(ownership);
      const batch = ownership.source.read(ownership.position, this.#options.maxFetchBytes);
      if (batch === null) continue;
      ownership.position = batch.next;
      this.#sink.records(ownership, batch);
      more ||= batch.next < ownership.source.high;
    }
    if (more) this.wake();
  }

  #skipGone(ownership: MemoryOwnership): void {
    const { position, source: { low } } = ownership;
    if (position >= low) return;
    ownership.position = low;
    this.#sink.expired(ownership, position, low);
  }

  #setMember(isMember: boolean): void {
    if (this.#isMember === isMember) return;
    this.#isMember = isMember;
    this.#sink.membership(isMember);
  }

  #loseAll(reason: "unknown" | "closed"): void {
    if (this.#owned.size > 0) this.lost([...this.#owned], reason);
  }

  #find(ownership: Ownership): MemoryOwnership | undefined {
    const owned = ownership as MemoryOwnership;
    return this.#owned.has(owned) ? owned : undefined;
  }

  async #end(reason: "unknown" | "closed", failure: Error | null): Promise<void> {
    this.#state = "closed";
    this.#endSession();
    this.#closed.resolve();
    this.#group.leave(this);
    await this.#turns.passed();
    this.#loseAll(reason);
    if (failure !== null) this.#sink.failed(failure);
    const { group } = this.#options;
    this.#joined.reject(failure ?? new BrokerError(`Cannot join group "${group}": the consumer was closed`));
  }

  #endSession(): void {
    clearTimeout(this.#session?.timer);
    this.#session = null;
  }

  async #reachable(deadlineMs: number | undefined): Promise<boolean> {
    if (deadlineMs === undefined) return await this.#turns.reachable(this.#closed.promise);
    const deadline = Promise.withResolvers<void>();
    const timer = setTimeout(deadline.resolve, deadlineMs);
    const there = await this.#turns.reachable(Promise.race([deadline.promise, this.#closed.promise]));
    clearTimeout(timer);
    return there;
  }
}
