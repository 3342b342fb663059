/**
 * Loads the parts of a page: a part that fails or takes too long becomes a note, and the others are shown. The first page must
 * say what is known, most of all when something is broken.
 */
import { describeError } from "../../errors.ts";
import { runWithin } from "./time_limit.ts";

/**
 * The time limit of one part, in milliseconds: less than that of a page by default, and more than the three seconds after which
 * a leader that does not respond is given up, so that a status knows the partitions of the others.
 */
export const PART_LIMIT_MS = 4000;

/** Loads the parts of one page. */
export class PartLoader {
  /** A sentence for each part that is not known, and why. */
  readonly notes: string[] = [];
  readonly #limitMs: number;

  constructor(limitMs: number = PART_LIMIT_MS) {
    this.#limitMs = limitMs;
  }

  /**
   * Loads a part. It never rejects.
   *
   * @param failure the start of the note, such as `"The workers are not known"`
   * @returns `null` if it fails or takes too long
   */
  async load<T>(failure: string, load: () => Promise<T>): Promise<T | null> {
    try {
      return await runWithin(this.#limitMs, load);
    } catch (error) {
      this.notes.push(`${failure}: ${describeError(error).message}`);
      return null;
    }
  }
}
