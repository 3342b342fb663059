/**
 * The batches of one partition, in order. One is in flight at a time; its numbers tell the broker whether it has it already.
 *
 * An epoch belongs to the partition alone. Giving up a batch of unknown outcome raises it by one, with no request: whatever
 * still arrives under the old epoch is refused by the broker. Epochs only rise, also over a topic that is created again: a
 * pair of epoch and sequence that is used twice would be acknowledged with an old offset, for a record that was never
 * written.
 */
import type { Buffer } from "node:buffer";
import type { TopicPartition } from "../../../support/position.ts";
import type { Connection } from "../wire/connection.ts";
import { OutgoingBatch, type PlacedRecord } from "./outgoing_batch.ts";

const MAX_EPOCH = 32_767;
const SEQUENCES = 2 ** 31;
/** A larger buffer is not kept for the next batch, in bytes. */
const MAX_SPARE_BYTES = 2_000_000;

/** A request with the first batches of some queues. */
export interface InFlight {
  readonly leader: number;
  /** When it was begun, on the clock of `performance.now()`. */
  readonly sentMs: number;
  /** Whether it is one for partitions that wait for their in-sync replicas. */
  readonly isLagging: boolean;
  /** `null` until it is written to a connection. */
  connection: Connection | null;
}

/** See the module. */
export class PartitionQueue implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly batches: OutgoingBatch[] = [];
  /** The request of the first batch; `null` while none is in flight. */
  inFlight: InFlight | null = null;
  /** Whether its in-sync replicas did not follow in time: it is sent apart from others, which must not wait for it. */
  isLagging = false;
  /** Nothing is sent before this time, on the clock of `performance.now()`. */
  notBeforeMs = 0;
  /** Epoch of the leader that the last request went to, as the metadata had it. */
  leaderEpoch = -1;
  /** Whether that leader could not be reached, or is not the leader any more: another one is looked for. */
  hasLostLeader = false;
  #producerId: bigint | null = null;
  #epoch = 0;
  #sequence = 0;
  #spare: Buffer | undefined;

  constructor({ topic, partition }: TopicPartition) {
    this.topic = topic;
    this.partition = partition;
  }

  /** The batch that is in flight, or the next to be sent. */
  get head(): OutgoingBatch | undefined {
    return this.batches[0];
  }

  /** Whether it needs a new producer id before it can go on: another one than it had. */
  get needsProducerId(): boolean {
    return this.#producerId === null || this.#epoch > MAX_EPOCH;
  }

  /** Begins under a new producer id. @returns `false` if it has used that one up */
  useProducerId(producerId: bigint): boolean {
    if (producerId === this.#producerId) return false;
    this.#producerId = producerId;
    this.#epoch = 0;
    this.#sequence = 0;
    return true;
  }

  /** Adds a record at the end. */
  push(placed: PlacedRecord, timestampMs: number, maxBytes: number): void {
    if (this.batches.at(-1)?.add(placed, timestampMs, maxBytes)) return;
    const batch = new OutgoingBatch(this.#spare);
    this.#spare = undefined;
    batch.add(placed, timestampMs, maxBytes);
    this.batches.push(batch);
  }

  /** Gives the first batch its numbers, if it has none yet. */
  stampHead(): void {
    const { head } = this;
    if (head === undefined || head.isStamped) return;
    head.bytes.stamp(this.#producerId!, this.#epoch, this.#sequence);
    head.isStamped = true;
  }

  /** The leader could not be reached, or is not the leader any more: the first batch waits before it is sent again. */
  loseLeader(): void {
    this.hasLostLeader = true;
    this.notBeforeMs = performance.now() + this.head!.nextRetryMs();
  }

  /** Another leader is known: neither a wait for the earlier one, nor a long one after a refusal, has a reason any more. */
  endLeaderWait(): void {
    this.hasLostLeader = false;
    this.notBeforeMs = 0;
    this.head?.resetRetry();
  }

  /** The first batch is in the log. */
  acknowledgeHead(): void {
    this.#sequence = (this.#sequence + this.head!.bytes.count) % SEQUENCES;
    this.remove(this.head!);
  }

  /** Goes on under the next epoch; the first batch gets new numbers. */
  raiseEpoch(): void {
    this.#epoch++;
    this.#sequence = 0;
    if (this.head !== undefined) this.head.isStamped = false;
  }

  /** Replaces a batch. */
  replace(batch: OutgoingBatch, by: readonly OutgoingBatch[]): void {
    this.batches.splice(this.batches.indexOf(batch), 1, ...by);
  }

  /** Takes a batch out; its buffer serves the next one. */
  remove(batch: OutgoingBatch): void {
    this.replace(batch, []);
    if (batch.bytes.spare.length <= MAX_SPARE_BYTES) this.#spare = batch.bytes.spare;
  }
}
