/** A number of entries that several lists of a report share. */
export class Budget {
  #left: number;

  /** @param entries the number of entries of all lists together */
  constructor(entries: number) {
    this.#left = entries;
  }

  /** Takes the first entries of a list, as many as are left. */
  take<T>(list: readonly T[]): readonly T[] {
    const taken = list.slice(0, this.#left);
    this.#left -= taken.length;
    return taken;
  }
}
