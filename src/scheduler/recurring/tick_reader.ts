/**
 * The records that count of an App's recurring jobs, for its lists. They wait among all delayed jobs, so that the first
 * reading takes in everything that is not finished; each later one only what has come since. A reading waits for the one
 * before it: a page that is loaded again and again does not read a million records each time.
 *
 * It reads all again
 * - if the topic or the group's position was set back: the topic was made again;
 * - after ten minutes without a reading: tombstones that it has not seen may be gone.
 *
 * An embedded broker removes tombstones sooner. Then the record of a job that workers with other code have forgotten is shown
 * until the group's position has passed it; any other one is replaced by the record of the next tick.
 */
import type { BrokerAdmin } from "../../broker/broker.ts";
import { jobIdOf, readScheduled } from "../../dispatch/schedule.ts";
import { UnknownTopicError } from "../../errors.ts";
import type { RecurringDefinition } from "../../recurring/definition.ts";
import { nextTurn } from "../../support/timers.ts";
import type { StoredRecord } from "../../broker/record.ts";
import { textOf } from "../../broker/record_text.ts";
import { decodeTick, lastTickAtMs, RECURRING_PARTITION, recurringIdOf, type TickRecord } from "./tick_record.ts";
import { addCancelled, nextTickAtMs } from "./tick_rules.ts";
import { TickTable } from "./tick_table.ts";

/** The most bytes of a page. */
const PAGE_BYTES = 1024 * 1024;
/** A tombstone stays for a day. */
const STANDSTILL_MS = 10 * 60_000;

type Admin = Pick<BrokerAdmin, "committed" | "read">;

/** See the module. */
export class TickReader {
  readonly #topic: string;
  readonly #group: string;
  readonly #definitions: ReadonlyMap<string, RecurringDefinition>;
  #table = new TickTable();
  /** The key of each record that counts, by its recurring job. */
  #keys = new Map<string, string>();
  /** The position to continue at; 0 before the first reading. */
  #position = 0;
  /** The position of the group: everything before it is finished. */
  #front = 0;
  #readAtMs = 0;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param topic the topic of delayed jobs
   * @param group the consumer group of the schedulers
   * @param definitions the recurring jobs whose records are read
   */
  constructor(topic: string, group: string, definitions: readonly RecurringDefinition[]) {
    this.#topic = topic;
    this.#group = group;
    this.#definitions = new Map(definitions.map((definition) => [definition.id, definition]));
  }

  /**
   * Reads up to the end of the log.
   *
   * @param nowMs the time by the App's clock
   * @returns the record that counts of each recurring job that has one; a topic that does not exist has none
   */
  read(admin: Admin, nowMs: number): Promise<ReadonlyMap<string, TickRecord>> {
    const reading = this.#last.then(() => this.#read(admin, nowMs));
    this.#last = reading.catch(() => {});
    return reading;
  }

  async #read(admin: Admin, nowMs: number): Promise<ReadonlyMap<string, TickRecord>> {
    try {
      const committed = await admin.committed(this.#group, this.#topic);
      const front = committed.find(({ partition }) => partition === RECURRING_PARTITION)?.offset ?? 0;
      if (front < this.#front || Math.abs(nowMs - this.#readAtMs) > STANDSTILL_MS) this.#reset();
      this.#front = front;
      this.#position = Math.max(front, this.#position);
      while (!await this.#readPage(admin, nowMs)) await nextTurn();
    } catch (error) {
      if (!(error instanceof UnknownTopicError)) throw error;
      this.#reset();
    }
    const found = new Map<string, TickRecord>();
    for (const id of this.#definitions.keys()) {
      const tick = this.#table.get(id);
      if (tick !== undefined && tick.offset >= this.#front) found.set(id, tick);
    }
    return found;
  }

  /** Reads a page. @returns whether it was the last one */
  async #readPage(admin: Admin, nowMs: number): Promise<boolean> {
    const from = this.#position;
    const page = await admin.read(this.#topic, RECURRING_PARTITION, { from, maxBytes: PAGE_BYTES, values: false });
    if (page.high < from) {
      this.#reset();
      return false;
    }
    for (const record of page.records) this.#apply(record, nowMs);
    this.#position = page.next;
    this.#readAtMs = nowMs;
    return page.next >= page.lastStable || page.next <= from;
  }

  #apply(record: StoredRecord, nowMs: number): void {
    const read = readScheduled(record);
    if (read.kind === "schedule") {
      const tick = decodeTick(record.offset, read);
      if (tick === null || !this.#definitions.has(tick.id) || !this.#table.add(tick, nowMs)) return;
      this.#keys.set(tick.id, textOf(record.key!));
    } else if (read.kind === "cancellation") {
      const id = recurringIdOf(read.jobId);
      if (id !== null && !read.isForgotten) this.#cancel(id, nowMs);
    } else if (read.kind === "tombstone") {
      const id = recurringIdOf(jobIdOf(record.key) ?? "");
      if (id === null || this.#keys.get(id) !== textOf(record.key!)) return;
      this.#keys.delete(id);
      this.#table.remove(this.#table.get(id)!.offset);
    }
  }

  /** Leaves out the tick that waits, as the owner of the partition will. */
  #cancel(id: string, nowMs: number): void {
    const record = this.#table.get(id);
    const definition = this.#definitions.get(id);
    if (record === undefined || definition === undefined) return;
    const cancelled = addCancelled(record.cancelled, [record.tickAtMs], nowMs);
    const afterMs = Math.max(nowMs, lastTickAtMs(record.last, nowMs));
    this.#table.add({ ...record, cancelled, tickAtMs: nextTickAtMs(definition, afterMs, cancelled) }, nowMs);
  }

  #reset(): void {
    this.#table = new TickTable();
    this.#keys = new Map();
    this.#position = 0;
    this.#front = 0;
  }
}
