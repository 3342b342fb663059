/**
 * Takes the partitions of a Fetch response: data waits to be handed over, an error looks for the leader again, and a
 * position that the log does not have any more moves to the beginning of the log.
 */
import { AbortedFilter } from "../batch/aborted_filter.ts";
import { batchesIn } from "../batch/layout.ts";
import type { Cluster } from "../wire/cluster.ts";
import { Code, ProtocolError } from "../wire/errors.ts";
import type { FetchedPartitionData } from "../wire/fetch_request.ts";
import { listOffsets, Timestamp } from "../wire/requests.ts";
import type { FetchedPartition } from "./fetched_partition.ts";

/** Receives what a response means. Calls return at once. */
export interface FetchResponsesHandler {
  /** Records before `to` are gone, and the position was `from`. */
  expired(at: FetchedPartition, from: number, to: number): void;
  /** The leader is another one, or does not respond. */
  leaderLost(at: FetchedPartition): void;
  /** No batch can be found in the data. */
  damaged(at: FetchedPartition, highWatermark: number): void;
  /** The partition may be fetched from again. */
  fetchAgain(at: FetchedPartition): void;
  /** Something for the log. */
  log(message: string): void;
}

const RETRY_MS = 100;

/** See the module. */
export class FetchResponses {
  readonly #cluster: Cluster;
  readonly #handler: FetchResponsesHandler;

  constructor(cluster: Cluster, handler: FetchResponsesHandler) {
    this.#cluster = cluster;
    this.#handler = handler;
  }

  /**
   * Takes the response of a partition.
   *
   * @param version the partition's version when it was asked for
   * @returns whether there is something to hand over
   */
  take(at: FetchedPartition, version: number, { error, data, aborted, highWatermark }: FetchedPartitionData): boolean {
    if (at.version !== version) return false;
    if (error === Code.offsetOutOfRange) {
      // Asked for again once what was fetched before is handed over.
      if (at.waiting.length > 0) return false;
      at.notBeforeMs = performance.now() + RETRY_MS;
      void this.seekToBeginning(at);
      return false;
    }
    if (error !== Code.none) {
      this.#handler.log(`Cannot fetch ${at.topic}/${at.partition}: ${new ProtocolError("Fetch", error).message}`);
      if (error === Code.fencedLeaderEpoch) at.minLeaderEpoch = at.leaderEpoch + 1;
      this.#handler.leaderLost(at);
      return false;
    }
    if (data.length === 0) return false;
    let next = at.position!;
    for (const { lastOffset } of batchesIn(data)) next = Math.max(next, lastOffset + 1);
    if (next === at.position) {
      this.#handler.damaged(at, highWatermark);
      return false;
    }
    at.waiting.push({ open: null, data, from: at.position!, aborted: new AbortedFilter(aborted), highWatermark });
    at.position = next;
    return true;
  }

  /** Sets a partition to the beginning of its log. It never rejects. */
  async seekToBeginning(at: FetchedPartition): Promise<void> {
    const { topic, partition, version, position, leader } = at;
    at.notBeforeMs = performance.now() + this.#cluster.shortTimeoutMs;
    try {
      const request = listOffsets(
        [{ topic, partitions: [{ partition, timestamp: Timestamp.earliest }] }],
        "readCommitted",
      );
      const { responses } = await this.#cluster.send(leader!, "control", request, this.#cluster.shortTimeoutMs);
      const { errorCode, offset } = responses[0]!.partitions[0]!;
      if (errorCode !== Code.none) throw new ProtocolError("ListOffsets", errorCode);
      if (at.version !== version) return;
      const low = Number(offset);
      at.seek(low);
      at.notBeforeMs = 0;
      if (position !== null && low > position) this.#handler.expired(at, position, low);
      this.#handler.fetchAgain(at);
    } catch (error) {
      this.#handler.log(`Cannot ask for the beginning of ${topic}/${partition}: ${(error as Error).message}`);
      this.#handler.leaderLost(at);
    }
  }
}
