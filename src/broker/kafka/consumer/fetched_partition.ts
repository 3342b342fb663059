/**
 * One partition as it is fetched: its position, its leader, and what was fetched and not handed over yet. The fetcher alone
 * changes it; a new ownership of the same partition gets a new object, so that nothing of an earlier one can reach it.
 */
import type { Buffer } from "node:buffer";
import type { TopicPartition } from "../../../support/position.ts";
import type { AbortedFilter } from "../batch/aborted_filter.ts";
import type { OpenBatch } from "../batch/decode_batch.ts";

/** Fetched batches that wait until the partition is resumed. */
export interface WaitingData {
  /** A batch before those of `data`, of which some records were handed over already; `null` for none. */
  readonly open: OpenBatch | null;
  readonly data: Buffer;
  /** First offset that is wanted. */
  readonly from: number;
  readonly aborted: AbortedFilter;
  readonly highWatermark: number;
}

/** See the module. */
export class FetchedPartition implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  /** Offset of the next record to fetch; `null` for the beginning of the log, which has to be asked for. */
  position: number | null;
  isPaused = false;
  /** Node id of the broker that it is fetched from; `null` while no leader is known. */
  leader: number | null = null;
  /** Epoch of that leader, or of the last one. It goes out with each fetch: together with a later one an old leader would answer as a follower. */
  leaderEpoch = -1;
  /** Metadata of an earlier epoch is out of date: a broker knew a later one. */
  minLeaderEpoch = 0;
  /** Whether the cluster has reported that it has no leader, so that it is reported once. */
  isLeaderless = false;
  /** When the last leader was lost: metadata of that leader is followed only if it is younger. */
  lostMs = -Infinity;
  /** Not fetched before this time, on the clock of `performance.now()`. */
  notBeforeMs = 0;
  /** Number of changes of the position: an answer to an earlier request is dropped. */
  version = 0;
  /** The fetched data, oldest first. */
  readonly waiting: WaitingData[] = [];
  /** When something was handed over last, on the clock of `performance.now()`. */
  takenMs = 0;
  /** While a large batch is handed over in parts: resolved when the next part may follow. */
  parts: PromiseWithResolvers<void> | null = null;
  /** Offset at which the data was damaged: it is fetched once more, since the fault may be on the way. */
  damagedAt: number | null = null;
  /** Id of its topic: a topic that is created again is another one. `undefined` until the metadata has it. */
  topicId: string | undefined;

  constructor({ topic, partition }: TopicPartition, position: number | null, topicId: string | undefined) {
    this.topicId = topicId;
    this.topic = topic;
    this.partition = partition;
    this.position = position;
  }

  /** Goes on at another position. */
  seek(position: number | null): void {
    this.version++;
    this.waiting.length = 0;
    this.position = position;
    this.parts?.resolve();
    this.parts = null;
  }

  /** Its leader is not the one that was asked. */
  loseLeader(retryMs: number): void {
    this.leader = null;
    this.lostMs = performance.now();
    this.notBeforeMs = this.lostMs + retryMs;
  }
}
