/**
 * A binary heap of slots, the earliest due time first; of equal times the lower slot, which has the lower offset. It holds
 * numbers only: 4 bytes for each slot.
 */

/** Returns whether one slot is due before another one. */
export type IsBefore = (a: number, b: number) => boolean;

/** See the module. */
export class DueHeap {
  readonly #isBefore: IsBefore;
  #slots: Int32Array = new Int32Array(256);
  #length = 0;

  /** @param isBefore compares two slots */
  constructor(isBefore: IsBefore) {
    this.#isBefore = isBefore;
  }

  /** The number of slots. */
  get length(): number {
    return this.#length;
  }

  /** The first slot; -1 if there is none. */
  get first(): number {
    return this.#length === 0 ? -1 : this.#slots[0]!;
  }

  /** Adds a slot. */
  push(slot: number): void {
    if (this.#length === this.#slots.length) {
      const larger = new Int32Array(this.#slots.length * 2);
      larger.set(this.#slots);
      this.#slots = larger;
    }
    this.#slots[this.#length++] = slot;
    this.#rise(this.#length - 1);
  }

  /** Removes the first slot. */
  pop(): void {
    const last = this.#slots[--this.#length]!;
    if (this.#length === 0) return;
    this.#slots[0] = last;
    this.#sink(0);
  }

  /**
   * Renumbers the slots in the same order; some may go.
   *
   * @param numbers the new number of each slot; -1 for one that goes
   */
  renumber(numbers: Int32Array): void {
    let length = 0;
    for (let at = 0; at < this.#length; at++) {
      const slot = numbers[this.#slots[at]!]!;
      if (slot >= 0) this.#slots[length++] = slot;
    }
    this.#length = length;
    for (let at = (length >>> 1) - 1; at >= 0; at--) this.#sink(at);
  }

  #rise(at: number): void {
    const slots = this.#slots;
    const slot = slots[at]!;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!this.#isBefore(slot, slots[parent]!)) break;
      slots[at] = slots[parent]!;
      at = parent;
    }
    slots[at] = slot;
  }

  #sink(at: number): void {
    const slots = this.#slots;
    const slot = slots[at]!;
    while (true) {
      let child = 2 * at + 1;
      if (child >= this.#length) break;
      if (child + 1 < this.#length && this.#isBefore(slots[child + 1]!, slots[child]!)) child++;
      if (!this.#isBefore(slots[child]!, slot)) break;
      slots[at] = slots[child]!;
      at = child;
    }
    slots[at] = slot;
  }
}
