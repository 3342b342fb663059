/**
 * A consumer on the file: it takes the leases of its topics that are free, waits for the others, reads its partitions in
 * turn and hands records over.
 *
 *     joining ──▶ member ──▶ closed
 *
 * All that it does of itself it does in rounds, one after the other, each in a turn of its own. A round looks who holds
 * what, if anything has changed; gives its sign of life, if it is time; and hands over at most one batch of each
 * partition. One that finds the file busy or its disk full leaves the rest to the next one: the session runs meanwhile.
 */
import { BrokerError, describeError } from "../../errors.ts";
import type { Monitor } from "../../monitor/monitor.ts";
import { within } from "../../within.ts";
import type { ConsumeOptions, Consumer, ConsumerSink, Mark, Ownership } from "../broker.ts";
import { turn, Wakeup } from "./wakeup.ts";
import { Retention } from "./retention.ts";
import { type CommitOutcome, Commits } from "./commits.ts";
import { SqliteError } from "./failures.ts";
import type { DatabaseFile, Patience } from "./file.ts";
import { type Ended, Membership } from "./membership.ts";
import type { SqliteOwnership } from "./ownership.ts";
import { type Ends, endsOf, read } from "./records.ts";

/** How long disposing of a consumer may take, in milliseconds. */
const DISPOSE_MS = 1000;

/** See the module. */
export class SqliteConsumer implements Consumer {
  readonly #file: DatabaseFile;
  readonly #monitor: Monitor;
  readonly #options: ConsumeOptions;
  readonly #sink: ConsumerSink;
  readonly #left: () => void;
  readonly #membership: Membership;
  readonly #commits: Commits;
  readonly #retention: Retention;
  readonly #wakeup = new Wakeup();
  readonly #joined = Promise.withResolvers<void>();
  readonly #closed = new AbortController();
  readonly #heartbeatMs: number;
  /** A step of a round waits no longer for its turn. */
  readonly #patience: Patience;
  readonly #working: Promise<void>;
  #closing: Promise<void> | null = null;
  #state: "joining" | "member" | "closed" = "joining";
  #held = false;
  /** The file's version when it was last looked who holds what; `null` to look in any case. */
  #seen: number | null = null;
  #renewAtMs = 0;
  /** Whether the sink was told that partitions may move, and not yet what became of them. */
  #isReleasing = false;
  /** What went wrong in the last round: told once. */
  #trouble: string | null = null;

  /** @param left called once its leases are given back: others of this process may take them */
  constructor(file: DatabaseFile, monitor: Monitor, options: ConsumeOptions, sink: ConsumerSink, left: () => void) {
    const { group, topics, sessionTimeoutMs, heartbeatIntervalMs = sessionTimeoutMs / 5 } = options;
    this.#file = file;
    this.#monitor = monitor;
    this.#options = options;
    this.#sink = sink;
    this.#left = left;
    this.#heartbeatMs = heartbeatIntervalMs;
    const candidate = { group, owner: crypto.randomUUID(), sessionMs: sessionTimeoutMs };
    this.#patience = { deadlineMs: heartbeatIntervalMs, signal: this.#closed.signal };
    this.#membership = new Membership(file, candidate, [...new Set(topics)], monitor, this.#patience);
    this.#commits = new Commits(file, group, (ownership) => this.#membership.owns(ownership));
    this.#retention = new Retention(file, group, this.#patience);
    this.#joined.promise.catch(() => {});
    this.#working = this.#work();
  }

  get joined(): Promise<void> {
    return this.#joined.promise;
  }

  get heldUntilMs(): number {
    return this.#state === "member" ? this.#membership.heldUntilMs : 0;
  }

  pause(ownership: Ownership): void {
    if (this.#membership.owns(ownership)) ownership.paused = true;
  }

  resume(ownership: Ownership): void {
    if (!this.#membership.owns(ownership) || !ownership.paused) return;
    ownership.paused = false;
    this.#wakeup.wake();
  }

  /** Somebody of this process has written. */
  wake(): void {
    this.#seen = null;
    this.#wakeup.wake();
  }

  async commit(marks: readonly Mark[], patience: { readonly deadlineMs?: number } = {}): Promise<CommitOutcome[]> {
    const outcomes = await this.#commits.write(marks, patience);
    if (outcomes.includes("ended")) this.wake();
    return outcomes;
  }

  close(deadlineMs: number): Promise<void> {
    return this.#closing ??= this.#end(deadlineMs, "closed", null);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close(DISPOSE_MS);
  }

  async #work(): Promise<void> {
    try {
      await this.#file.connection({ signal: this.#closed.signal });
      while (this.#state !== "closed") {
        await this.#tryRound(await this.#wakeup.pause());
      }
    } catch (error) {
      // Not awaited: the end waits for this to be over.
      this.#closing ??= this.#end(DISPOSE_MS, "unknown", error as Error);
    }
  }

  async #tryRound(wasWoken: boolean): Promise<void> {
    try {
      await this.#round(wasWoken);
      this.#trouble = null;
    } catch (error) {
      if (this.#state === "closed") return;
      if (error instanceof SqliteError && error.lasting) throw error;
      this.#seen = null;
      this.#tellOfTrouble(error as Error);
    }
    if (this.#state === "member") this.#hold(this.#membership.heldUntilMs > performance.now());
  }

  async #round(wasWoken: boolean): Promise<void> {
    const version = await this.#file.read((connection) => connection.version(), this.#patience);
    const hasChanged = version !== this.#seen || this.#membership.mayTake;
    if (hasChanged) {
      this.#wakeup.shortenPauses();
      // What comes meanwhile is looked at in the next round.
      this.#seen = version;
      await this.#keepUp();
    }
    if (this.#isClosed()) return;
    if (performance.now() >= this.#renewAtMs) await this.#renew();
    // Where nothing has happened there is nothing to read.
    if ((hasChanged || wasWoken) && await this.#handOver()) this.#wakeup.wake();
    this.#retention.run(this.#membership.owned());
  }

  async #keepUp(): Promise<void> {
    let shares = await this.#membership.look();
    await this.#lose(this.#membership.endedBy(shares));
    if (await this.#membership.take(shares)) shares = await this.#membership.look();
    if (this.#isClosed()) return;
    const continued = this.#membership.owned();
    const added = await this.#file.read((connection) => this.#membership.begin(connection, shares));
    if (this.#isClosed()) return;
    const isFirst = this.#state === "joining";
    this.#state = "member";
    // What was told to release is told that it may go on, in any case.
    if (isFirst || added.length > 0 || this.#isReleasing) this.#sink.assigned(added, continued);
    this.#isReleasing = false;
    if (!isFirst) return;
    this.#hold(true);
    this.#joined.resolve();
  }

  async #lose(ended: readonly Ended[]): Promise<void> {
    if (ended.length === 0) return;
    const moved = new Map(ended.flatMap(({ ownership, moved }) => moved === null ? [] : [[ownership, moved]]));
    if (moved.size > 0) {
      this.#isReleasing = true;
      await this.#commits.writeLast(this.#sink.releasing([...moved.keys()]), moved, this.#patience);
    }
    for (const { ownership } of ended) ownership.end();
    for (const reason of ["revoked", "restarted"] as const) {
      const ownerships = ended.filter((end) => end.reason === reason).map(({ ownership }) => ownership);
      if (ownerships.length > 0) this.#sink.lost(ownerships, reason);
    }
  }

  async #renew(): Promise<void> {
    this.#renewAtMs = performance.now() + this.#heartbeatMs;
    if (!await this.#membership.renew()) this.wake();
  }

  /** @returns whether there is more */
  async #handOver(): Promise<boolean> {
    let more = false;
    for (const ownership of this.#membership.owned()) {
      if (ownership.paused) continue;
      const { topicId, partition } = ownership;
      const found = await this.#file.read((connection) => {
        const ends = endsOf(connection, topicId, partition);
        if (ends === undefined) return null;
        const from = Math.max(ownership.position, ends.low);
        return { ends, batch: read(connection, topicId, partition, from, ends.high, this.#options.maxFetchBytes) };
      }, this.#patience);
      // Asked after each wait: the worker may have paused it, or closed everything.
      if (this.#isClosed()) return false;
      if (found === null || ownership.paused) continue;
      this.#skipGone(ownership, found.ends);
      if (found.batch === null) continue;
      ownership.position = found.batch.next;
      this.#sink.records(ownership, found.batch);
      more ||= found.batch.next < found.ends.high;
      // Many partitions are much work: others have their turn between two of them.
      await turn();
      if (this.#isClosed()) return false;
    }
    return more;
  }

  #skipGone(ownership: SqliteOwnership, { low }: Ends): void {
    const { position } = ownership;
    if (position >= low) return;
    ownership.position = low;
    this.#sink.gone(ownership, position, low);
  }

  #isClosed(): boolean {
    return this.#state === "closed";
  }

  #hold(held: boolean): void {
    if (this.#held === held) return;
    this.#held = held;
    this.#sink.membership(held);
  }

  #tellOfTrouble(error: Error): void {
    if (this.#trouble === error.message) return;
    this.#trouble = error.message;
    const { group } = this.#options;
    const message = `The consumer of group "${group}" tries again: ${error.message}`;
    this.#monitor.emit("broker.log", { level: "warn", message, details: { group, error: describeError(error) } });
  }

  async #end(deadlineMs: number, reason: "closed" | "unknown", failure: Error | null): Promise<void> {
    const endMs = performance.now() + deadlineMs;
    this.#state = "closed";
    this.#closed.abort();
    this.#wakeup.wake();
    await turn();
    await within(Promise.all([this.#working, this.#retention.idle]), deadlineMs);
    const owned = this.#membership.end();
    for (const ownership of owned) ownership.end();
    if (owned.length > 0) this.#sink.lost(owned, reason);
    // Whoever waits need not wait for the session to end; if it cannot be said, it has to.
    await this.#membership.release(Math.max(endMs - performance.now(), 0)).catch(() => {});
    this.#left();
    if (failure !== null) this.#sink.failed(failure);
    const { group } = this.#options;
    this.#joined.reject(failure ?? new BrokerError(`Cannot join group "${group}": the consumer was closed`));
  }
}
