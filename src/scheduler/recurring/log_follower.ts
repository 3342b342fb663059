/**
 * Reads a topic again and again, each time on from where the last reading ended: what has come since, as far as its group has
 * not finished it. Callers at the same time share a reading.
 */
import type { BrokerAdmin, StoredRecord } from "../../broker/broker.ts";
import { readForward } from "../../broker/read_forward.ts";
import type { Position } from "../../support/position.ts";

/** The topic, and what is done with its records. */
export interface LogFollowerOptions {
  readonly admin: Pick<BrokerAdmin, "ends" | "committed" | "read">;
  readonly topic: string;
  /** The group whose commits say what is finished. */
  readonly group: string;
  /** Whether the values of the records are wanted. */
  readonly values: boolean;
  readonly signal: AbortSignal;
  /** Called with each record that was not read before. */
  readonly onRecord: (record: StoredRecord, position: Position) => void;
  /** Called with the partitions and offsets before which everything is finished, and need not be read. */
  readonly onFront?: (front: Position) => void;
}

/** See the module. */
export class LogFollower {
  readonly #options: LogFollowerOptions;
  /** The position at which the next reading begins, by partition. */
  #next = new Map<number, number>();
  #reading: Promise<void> = Promise.resolve();
  /** The reading that has not begun. */
  #queued: Promise<void> | undefined;

  constructor(options: LogFollowerOptions) {
    this.#options = options;
  }

  /**
   * Reads everything that is there now.
   *
   * @throws {BrokerError} if the topic cannot be read
   */
  async read(): Promise<void> {
    if (this.#queued === undefined) {
      const before = this.#reading.catch(() => {});
      this.#queued = this.#reading = before.then(() => {
        this.#queued = undefined;
        return this.#read();
      });
    }
    return await this.#queued;
  }

  /** Lets the next reading begin at what is not finished: a record that was passed over may matter now. */
  rewind(): void {
    this.#next = new Map();
  }

  async #read(): Promise<void> {
    const { admin, topic, group, values, signal, onRecord, onFront } = this.#options;
    const next = this.#next;
    const committed = new Map((await admin.committed(group, topic)).map((commit) => [commit.partition, commit.offset]));
    for (const { partition, low, high } of await admin.ends(topic)) {
      const front = committed.get(partition) ?? 0;
      const known = next.get(partition) ?? 0;
      // Beyond the end: the topic was made again.
      const from = Math.max(low, front, known > high ? 0 : known);
      onFront?.({ topic, partition, offset: front });
      for await (const page of readForward(admin, { topic, partition }, { from, to: high, values, signal })) {
        for (const record of page) onRecord(record, { topic, partition, offset: record.offset });
        next.set(partition, page.at(-1)!.offset + 1);
      }
    }
  }
}
