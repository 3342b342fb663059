/**
 * A simple model of a partition's progress, for the tests of the tracker: a list of records, from which everything is
 * computed at each call. It shares nothing with the code under test.
 */

/** The correct progress of one ownership. */
export class ProgressModel {
  readonly #records: { offset: number; next: number; done: boolean }[] = [];
  readonly #start: number | null;

  constructor(start: number | null) {
    this.#start = start;
  }

  add(offset: number, next: number): void {
    this.#records.push({ offset, next, done: false });
  }

  /** An empty batch: like a record that is finished at once. */
  skipTo(next: number): void {
    this.#records.push({ offset: next - 1, next, done: true });
  }

  finish(offset: number): void {
    this.#records.find((record) => record.offset === offset && !record.done)!.done = true;
  }

  /** Returns the position before which everything is finished. */
  front(): number | null {
    const open = this.#records.findIndex(({ done }) => !done);
    const behind = open < 0 ? this.#records : this.#records.slice(0, open);
    const first = this.#start ?? this.#records[0]?.offset ?? null;
    const done = behind.reduce((front: number | null, { next }) => Math.max(front ?? 0, next), first);
    return open < 0 ? done : Math.max(done!, this.#records[open]!.offset);
  }

  /** Returns the offsets that were added and are not finished. */
  open(): number[] {
    return this.#records.filter(({ done }) => !done).map(({ offset }) => offset);
  }
}
