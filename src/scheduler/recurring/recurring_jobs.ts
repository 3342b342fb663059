/**
 * The recurring jobs of an App, in one ownership of the partition that has their records. The partition reads the log, and says
 * which record was read, is due, or is gone; each recurring job does the rest by itself.
 */
import { clearTimeout, nextTurn, setTimeout } from "../../support/timers.ts";
import type { RecurringContext } from "./context.ts";
import { OpenJobs } from "./open_jobs.ts";
import { OwnedRecurringJob } from "./owned_recurring_job.ts";
import type { TickRecord } from "./tick_record.ts";
import { TickTable } from "./tick_table.ts";

/** A clock that is set back by more is taken to have been wrong before, in milliseconds. */
const MAX_STEP_BACK_MS = 60_000;
/** The time for which steps may begin without a turn of the event loop, in milliseconds: a cron expression takes 0.1. */
const MAX_STRETCH_MS = 10;
/** The time between two looks at the clock while nothing else happens, in milliseconds. */
const LOOK_MS = 30_000;

/** See the module. */
export class RecurringJobs {
  readonly #context: RecurringContext;
  readonly #table = new TickTable();
  readonly #jobs: Map<string, OwnedRecurringJob>;
  /** Those that have something to do. The others are idle. */
  readonly #todo: Set<OwnedRecurringJob>;
  #isYielding = false;
  /** The records that were cancelled, by offset, while the next one is not written: the owner after this one must find them. */
  readonly #held = new Map<number, OwnedRecurringJob>();
  /** The latest time that the clock has shown. */
  #latestMs = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: Omit<RecurringContext, "openJobs">) {
    const context = { ...options, openJobs: new OpenJobs(options) };
    this.#context = context;
    this.#jobs = new Map(
      context.definitions.map((
        definition,
      ) => [definition.id, new OwnedRecurringJob(definition.id, definition, context)]),
    );
    this.#todo = new Set(this.#jobs.values());
    if (context.definitions.length > 0) this.#look();
  }

  /** Whether a step of one of them is under way. */
  get isBusy(): boolean {
    return !this.#every(({ isBusy }) => !isBusy);
  }

  /** Whether nothing can be done now for any of them. */
  get isSettled(): boolean {
    return this.#every(({ isSettled }) => isSettled);
  }

  /** The earliest due time of those whose records are due; `Infinity` if there is none. */
  get dueAtMs(): number {
    let dueAtMs = Infinity;
    for (const job of this.#todo) dueAtMs = Math.min(dueAtMs, job.dueAtMs);
    return dueAtMs;
  }

  /** Takes a record that was read. @returns whether it counts: one that comes late from a former owner does not */
  read(record: TickRecord): boolean {
    if (!this.#table.add(record, this.#context.clock.nowMs())) return false;
    const { id } = record;
    let job = this.#jobs.get(id);
    // It is not in the code any more.
    if (job === undefined) this.#jobs.set(id, job = new OwnedRecurringJob(id, null, this.#context));
    job.read(record);
    this.#todo.add(job);
    return true;
  }

  /** Notes that the record of an offset is gone, if there is one: it was cancelled, or forgotten by an owner with other code. */
  remove(offset: number, isForgotten = false): void {
    const record = this.#table.remove(offset);
    if (record === undefined) return;
    const job = this.#jobs.get(record.id);
    if (job === undefined) return;
    job.lose(record, isForgotten);
    this.#todo.add(job);
    if (job.isDeclared && !job.hasRecord) this.#held.set(offset, job);
  }

  /** Whether the record of an offset must stay in the log. */
  isHeld(offset: number): boolean {
    const job = this.#held.get(offset);
    if (job?.hasRecord === true) this.#held.delete(offset);
    return this.#held.has(offset);
  }

  /** Notes that a record is due. */
  setDue(offset: number): void {
    const job = this.#jobs.get(this.#table.at(offset)?.id ?? "");
    if (job === undefined) return;
    job.setDue(offset);
    this.#todo.add(job);
  }

  /** Does what can be done. */
  run(nowMs: number): void {
    // A clock that was wrong for a while has moved the next ticks too far.
    const wasSetBack = nowMs < this.#latestMs - MAX_STEP_BACK_MS;
    this.#latestMs = wasSetBack ? nowMs : Math.max(nowMs, this.#latestMs);
    for (const job of wasSetBack ? this.#jobs.values() : []) {
      job.compareAgain();
      this.#todo.add(job);
    }
    if (this.#isYielding) return;
    const beganMs = performance.now();
    for (const job of this.#todo) {
      if (performance.now() - beganMs > MAX_STRETCH_MS) return void this.#runLater();
      job.run();
      if (job.isBusy || !job.isIdle) continue;
      this.#todo.delete(job);
      // Any client may write records of jobs that never were in the code.
      if (!job.isDeclared) this.#jobs.delete(job.id);
    }
  }

  /** Ends. */
  close(): void {
    clearTimeout(this.#timer);
    for (const job of this.#jobs.values()) job.close();
  }

  /** By a timer of its own: those of the clock wait for a time that is far away once it is set back. */
  #look(): void {
    this.#timer = setTimeout(() => {
      this.#context.onProgress();
      this.#look();
    }, LOOK_MS);
  }

  /** Goes on in the next turn of the event loop: a thousand jobs may be due at once. */
  async #runLater(): Promise<void> {
    this.#isYielding = true;
    await nextTurn();
    this.#isYielding = false;
    this.#context.onProgress();
  }

  #every(test: (job: OwnedRecurringJob) => boolean): boolean {
    for (const job of this.#todo) if (!test(job)) return false;
    return true;
  }
}
