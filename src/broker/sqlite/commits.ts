/**
 * The commits of a consumer: the worker's marks are written in transactions of up to a hundred, with one outcome a mark.
 */
import type { CommitOutcome, Mark, Ownership } from "../broker.ts";
import { type Connection, MAX_ROWS } from "./connection.ts";
import { SqliteError } from "./failures.ts";
import type { DatabaseFile, Patience } from "./file.ts";
import type { SqliteOwnership } from "./ownership.ts";
import { commit, fenceOf, MAX_COMMIT_METADATA_LENGTH } from "./group_offsets.ts";

/** The commits of one consumer. */
export class Commits {
  readonly #file: DatabaseFile;
  readonly #group: string;
  readonly #owns: (ownership: Ownership) => ownership is SqliteOwnership;

  /** @param owns whether an ownership is live */
  constructor(file: DatabaseFile, group: string, owns: (ownership: Ownership) => ownership is SqliteOwnership) {
    this.#file = file;
    this.#group = group;
    this.#owns = owns;
  }

  /** Commits. @returns one outcome a mark */
  async write(marks: readonly Mark[], patience: Patience): Promise<CommitOutcome[]> {
    const outcomes: CommitOutcome[] = [];
    for (let from = 0; from < marks.length; from += MAX_ROWS) {
      outcomes.push(...await this.#slice(marks.slice(from, from + MAX_ROWS), patience));
    }
    return outcomes;
  }

  /** Commits the last marks before partitions move, inside a transaction. One whose ownership has ended changes nothing. */
  writeLast(connection: Connection, marks: readonly Mark[]): void {
    for (const { ownership, next, metadata } of marks) {
      if (!this.#owns(ownership) || metadata.length > MAX_COMMIT_METADATA_LENGTH) continue;
      commit(connection, this.#group, ownership, { offset: next, metadata });
    }
  }

  async #slice(marks: readonly Mark[], patience: Patience): Promise<CommitOutcome[]> {
    const owned = marks.map(({ ownership }) => this.#owns(ownership) ? ownership : null);
    if (owned.every((ownership) => ownership === null)) return marks.map(() => "ended");
    try {
      return await this.#file.write((connection) =>
        marks.map(({ next, metadata }, at): CommitOutcome => {
          const ownership = owned[at]!;
          if (ownership === null || ownership.lost.aborted) return "ended";
          if (metadata.length > MAX_COMMIT_METADATA_LENGTH) return "metadata_too_long";
          if (commit(connection, this.#group, ownership, { offset: next, metadata })) return "committed";
          const fence = fenceOf(connection, this.#group, ownership.partitionId);
          return fence === ownership.fence ? "refused" : "ended";
        }), patience);
    } catch (error) {
      const written = error instanceof SqliteError ? error.written : "no";
      return marks.map(() => written === "unknown" ? "unknown" : "refused");
    }
  }
}
