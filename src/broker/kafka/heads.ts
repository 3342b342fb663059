/**
 * Reads the first records of many partitions, without a group, in two steps:
 *
 * 1. One fetch to each leader for some hundred of its partitions, with a small part of the log of each. One that has moved is
 *    looked up, and fetched once more.
 * 2. As `readLog` reads one place, if the part has no record, since the batch is larger, or the position lies before the log.
 *
 * A partition whose leader does not respond is not known, and holds up no other.
 */
import { abortable } from "../../support/deadline.ts";
import { forEachLimited } from "../../support/for_each_limited.ts";
import type { Position } from "../../support/position.ts";
import type { ListedHead, LogPage } from "../admin.ts";
import { LogReading, readLog } from "./read_log.ts";
import type { Questions } from "./questions.ts";
import type { Cluster } from "./wire/cluster.ts";
import { Code, ConnectionError, ProtocolError } from "./wire/errors.ts";
import { type FetchedPartitionData, fetchRequest } from "./wire/fetch_request.ts";

/** Partitions of one fetch, and the bytes of each: a response has 2 MiB at most, but for one batch that is larger. */
const PARTITIONS = 500;
const PARTITION_BYTES = 4096;
/** Partitions that are read one by one at a time. */
const CONCURRENCY = 16;
/** The time for which the topics are asked for again, in milliseconds. */
const PATIENCE_MS = 2000;

/** A position, and its place in the list. */
interface Wanted {
  readonly at: Position;
  readonly index: number;
}

/** Lists the first records. See `BrokerAdmin.listHeads`. */
export async function listHeads(
  cluster: Cluster,
  questions: Questions,
  positions: readonly Position[],
  signal?: AbortSignal,
): Promise<(ListedHead | null)[]> {
  signal?.throwIfAborted();
  const listing = new HeadListing(cluster, questions, positions, signal);
  return await abortable(listing.list(), signal);
}

class HeadListing {
  readonly #cluster: Cluster;
  readonly #questions: Questions;
  readonly #positions: readonly Position[];
  readonly #signal: AbortSignal | undefined;
  readonly #heads: (ListedHead | null)[];
  /** Partitions that are to be read one by one. */
  readonly #large: Wanted[] = [];
  /** Partitions whose leader has moved, is silent, or is not known. */
  readonly #moved: Wanted[] = [];
  /** Leaders that did not respond in time, and would not do so for the next part. */
  readonly #silent = new Set<number>();

  constructor(cluster: Cluster, questions: Questions, positions: readonly Position[], signal: AbortSignal | undefined) {
    this.#cluster = cluster;
    this.#questions = questions;
    this.#positions = positions;
    this.#signal = signal;
    this.#heads = Array<ListedHead | null>(positions.length).fill(null);
  }

  async list(): Promise<(ListedHead | null)[]> {
    const all = this.#positions.map((at, index) => ({ at, index }));
    await this.#lookUp(all.filter(({ at }) => this.#cluster.metadata.topic(at.topic) === undefined));
    await this.#fetchAll(all);
    const moved = this.#moved.splice(0);
    await this.#lookUp(moved);
    await this.#fetchAll(moved);
    await forEachLimited(this.#large, CONCURRENCY, (wanted) => this.#readOne(wanted));
    return this.#heads;
  }

  /** Looks up the leaders of some partitions. */
  async #lookUp(wanted: readonly Wanted[]): Promise<void> {
    if (wanted.length === 0) return;
    const topics = new Set(wanted.map(({ at }) => at.topic));
    await this.#questions.ask("look at the topics", () => this.#cluster.metadata.refresh(topics), PATIENCE_MS);
  }

  /** Fetches from all leaders, in parts. */
  async #fetchAll(wanted: readonly Wanted[]): Promise<void> {
    const byLeader = Map.groupBy(wanted, ({ at }) => this.#cluster.leaderOf(at.topic, at.partition));
    await Promise.all(Array.from(byLeader, async ([leader, led]) => {
      if (leader === null || this.#silent.has(leader)) return void this.#moved.push(...led);
      for (let start = 0; start < led.length && !this.#signal?.aborted; start += PARTITIONS) {
        const part = led.slice(start, start + PARTITIONS);
        try {
          await this.#fetch(leader, part);
        } catch (error) {
          if (error instanceof ConnectionError) this.#silent.add(leader);
          else if (!(error instanceof ProtocolError)) throw error;
          return void this.#moved.push(...led.slice(start));
        }
      }
    }));
  }

  async #fetch(leader: number, wanted: readonly Wanted[]): Promise<void> {
    const { metadata } = this.#cluster;
    const byPlace = new Map<string, Wanted>();
    const positions = wanted.map((each) => {
      const { topic, partition, offset } = each.at;
      const { topicId } = metadata.topic(topic)!;
      const { leaderEpoch } = metadata.partition(topic, partition)!;
      byPlace.set(placeOf(topicId, partition), each);
      return { topicId, partition, leaderEpoch, offset };
    });
    const limits = { maxWaitMs: 0, maxBytes: PARTITIONS * PARTITION_BYTES, maxPartitionBytes: PARTITION_BYTES };
    const request = fetchRequest(positions, limits);
    const { error, partitions } = await this.#cluster.send(leader, "read", request, this.#cluster.shortTimeoutMs);
    if (error !== Code.none) throw new ProtocolError("Fetch", error);
    for (const data of partitions) {
      const found = byPlace.get(placeOf(data.topicId, data.partition));
      if (found !== undefined) await this.#take(found, data);
    }
  }

  async #take(wanted: Wanted, data: FetchedPartitionData): Promise<void> {
    const { at, index } = wanted;
    if (data.error !== Code.none && data.error !== Code.offsetOutOfRange) return void this.#moved.push(wanted);
    const isCut = data.error !== Code.none || (data.data.length === 0 && at.offset < data.lastStable);
    const page = isCut
      ? null
      : await new LogReading(this.#cluster, this.#questions.completeLeaders, at, headOptions(at)).takePage(data);
    if (page === null) this.#large.push(wanted);
    else this.#heads[index] = headOf(page);
  }

  async #readOne({ at, index }: Wanted): Promise<void> {
    const options = { ...headOptions(at), ...this.#signal && { signal: this.#signal } };
    this.#heads[index] = await readLog(this.#cluster, this.#questions, at, options).then(headOf, () => null);
  }
}

function headOptions({ offset }: Position) {
  return { from: offset, maxBytes: 1, values: false };
}

function headOf({ records: [first], next }: LogPage): ListedHead {
  return first === undefined
    ? { offset: next, timestampMs: null }
    : { offset: first.offset, timestampMs: first.timestampMs };
}

function placeOf(topicId: string, partition: number): string {
  return `${partition}/${topicId}`;
}
