/**
 * The record that counts of each recurring job: the latest one. A record that knows of fewer ticks than the one before it comes
 * late, from a former owner: it does not count. A last tick of the future counts as none, so that
 * a forged one does not shut out the records after it.
 */
import { lastTickAtMs, type TickRecord } from "./tick_record.ts";

/** See the module. */
export class TickTable {
  readonly #byId = new Map<string, TickRecord>();
  readonly #byOffset = new Map<number, TickRecord>();

  /** Returns the record of a recurring job. */
  get(id: string): TickRecord | undefined {
    return this.#byId.get(id);
  }

  /** Returns the record of an offset, if it counts. */
  at(offset: number): TickRecord | undefined {
    return this.#byOffset.get(offset);
  }

  /** Adds a record. @returns whether it counts */
  add(record: TickRecord, nowMs: number): boolean {
    const known = this.#byId.get(record.id);
    if (known !== undefined && lastTickAtMs(known.last, nowMs) > lastTickAtMs(record.last, nowMs)) return false;
    if (known !== undefined) this.#byOffset.delete(known.offset);
    this.#byId.set(record.id, record);
    this.#byOffset.set(record.offset, record);
    return true;
  }

  /** Forgets the record of an offset. @returns the record, if it was the one that counts */
  remove(offset: number): TickRecord | undefined {
    const record = this.#byOffset.get(offset);
    if (record === undefined) return undefined;
    this.#byOffset.delete(offset);
    this.#byId.delete(record.id);
    return record;
  }
}
