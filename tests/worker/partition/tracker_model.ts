/**
 * The obvious truth about a partition's progress, for the tests of the tracker: sets of offsets, everything worked out
 * anew at each question. It shares nothing with the code under test.
 */

/** One ownership, as it should be. */
export class ProgressModel {
  readonly #taken: { offset: number; next: number; done: boolean }[] = [];
  readonly #start: number | null;

  constructor(start: number | null) {
    this.#start = start;
  }

  take(offset: number, next: number): void {
    this.#taken.push({ offset, next, done: false });
  }

  /** An empty hand-over: as if a record that nobody sees were taken and done. */
  passTo(next: number): void {
    this.#taken.push({ offset: next - 1, next, done: true });
  }

  finish(offset: number): void {
    this.#taken.find((record) => record.offset === offset && !record.done)!.done = true;
  }

  /** Everything before this is done. */
  front(): number | null {
    const open = this.#taken.findIndex(({ done }) => !done);
    const behind = open < 0 ? this.#taken : this.#taken.slice(0, open);
    const first = this.#start ?? this.#taken[0]?.offset ?? null;
    const done = behind.reduce((front: number | null, { next }) => Math.max(front ?? 0, next), first);
    return open < 0 ? done : Math.max(done!, this.#taken[open]!.offset);
  }

  /** The offsets that were taken and are not done. */
  open(): number[] {
    return this.#taken.filter(({ done }) => !done).map(({ offset }) => offset);
  }
}
