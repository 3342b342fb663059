/**
 * A lane: the way of records into one topic. It gathers what comes in while a batch is in flight and sends it as the next
 * one, so that load makes batches large and quiet makes them small; there is no linger. One batch is in flight at a time,
 * which keeps the order.
 *
 * Sending again, splitting, and giving up are the broker's business: `append` answers one outcome a record.
 */
import { runInRootContext } from "../support/root_context.ts";
import type { AppendOutcome, Broker, NewRecord } from "../broker/broker.ts";

/** A record on its way. */
export interface PendingRecord {
  /** What is sent. */
  readonly record: NewRecord;
  /** Its size in bytes. */
  readonly bytes: number;
  /** Whether the caller waits for it to be on disk. */
  readonly durable: boolean;
  /** Called once with what became of it. */
  settle(outcome: AppendOutcome): void;
}

/** No batch has more records. */
const MAX_BATCH_RECORDS = 1000;
/** No batch is larger, in bytes, unless its only record is. */
const MAX_BATCH_BYTES = 1_000_000;

/** The way of records into one topic. */
export class TopicSender {
  readonly #topic: string;
  readonly #broker: () => Promise<Broker>;
  #waiting: PendingRecord[] = [];
  #busy = false;

  /** @param broker answers the broker once it is ready: it is opened at the first batch, and may need its topics made */
  constructor(topic: string, broker: () => Promise<Broker>) {
    this.#topic = topic;
    this.#broker = broker;
  }

  /** Takes a record. It never waits. */
  push(shipment: PendingRecord): void {
    this.#waiting.push(shipment);
    if (this.#busy) return;
    this.#busy = true;
    // A microtask later, so that the records of one turn travel together; outside of the scope of the request that starts it,
    // since the batch has jobs of other requests as well.
    runInRootContext(() => void this.#sendAll());
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#nextBatchSize());
      const outcomes = await this.#append(batch);
      for (let index = 0; index < batch.length; index++) batch[index]!.settle(outcomes[index]!);
    }
    this.#busy = false;
  }

  #nextBatchSize(): number {
    let bytes = 0;
    let count = 0;
    for (; count < this.#waiting.length && count < MAX_BATCH_RECORDS; count++) {
      bytes += this.#waiting[count]!.bytes;
      if (bytes > MAX_BATCH_BYTES && count > 0) break;
    }
    return count;
  }

  async #append(batch: readonly PendingRecord[]): Promise<readonly AppendOutcome[]> {
    let broker: Broker;
    try {
      broker = await this.#broker();
    } catch (error) {
      return batch.map(() => ({ ok: false, error: error as Error, written: "no" }));
    }
    const durability = batch.some((shipment) => shipment.durable) ? "durable" : "buffered";
    try {
      return await broker.append(this.#topic, batch.map((shipment) => shipment.record), { durability });
    } catch (error) {
      // A broker with a fault of its own: the lane goes on, and nobody waits for ever.
      return batch.map(() => ({ ok: false, error: error as Error, written: "unknown" }));
    }
  }
}
