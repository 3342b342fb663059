/**
 * A consumer on the file: it shares the partitions of its topics with the other members of its group, reads its own in turn
 * and hands records over.
 *
 *     joining ──▶ member ──▶ closed
 *
 * Everything happens in rounds, one after the other, each in a turn of its own:
 *
 * 1. If members or leases have changed, it gives up the partitions that other members are to get, takes those that it is to
 *    get, and ends and begins ownerships.
 * 2. If it is time, it renews its session.
 * 3. If anything has changed, it hands over at most one batch of each partition.
 *
 * A round that finds the file busy or the disk full leaves the rest to the next one; the session goes on meanwhile. A
 * partition whose records cannot be read waits alone. A lasting error of the file, and a sink that throws, end the
 * consumer.
 */
import { BrokerError, describeError } from "../../errors.ts";
import type { Monitor } from "../../monitor/monitor.ts";
import { waitUntilSettled } from "../../support/deadline.ts";
import type { CommitOutcome, ConsumeOptions, Consumer, ConsumerSink, Mark, Ownership } from "../broker.ts";
import { turn, Wakeup } from "./wakeup.ts";
import { Retention } from "./retention.ts";
import { Commits } from "./commits.ts";
import { Delivery } from "./delivery.ts";
import { SqliteError } from "./failures.ts";
import type { DatabaseFile, Patience } from "./file.ts";
import { type Ended, Membership } from "./membership.ts";

/** The deadline for disposing of a consumer, in milliseconds. */
const DISPOSE_MS = 1000;

/** An error that the sink threw, though it never may: a fault of the worker. */
class SinkError extends BrokerError {}

/** A consumer on the file. */
export class SqliteConsumer implements Consumer {
  /** Its unique id in the group. */
  readonly id: string = crypto.randomUUID();
  readonly #file: DatabaseFile;
  readonly #monitor: Monitor;
  readonly #options: ConsumeOptions;
  readonly #sink: ConsumerSink;
  readonly #changed: () => void;
  readonly #left: () => void;
  readonly #membership: Membership;
  readonly #commits: Commits;
  readonly #delivery: Delivery;
  readonly #retention: Retention;
  readonly #wakeup = new Wakeup();
  readonly #joined = Promise.withResolvers<void>();
  readonly #closed = new AbortController();
  readonly #heartbeatMs: number;
  /** The longest wait of a step of a round for locks. */
  readonly #patience: Patience;
  readonly #working: Promise<void>;
  #closing: Promise<void> | null = null;
  #state: "joining" | "member" | "closed" = "joining";
  #held = false;
  /** The file's version when it was last read; `null` to read it in any case. */
  #seen: number | null = null;
  #renewAtMs = 0;
  /** Whether `releasing` was called, and no `assigned` since. */
  #isReleasing = false;
  /** The message of the last failed round: reported once. */
  #trouble: string | null = null;

  /** @param events called when other consumers of this process must look at the file, and once it has left its group */
  constructor(
    file: DatabaseFile,
    monitor: Monitor,
    options: ConsumeOptions,
    sink: ConsumerSink,
    events: { readonly changed: () => void; readonly left: () => void },
  ) {
    const { group, topics, sessionTimeoutMs, heartbeatIntervalMs = sessionTimeoutMs / 5 } = options;
    this.#file = file;
    this.#monitor = monitor;
    this.#options = options;
    this.#sink = sink;
    this.#changed = events.changed;
    this.#left = events.left;
    this.#heartbeatMs = heartbeatIntervalMs;
    const candidate = { group, id: this.id, topics: [...new Set(topics)], sessionMs: sessionTimeoutMs };
    this.#patience = { deadlineMs: heartbeatIntervalMs, signal: this.#closed.signal };
    this.#membership = new Membership(file, candidate, monitor, this.#patience);
    this.#commits = new Commits(file, group, (ownership) => this.#membership.owns(ownership));
    const caller = { tell: (call: (sink: ConsumerSink) => void) => this.#tell(call), isClosed: () => this.#isClosed() };
    this.#delivery = new Delivery(file, monitor, options.maxFetchBytes, this.#patience, caller);
    this.#retention = new Retention(file, monitor, group, this.#patience);
    this.#joined.promise.catch(() => {});
    this.#working = this.#work();
  }

  get joined(): Promise<void> {
    return this.#joined.promise;
  }

  get sessionValidUntilMs(): number {
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

  /** Starts the next round at once: this process has written. */
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
      // Not awaited: `#end` waits for `#work`.
      this.#closing ??= this.#end(DISPOSE_MS, "unknown", error as Error);
    }
  }

  async #tryRound(wasWoken: boolean): Promise<void> {
    try {
      await this.#round(wasWoken);
      this.#trouble = null;
    } catch (error) {
      if (this.#state === "closed") return;
      if (error instanceof SinkError || (error instanceof SqliteError && error.lasting)) throw error;
      this.#seen = null;
      this.#membership.forget();
      this.#reportTrouble(error as Error);
    }
    if (this.#state === "member") this.#hold(this.#membership.heldUntilMs > performance.now());
  }

  async #round(wasWoken: boolean): Promise<void> {
    const version = await this.#file.read((connection) => connection.version(), this.#patience);
    const hasChanged = version !== this.#seen;
    // A later change is seen in the next round.
    this.#seen = version;
    if (hasChanged || this.#membership.mayTake) await this.#updateOwnerships();
    if (this.#isClosed()) return;
    if (performance.now() >= this.#renewAtMs) await this.#renew();
    // Without a change there is nothing to read.
    if ((hasChanged || wasWoken) && await this.#deliver()) this.#wakeup.wake();
    this.#retention.run(this.#membership.owned());
  }

  async #updateOwnerships(): Promise<void> {
    if (!await this.#membership.look()) return;
    this.#wakeup.shortenPauses();
    this.#lose(this.#membership.endedBy());
    await this.#release();
    if (this.#isClosed()) return;
    if (await this.#membership.take()) {
      this.#changed();
      this.#lose(this.#membership.endedBy());
    }
    if (this.#isClosed()) return;
    const continued = this.#membership.owned();
    const added = await this.#file.read((connection) => this.#membership.begin(connection));
    if (this.#isClosed()) return;
    const isFirst = this.#state === "joining";
    this.#state = "member";
    // After `releasing` the worker starts no job until `assigned`, also if nothing was added.
    if (isFirst || added.length > 0 || this.#isReleasing) this.#tell((sink) => sink.assigned(added, continued));
    this.#isReleasing = false;
    // It has nothing to read yet.
    if (added.length > 0) this.#wakeup.wake();
    if (!isFirst) return;
    this.#renewAtMs = performance.now() + this.#heartbeatMs;
    this.#hold(true);
    this.#joined.resolve();
  }

  /** Gives up the partitions that other members are to get: these start with the last marks. */
  async #release(): Promise<void> {
    const surplus = this.#membership.surplus();
    if (surplus.size === 0) return;
    this.#isReleasing = true;
    const marks = this.#tell((sink) => sink.releasing(this.#membership.owned()));
    await this.#membership.release(surplus, (connection) => this.#commits.writeLast(connection, marks));
    this.#lose([...surplus.keys()].map((ownership) => ({ ownership, reason: "revoked" })));
    this.#changed();
    await this.#membership.refresh();
  }

  #lose(ended: readonly Ended[]): void {
    for (const { ownership } of ended) ownership.end();
    for (const reason of ["revoked", "recreated"] as const) {
      const ownerships = ended.filter((end) => end.reason === reason).map(({ ownership }) => ownership);
      if (ownerships.length > 0) this.#tell((sink) => sink.lost(ownerships, reason));
    }
  }

  async #renew(): Promise<void> {
    this.#renewAtMs = performance.now() + this.#heartbeatMs;
    if (await this.#membership.renew()) return;
    this.#membership.forget();
    this.wake();
  }

  /** @returns whether there is more */
  async #deliver(): Promise<boolean> {
    const { hasRecords, hasMore } = await this.#delivery.deliver(this.#membership.owned());
    if (hasRecords) this.#wakeup.shortenPauses();
    return hasMore;
  }

  /** Calls the sink. */
  #tell<T>(call: (sink: ConsumerSink) => T): T {
    try {
      return call(this.#sink);
    } catch (error) {
      throw new SinkError(`A fault of the worker: ${describeError(error).message}`, { cause: error });
    }
  }

  #isClosed(): boolean {
    return this.#state === "closed";
  }

  #hold(held: boolean): void {
    if (this.#held === held) return;
    this.#held = held;
    this.#tell((sink) => sink.membership(held));
  }

  #reportTrouble(error: Error): void {
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
    await waitUntilSettled(Promise.all([this.#working, this.#retention.idle]), deadlineMs);
    const owned = this.#membership.end();
    for (const ownership of owned) ownership.end();
    let fault = failure;
    try {
      if (owned.length > 0) this.#tell((sink) => sink.lost(owned, reason));
    } catch (error) {
      fault ??= error as Error;
    }
    // Best effort: otherwise the other members wait until the session expires.
    await this.#membership.leave(Math.max(endMs - performance.now(), 0)).catch(() => {});
    this.#left();
    const { group } = this.#options;
    this.#joined.reject(fault ?? new BrokerError(`Cannot join group "${group}": the consumer was closed`));
    if (fault !== null) this.#sink.failed(fault);
  }
}
