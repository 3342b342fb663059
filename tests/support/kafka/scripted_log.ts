/** The log of a scripted broker: takes what a producer sends, as a Kafka does, and gives it to a consumer. */
import { Buffer } from "node:buffer";
import { Field, MAGIC } from "../../../src/broker/kafka/batch/layout.ts";
import { Reader } from "../../../src/broker/kafka/wire/reader.ts";
import type { At, ScriptedFetch } from "./scripted_responses.ts";
import type { ScriptedRequest } from "./scripted_broker.ts";

/** A batch as a producer sent it. */
export interface ProducedBatch extends At {
  readonly bytes: Buffer;
  readonly producerId: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly count: number;
}

/** Reads the batches of a Produce request in version 7. */
export function batchesOf({ body }: ScriptedRequest): ProducedBatch[] {
  const reader = new Reader(body);
  reader.string();
  reader.int16();
  reader.int32();
  return reader.array(() => {
    const topic = reader.string()!;
    return reader.array(() => {
      const partition = reader.int32();
      const bytes = Buffer.from(reader.bytes(reader.int32()));
      return {
        topic,
        partition,
        bytes,
        producerId: Number(bytes.readBigInt64BE(Field.producerId)),
        epoch: bytes.readInt16BE(Field.producerEpoch),
        sequence: bytes.readInt32BE(Field.baseSequence),
        count: bytes.readInt32BE(Field.count),
      };
    });
  }).flat();
}

/** A position in a Fetch request in version 13. */
export interface ScriptedPosition {
  readonly topicId: string;
  readonly partition: number;
  readonly leaderEpoch: number;
  readonly offset: number;
}

/** Reads the positions of a Fetch request in version 13. */
export function positionsOf({ body }: ScriptedRequest): ScriptedPosition[] {
  const reader = new Reader(body);
  reader.bytes(25);
  return reader.compactArray(() => {
    const topicId = reader.bytes(16).toString("hex");
    const partitions = reader.compactArray(() => {
      const [partition, leaderEpoch, offset] = [reader.int32(), reader.int32(), reader.int64()];
      reader.bytes(16);
      reader.skipTags();
      return { topicId, partition, leaderEpoch, offset };
    });
    reader.skipTags();
    return partitions;
  }).flat();
}

/** The partitions of one topic. */
export class ScriptedLog {
  readonly #batches = new Map<number, { readonly bytes: Buffer; readonly next: number }[]>();
  /** Ends of the waits for a batch. */
  #waiting: PromiseWithResolvers<void> = Promise.withResolvers();

  /** Offset of the next record of a partition. */
  end(partition: number): number {
    return this.#batches.get(partition)?.at(-1)?.next ?? 0;
  }

  /** Appends a batch. @returns the offset of its first record */
  append(partition: number, batch: Buffer): number {
    const bytes = Buffer.from(batch);
    const baseOffset = this.end(partition);
    bytes.writeBigInt64BE(BigInt(baseOffset), Field.baseOffset);
    const next = baseOffset + (bytes[Field.magic]! < MAGIC ? 0 : bytes.readInt32BE(Field.lastOffsetDelta)) + 1;
    const list = this.#batches.get(partition) ?? [];
    this.#batches.set(partition, [...list, { bytes, next }]);
    this.#waiting.resolve();
    this.#waiting = Promise.withResolvers();
    return baseOffset;
  }

  /** Returns the batches from some positions on, once there is one, or the broker has waited for long enough. */
  async fetch(positions: readonly ScriptedPosition[], maxWaitMs: number): Promise<ScriptedFetch[]> {
    const endMs = performance.now() + maxWaitMs;
    while (true) {
      const found = positions.map(({ topicId, partition, offset }): ScriptedFetch => {
        const batches = (this.#batches.get(partition) ?? []).filter(({ next }) => next > offset);
        const data = Buffer.concat(batches.map(({ bytes }) => bytes));
        return { topicId, partition, highWatermark: this.end(partition), data };
      });
      const leftMs = endMs - performance.now();
      if (leftMs <= 0 || found.some(({ data }) => data!.length > 0)) return found;
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, leftMs);
      await Promise.race([promise, this.#waiting.promise]);
      clearTimeout(timer);
    }
  }
}
