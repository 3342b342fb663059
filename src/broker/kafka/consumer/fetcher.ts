/**
 * Fetches partitions from their leaders: one request in flight for each leader, with all of its partitions that are wanted.
 *
 * - The limit for a partition is not divided by their number, and the limit of the response is small: of a batch that is
 *   larger than its partition's share a broker would send nothing, but for the first partition of the request. A partition
 *   that got something moves to the end of the next request.
 * - The next request is sent before the last response is handed over, with the partitions that are in it: the broker works
 *   while the worker does, and a partition with much to read does not wait until there is something of the others.
 * - A partition without a leader, or one whose topic is gone, waits alone; the others are not disturbed.
 */
import type { Cluster, Purpose } from "../wire/cluster.ts";
import { Code, ProtocolError } from "../wire/errors.ts";
import { type FetchedPartitionData, type FetchPosition, fetchRequest } from "../wire/fetch_request.ts";
import { FetchResponses } from "./fetch_responses.ts";
import type { FetchedPartition } from "./fetched_partition.ts";
import { FetchBudget, STALLED_MS } from "./fetch_budget.ts";
import { HandOver, type RecordHandler } from "./hand_over.ts";
import { LeaderSearch } from "./leader_search.ts";

/** Receives what is fetched. Calls return at once. */
export interface FetchHandler extends RecordHandler {
  /** Records before `to` are gone, and the position was `from`. */
  expired(at: FetchedPartition, from: number, to: number): void;
  /** The partition has no leader, or has one again. */
  leaderChanged(at: FetchedPartition, hasLeader: boolean): void;
  /** The cluster was asked for its topics: some may be other ones now. */
  topicsRefreshed(): void;
}

/** Options of a fetcher. */
export interface FetcherOptions {
  /** Connection for the fetches. */
  readonly purpose: Purpose;
  /** Limit of all responses together, in bytes. */
  readonly maxBytes: number;
  /** Limit of a record that is unpacked, in bytes. */
  readonly maxRecordBytes: number;
}

interface Request {
  readonly at: FetchedPartition;
  readonly version: number;
}

interface Fetched {
  readonly requests: ReadonlyMap<string, Request>;
  readonly partitions: readonly FetchedPartitionData[];
}

/** Longest time that a broker waits for records, in milliseconds. */
const MAX_WAIT_MS = 250;
const MAX_PARTITION_BYTES = 1024 * 1024;
/** Number of responses of the largest size that may wait. */
const MAX_WAITING = 2;
const NONE: ReadonlySet<FetchedPartition> = new Set();

/** See the module. */
export class Fetcher {
  readonly #cluster: Cluster;
  readonly #handler: FetchHandler;
  readonly #options: FetcherOptions;
  readonly #handOver: HandOver;
  readonly #responses: FetchResponses;
  readonly #search: LeaderSearch;
  readonly #budget: FetchBudget;
  /** In the order of the next request. */
  readonly #partitions = new Set<FetchedPartition>();
  /** For each leader that is fetched from, the function that ends its rest. */
  readonly #leaders = new Map<number, PromiseWithResolvers<void>>();
  #isFrozen = false;
  readonly #closing = new AbortController();

  constructor(cluster: Cluster, handler: FetchHandler, options: FetcherOptions) {
    this.#cluster = cluster;
    this.#handler = handler;
    this.#options = options;
    this.#budget = new FetchBudget(this.#partitions, MAX_WAITING * Math.max(options.maxBytes, MAX_PARTITION_BYTES));
    this.#handOver = new HandOver({
      handler,
      maxRecordBytes: options.maxRecordBytes,
      isFrozen: () => this.#isFrozen,
      isFetched: (at) => this.#partitions.has(at),
      fetchAgain: (at) => this.#wakeLeaderOf(at),
    });
    this.#search = new LeaderSearch(cluster, this.#partitions, {
      found: (at, leader) => this.#leaders.has(leader) ? this.#wakeLeaderOf(at) : this.#startLoop(leader),
      leaderChanged: (at, hasLeader) => handler.leaderChanged(at, hasLeader),
      topicsRefreshed: () => handler.topicsRefreshed(),
      log: (message) => handler.log(message),
    }, this.#closing.signal);
    this.#responses = new FetchResponses(cluster, {
      expired: (at, from, to) => handler.expired(at, from, to),
      leaderLost: (at) => this.#search.lose(at),
      damaged: (at, highWatermark) => this.#handOver.passOverDamage(at, highWatermark),
      fetchAgain: (at) => this.#wakeLeaderOf(at),
      log: (message) => handler.log(message),
    });
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Fetches a partition from now on. */
  add(at: FetchedPartition): void {
    this.#partitions.add(at);
    this.#search.run();
  }

  /** Fetches a partition no more; nothing of it is handed over any more. */
  remove(at: FetchedPartition): void {
    at.seek(at.position);
    this.#partitions.delete(at);
  }

  /** Takes effect at once. */
  pause(at: FetchedPartition): void {
    at.isPaused = true;
  }

  /** Takes effect at once. */
  resume(at: FetchedPartition): void {
    if (!at.isPaused) return;
    at.isPaused = false;
    // Never within the caller's call.
    queueMicrotask(() => {
      if (at.isPaused || !this.#partitions.has(at)) return;
      const { length } = at.waiting;
      this.#handOver.run(at);
      // Each wake looks at all partitions. One that still has as much neither needs a fetch nor makes space for one.
      if (at.waiting.length === length && !isWanted(at)) return;
      if (this.#budget.isFull) this.#wakeAll();
      else this.#wakeLeaderOf(at);
    });
  }

  /** Stops handing over until {@linkcode thaw}: the group may distribute the partitions again. */
  freeze(): void {
    this.#isFrozen = true;
  }

  /** Goes on. */
  thaw(): void {
    if (!this.#isFrozen) return;
    this.#isFrozen = false;
    for (const at of [...this.#partitions]) this.#handOver.run(at);
    this.#wakeAll();
  }

  /** Fetches nothing any more. */
  close(): void {
    this.#closing.abort();
    for (const at of [...this.#partitions]) this.remove(at);
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const wake of this.#leaders.values()) wake.resolve();
  }

  #wakeLeaderOf({ leader }: FetchedPartition): void {
    if (leader !== null) this.#leaders.get(leader)?.resolve();
  }

  #startLoop(leader: number): void {
    this.#leaders.set(leader, Promise.withResolvers());
    void this.#loop(leader).catch((error) => this.#handler.failed(error)).finally(() => {
      this.#leaders.delete(leader);
      this.#search.run();
    });
  }

  /** Fetches from one leader, until it leads nothing of ours. */
  async #loop(leader: number): Promise<void> {
    // All partitions of a new share are in the first request.
    await null;
    let next = this.#fetch(leader);
    while (!this.#isClosed) {
      const fetched = await next;
      if (fetched === null) {
        if (![...this.#partitions].some((at) => at.leader === leader)) return;
        await this.#rest(leader);
        next = this.#fetch(leader);
        continue;
      }
      const ready = new Set<FetchedPartition>();
      for (const data of fetched.partitions) {
        const { at, version } = fetched.requests.get(keyOf(data)) ?? {};
        if (at === undefined || !this.#responses.take(at, version!, data)) continue;
        ready.add(at);
        // The partitions that got something are asked for last the next time.
        this.#partitions.delete(at);
        this.#partitions.add(at);
      }
      next = this.#fetch(leader, ready);
      // Its errors are handled when it is awaited.
      next.catch(() => {});
      for (const at of ready) this.#handOver.run(at);
    }
  }

  /** Rests until a partition may be fetched again, or until it is woken. */
  async #rest(leader: number): Promise<void> {
    const wake = this.#leaders.get(leader)!;
    const fullUntilMs = this.#budget.isFull ? performance.now() + STALLED_MS : 0;
    const soonestMs = this.#isFrozen ? Infinity : Math.min(
      ...[...this.#partitions].filter((at) => at.leader === leader && isWanted(at)).map((at) =>
        Math.max(at.notBeforeMs, fullUntilMs)
      ),
      Infinity,
    );
    const timer = soonestMs === Infinity
      ? undefined
      : setTimeout(wake.resolve, Math.max(0, soonestMs - performance.now()));
    await wake.promise;
    clearTimeout(timer);
    this.#leaders.set(leader, Promise.withResolvers());
  }

  /**
   * @param ready partitions of which something is about to be handed over
   * @returns `null` where nothing is wanted from this leader now, or it did not answer
   */
  async #fetch(leader: number, ready: ReadonlySet<FetchedPartition> = NONE): Promise<Fetched | null> {
    if (this.#isClosed || this.#isFrozen) return null;
    const nowMs = performance.now();
    const wanted = [...this.#partitions].filter((at) =>
      at.leader === leader && isWanted(at, ready.has(at) ? 1 : 0) && at.notBeforeMs <= nowMs
    );
    const unplaced = wanted.filter((at) => at.position === null);
    for (const at of unplaced) void this.#responses.seekToBeginning(at);
    const due = wanted.filter((at) => at.position !== null);
    if (due.length === 0 || !this.#budget.check()) return null;
    const requests = new Map(due.map((at) => [keyOf(at), { at, version: at.version }]));
    const positions = due.map(positionOf);
    const maxBytes = Math.max(MAX_PARTITION_BYTES, Math.floor(this.#options.maxBytes / this.#leaders.size));
    try {
      const request = fetchRequest(positions, {
        maxWaitMs: MAX_WAIT_MS,
        maxBytes,
        maxPartitionBytes: MAX_PARTITION_BYTES,
      });
      const { error, partitions } = await this.#cluster.sendWhileInPlace(
        leader,
        this.#options.purpose,
        request,
        MAX_WAIT_MS + this.#cluster.requestTimeoutMs,
        () => this.#leadsAll(leader, due),
      );
      if (error !== Code.none) throw new ProtocolError("Fetch", error);
      return { requests, partitions };
    } catch (error) {
      if (this.#isClosed) return null;
      this.#handler.log(`Cannot fetch from broker ${leader}: ${(error as Error).message}`);
      for (const at of due) this.#search.lose(at);
      return null;
    }
  }

  async #leadsAll(leader: number, partitions: readonly FetchedPartition[]): Promise<boolean> {
    await this.#cluster.metadata.refresh(new Set(partitions.map(({ topic }) => topic)));
    const isInPlace = partitions.every(({ topic, partition }) => this.#cluster.leaderOf(topic, partition) === leader);
    if (isInPlace) this.#cluster.doubt();
    return isInPlace;
  }
}

/** Whether a partition is to be fetched, where so much of it waits at most. */
function isWanted(at: FetchedPartition, maxWaiting = 0): boolean {
  return !at.isPaused && at.waiting.length <= maxWaiting && at.parts === null;
}

function positionOf({ topicId, partition, position, leaderEpoch }: FetchedPartition): FetchPosition {
  return { topicId: topicId!, partition, offset: position!, leaderEpoch };
}

function keyOf({ topicId, partition }: { readonly topicId: string | undefined; readonly partition: number }): string {
  return `${partition}/${topicId}`;
}
