/**
 * The recurring jobs of an App, in one ownership of the partition that has their records. The partition reads the log, and says
 * which record was read, is due, or is gone; each recurring job does the rest by itself.
 */
import type { RecurringContext } from "./context.ts";
import { OwnedRecurringJob } from "./owned_recurring_job.ts";
import type { TickRecord } from "./tick_record.ts";
import { TickTable } from "./tick_table.ts";

/** See the module. */
export class RecurringJobs {
  readonly #context: RecurringContext;
  readonly #table = new TickTable();
  readonly #jobs: Map<string, OwnedRecurringJob>;

  constructor(context: RecurringContext) {
    this.#context = context;
    this.#jobs = new Map(
      context.definitions.map((
        definition,
      ) => [definition.id, new OwnedRecurringJob(definition.id, definition, context)]),
    );
  }

  /** Whether nothing can be done now for any of them. */
  get isSettled(): boolean {
    return this.#every(({ isSettled }) => isSettled);
  }

  /** The earliest due time of those whose records are due; `Infinity` if there is none. */
  get dueAtMs(): number {
    let dueAtMs = Infinity;
    for (const job of this.#jobs.values()) dueAtMs = Math.min(dueAtMs, job.dueAtMs);
    return dueAtMs;
  }

  /** Takes a record that was read. @returns whether it counts: one that comes late from a former owner does not */
  read(record: TickRecord): boolean {
    if (!this.#table.add(record)) return false;
    const { id } = record;
    let job = this.#jobs.get(id);
    // It is not in the code any more.
    if (job === undefined) this.#jobs.set(id, job = new OwnedRecurringJob(id, null, this.#context));
    job.read(record);
    return true;
  }

  /** Notes that the record of an offset is gone, if there is one. */
  remove(offset: number): void {
    const record = this.#table.remove(offset);
    if (record !== undefined) this.#jobs.get(record.id)!.lose(record);
  }

  /** Notes that a record is due. */
  setDue(offset: number): void {
    for (const job of this.#jobs.values()) job.setDue(offset);
  }

  /** Does what can be done. */
  run(): void {
    for (const job of this.#jobs.values()) job.run();
  }

  /** Ends. */
  close(): void {
    for (const job of this.#jobs.values()) job.close();
  }

  #every(test: (job: OwnedRecurringJob) => boolean): boolean {
    for (const job of this.#jobs.values()) if (!test(job)) return false;
    return true;
  }
}
