/**
 * A first-in, first-out queue whose memory follows its length, also while it is never empty.
 *
 * `Array.shift()` moves all other items of a long array. Here the head moves instead, the slots behind it are cleared at
 * once (a cleared slot keeps nothing alive), and they are dropped when they are half of the array: each item is moved at
 * most once on average.
 */
export class Fifo<T extends object> {
  #items: (T | undefined)[] = [];
  #head = 0;

  /** The number of items. */
  get length(): number {
    return this.#items.length - this.#head;
  }

  /** The number of slots that the queue occupies: for tests of its memory. */
  get slots(): number {
    return this.#items.length;
  }

  /** The first item; `undefined` if there is none. */
  get first(): T | undefined {
    return this.#items[this.#head];
  }

  /** The last item; `undefined` if there is none. */
  get last(): T | undefined {
    return this.length === 0 ? undefined : this.#items[this.#items.length - 1];
  }

  /** Adds an item at the end. */
  push(item: T): void {
    this.#items.push(item);
  }

  /** Removes the first item. @returns it; `undefined` if there is none */
  shift(): T | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    // A queue that has one item at a time keeps its array: a new one for each item takes as long as a small job.
    if (this.#items.length === 1) return this.#items.pop();
    this.#items[this.#head++] = undefined;
    if (this.#head === this.#items.length) this.clear();
    else if (this.#head >= MIN_DROPPED && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Removes all items. */
  clear(): void {
    this.#items = [];
    this.#head = 0;
  }

  /** The items, from the first to the last. */
  *[Symbol.iterator](): Generator<T> {
    for (let index = this.#head; index < this.#items.length; index++) yield this.#items[index]!;
  }
}

/** Fewer empty slots are not dropped: a short queue is not copied all the time. */
const MIN_DROPPED = 64;
