/**
 * The delivery of records: reads the partitions of a consumer in turn, at most one batch of each, and hands them to its sink.
 * A partition whose records cannot be read waits alone.
 */
import { BrokerError } from "../../errors.ts";
import type { Monitor } from "../../monitor/monitor.ts";
import type { ConsumerSink, RecordBatch } from "../broker.ts";
import type { DatabaseFile, Patience } from "./file.ts";
import { type Ends, endsOf } from "./log_end.ts";
import type { SqliteOwnership } from "./ownership.ts";
import { read } from "./records.ts";
import { turn } from "./wakeup.ts";

/** The consumer, as its delivery calls it. */
export interface Caller {
  /** Calls the sink. */
  tell(call: (sink: ConsumerSink) => void): void;
  /** Whether nothing more may be handed over. */
  isClosed(): boolean;
}

/** See the module. */
export class Delivery {
  readonly #file: DatabaseFile;
  readonly #monitor: Monitor;
  readonly #maxFetchBytes: number;
  readonly #patience: Patience;
  readonly #caller: Caller;

  /** Makes the delivery of one consumer. */
  constructor(file: DatabaseFile, monitor: Monitor, maxFetchBytes: number, patience: Patience, caller: Caller) {
    this.#file = file;
    this.#monitor = monitor;
    this.#maxFetchBytes = maxFetchBytes;
    this.#patience = patience;
    this.#caller = caller;
  }

  /** Hands over a batch of each partition. @returns whether there were records, and whether there are more */
  async deliver(owned: readonly SqliteOwnership[]): Promise<{ hasRecords: boolean; hasMore: boolean }> {
    let hasRecords = false;
    let hasMore = false;
    for (const ownership of owned) {
      if (ownership.paused) continue;
      const found = await this.#read(ownership);
      // Checked after each wait: the worker may have paused it, or closed the consumer.
      if (this.#caller.isClosed()) break;
      if (found === null || ownership.paused) continue;
      this.#skipGone(ownership, found.ends);
      const { batch } = found;
      if (batch === null) continue;
      ownership.position = batch.next;
      hasRecords = true;
      this.#caller.tell((sink) => sink.records(ownership, batch));
      hasMore ||= batch.next < found.ends.high;
      // Many partitions are much work: timers and sockets get a turn between two of them.
      await turn();
      if (this.#caller.isClosed()) break;
    }
    return { hasRecords, hasMore };
  }

  /** Reads a batch of a partition. An error that is not of the whole file holds up this partition only. */
  async #read(ownership: SqliteOwnership): Promise<{ ends: Ends; batch: RecordBatch | null } | null> {
    const { topic, partition, partitionId } = ownership;
    try {
      const found = await this.#file.read((connection) => {
        const ends = endsOf(connection, partitionId);
        if (ends === undefined) return null;
        const from = Math.max(ownership.position, ends.low);
        return { ends, batch: read(connection, partitionId, from, ends.high, this.#maxFetchBytes) };
      }, this.#patience);
      ownership.isFailing = false;
      return found;
    } catch (error) {
      if (error instanceof BrokerError || this.#caller.isClosed()) throw error;
      if (ownership.isFailing) return null;
      ownership.isFailing = true;
      const place = `${topic}/${partition}@${ownership.position}`;
      const failure = new BrokerError(`Cannot read ${place}: the partition waits`, { cause: error });
      this.#monitor.reportError("read", failure);
      return null;
    }
  }

  #skipGone(ownership: SqliteOwnership, { low }: Ends): void {
    const { position } = ownership;
    if (position >= low) return;
    ownership.position = low;
    this.#caller.tell((sink) => sink.expired(ownership, position, low));
  }
}
