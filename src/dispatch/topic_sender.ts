/**
 * A topic sender: the way of records into one topic. It gathers the records that arrive while a batch is in flight and sends
 * them as the next batch: under load batches are large, else a record is sent at once, without lingering. One batch is in
 * flight at a time, which keeps the order; a broker with `concurrentAppends` keeps it itself, and gets each batch at once.
 *
 * Retrying, splitting and giving up are the broker's task: `append` returns one outcome for each record.
 */
import type { AppendOptions, AppendOutcome, Broker, NewRecord } from "../broker/broker.ts";
import { runInRootContext } from "../support/root_context.ts";

/** A record that is to be sent. */
export interface PendingRecord {
  /** The record. */
  readonly record: NewRecord;
  /** Its size in bytes. */
  readonly bytes: number;
  /** Whether the caller waits until it is on disk. */
  readonly durable: boolean;
  /** Called once, with the outcome. */
  settle(outcome: AppendOutcome): void;
}

/** Options of a topic sender. */
export interface TopicSenderOptions {
  /** The compression of its batches. @default "none" */
  readonly compression?: AppendOptions["compression"];
  /** Called each time that no record is waiting or in flight any more. */
  readonly onIdle?: () => void;
}

/** Most records of a batch. */
const MAX_BATCH_RECORDS = 1000;
/** Largest batch in bytes, unless it has only one record. */
const MAX_BATCH_BYTES = 1_000_000;

/** The records of one call of `append`; `null` for those that have their outcome. */
type Batch = (PendingRecord | null)[];

/** Sends records to one topic. */
export class TopicSender {
  readonly #topic: string;
  readonly #broker: () => Promise<Broker>;
  readonly #options: TopicSenderOptions;
  #waiting: PendingRecord[] = [];
  #isBusy = false;
  /** Number of batches whose outcome is not known yet. */
  #inFlight = 0;

  /**
   * @param broker returns the broker once it is ready: it is opened for the first batch, and may need its topics created
   */
  constructor(topic: string, broker: () => Promise<Broker>, options: TopicSenderOptions = {}) {
    this.#topic = topic;
    this.#broker = broker;
    this.#options = options;
  }

  /** Adds a record. It never waits. */
  push(pending: PendingRecord): void {
    this.#waiting.push(pending);
    if (this.#isBusy) return;
    this.#isBusy = true;
    // A microtask later, so that the records of one turn travel together; outside of the scope of the request that starts it,
    // since the batch has jobs of other requests as well.
    runInRootContext(() => void this.#sendAll());
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch: Batch = this.#waiting.splice(0, this.#nextBatchSize());
      this.#inFlight++;
      try {
        const broker = await this.#broker();
        const sent = this.#send(broker, batch);
        if (!broker.capabilities.concurrentAppends) await sent;
      } catch (error) {
        this.#end(batch, batch.map(() => ({ ok: false, error: error as Error, written: "no" })));
      }
    }
    this.#isBusy = false;
  }

  async #send(broker: Broker, batch: Batch): Promise<void> {
    this.#end(batch, await this.#append(broker, batch));
  }

  #end(batch: Batch, outcomes: readonly AppendOutcome[]): void {
    for (let index = 0; index < batch.length; index++) settle(batch, index, outcomes[index]!);
    this.#inFlight--;
    if (this.#waiting.length === 0 && this.#inFlight === 0) this.#options.onIdle?.();
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

  async #append(broker: Broker, batch: Batch): Promise<readonly AppendOutcome[]> {
    const { compression = "none" } = this.#options;
    const durability = batch.some((pending) => pending!.durable) ? "durable" : "buffered";
    try {
      return await broker.append(this.#topic, batch.map((pending) => pending!.record), {
        durability,
        compression,
        // Records of one turn share a call, and must not wait for each other.
        settled(index, outcome) {
          if (outcome.ok) settle(batch, index, outcome);
          // Later, since the stack of the error that the caller gets would have the frames of the broker.
          else queueMicrotask(() => settle(batch, index, outcome));
        },
      });
    } catch (error) {
      // `append` should not reject. A broker with such a fault must not stop the sender.
      return batch.map(() => ({ ok: false, error: error as Error, written: "unknown" }));
    }
  }
}

/** Settles a record, unless it was settled before. */
function settle(batch: Batch, index: number, outcome: AppendOutcome): void {
  const pending = batch[index];
  batch[index] = null;
  pending?.settle(outcome);
}
