/**
 * One topic of the producer: finds a partition for each record. A record with a key goes to the partition of its key. Those
 * without go to each partition in turn, since a partition's jobs run one by one, but never to one without a reachable
 * leader while there is another.
 */
import type { AppendOptions, NewRecord } from "../../broker.ts";
import { partitionOfKey } from "../../partitioner.ts";
import { sizeOf } from "../../record.ts";
import { recordTooLargeError, unknownPartitionError } from "../../refusals.ts";
import type { AppendCall } from "./append_call.ts";
import { isMovable, type PlacedRecord } from "./outgoing_batch.ts";
import { PartitionQueue } from "./partition_queue.ts";

/** Bytes that a batch and a record have beside key, value and headers, at most. */
const BATCH_OVERHEAD_BYTES = 100;
/** Below Kafka's default (1,048,588), for topics whose configuration cannot be read. */
const DEFAULT_MAX_BATCH_BYTES = 1_000_000;

/** See the module. */
export class TopicProducer {
  readonly name: string;
  readonly queues: PartitionQueue[] = [];
  /** Calls that wait until the topic's partitions are known, in their order. */
  waiting: AppendCall[] = [];
  /** When the cluster reported first that the topic does not exist, on the clock of `performance.now()`; `null` if it does. */
  missingSinceMs: number | null = null;
  /** Compression of its batches. */
  compression: NonNullable<AppendOptions["compression"]> = "none";
  /** Limit of a batch before compression: the topic's `max.message.bytes`. */
  maxBatchBytes: number = DEFAULT_MAX_BATCH_BYTES;
  /** When the limit was asked for, on the clock of `performance.now()`. */
  limitAskedMs = -Infinity;
  /** Number of partitions; there may be queues of some that do not exist any more. */
  #count = 0;
  /** Counts records without a key. It starts at random: short-lived processes must not all begin with partition 0. */
  #turn = Math.floor(Math.random() * 2 ** 16);

  constructor(name: string) {
    this.name = name;
  }

  /** Makes queues for the partitions that there are. A topic that was created again may have fewer. */
  setPartitionCount(count: number): void {
    this.#count = count;
    for (let partition = this.queues.length; partition < count; partition++) {
      this.queues.push(new PartitionQueue({ topic: this.name, partition }));
    }
  }

  /**
   * Puts the records of a call into the queues of their partitions.
   *
   * @param canReach returns whether a partition has a leader that can be reached
   * @returns the queues that got something
   */
  place(call: AppendCall, canReach: (at: PartitionQueue) => boolean): Set<PartitionQueue> {
    const timestampMs = Date.now();
    const queues = new Set<PartitionQueue>();
    const candidates = this.#candidates(canReach);
    for (let index = 0; index < call.records.length; index++) {
      const record = call.records[index]!;
      const partition = this.#partitionOf(record, candidates);
      const queue = partition < this.#count ? this.queues[partition] : undefined;
      const error = queue === undefined
        ? unknownPartitionError(this.name, partition, this.#count)
        : this.#tooLarge(record);
      if (error !== null) call.settle(index, { ok: false, error, written: "no" });
      else {
        queue!.push({ call, index }, timestampMs, this.maxBatchBytes);
        queues.add(queue!);
      }
    }
    return queues;
  }

  /** Puts records without a key into other partitions. @returns the queues that got something */
  move(records: readonly PlacedRecord[], canReach: (at: PartitionQueue) => boolean): Set<PartitionQueue> {
    const candidates = this.#candidates(canReach);
    const queues = new Set<PartitionQueue>();
    for (const placed of records) {
      const queue = candidates[this.#turn++ % candidates.length]!;
      queue.push(placed, Date.now(), this.maxBatchBytes);
      queues.add(queue);
    }
    return queues;
  }

  /** Returns the error of a record that is larger than a batch may be; `null` if it is not. */
  #tooLarge(record: NewRecord): Error | null {
    const bytes = sizeOf(record) + BATCH_OVERHEAD_BYTES;
    return bytes <= this.maxBatchBytes ? null : recordTooLargeError(this.name, bytes, this.maxBatchBytes);
  }

  #partitionOf(record: NewRecord, candidates: readonly PartitionQueue[]): number {
    if (record.partition !== undefined) return record.partition;
    if (isMovable(record)) return candidates[this.#turn++ % candidates.length]!.partition;
    return partitionOfKey(record.key!, this.#count);
  }

  /** The partitions for records without a key. */
  #candidates(canReach: (at: PartitionQueue) => boolean): readonly PartitionQueue[] {
    const present = this.queues.slice(0, this.#count);
    const reachable = present.filter(canReach);
    return reachable.length > 0 ? reachable : present;
  }
}
