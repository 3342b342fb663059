/**
 * One recurring job, in one ownership of the partition. Its next tick waits as a record among the delayed jobs:
 *
 * 1. A job without a record gets one, for the first tick from now on. One whose definition has changed gets another.
 * 2. The tick is due: the record is written again with the ends of the target (`ends`), so that a later owner knows that the
 *    enqueuing has begun, and where to look for the job.
 * 3. The job is enqueued. Its id comes from the tick.
 * 4. The record of the next tick is written, which removes the one before it.
 *
 * An owner that finds a record with `ends` looks for the job from there on, and goes on with 3 or 4. So a tick enqueues
 * exactly one job, also if its owner is killed at any point; but a process that is suspended between a proof of its ownership
 * and the append of the job for longer than its session enqueues a second one with the same id.
 */
import type { NewRecord } from "../../broker/broker.ts";
import { forgettingRecord, scheduleRecord } from "../../dispatch/schedule.ts";
import { createTickJob, type RecurringDefinition } from "../../recurring/definition.ts";
import type { Position } from "../../support/position.ts";
import type { RecurringContext } from "./context.ts";
import { readEnds } from "./find_job.ts";
import { RetriedStep } from "./retried_step.ts";
import { TickEnqueuing } from "./tick_enqueuing.ts";
import {
  encodeTick,
  isBelievable,
  type LastTick,
  lastTickAtMs,
  RECURRING_PARTITION,
  scheduleIdOf,
  type TickRecord,
  type TickState,
} from "./tick_record.ts";
import { addCancelled, hashText, isRightTick, nextTickAtMs } from "./tick_rules.ts";

/** A tick that is enqueued later than this was missed, in milliseconds. A shorter standstill, as at a deploy, loses no tick. */
const MISSED_AFTER_MS = 60_000;

/** The contents of the next record that follow from the tick before it. */
type NextTick = Pick<TickState, "tickAtMs" | "last" | "ends">;

/** See the module. */
export class OwnedRecurringJob {
  /** Its id. */
  readonly id: string;
  /** `null` for one that is not in the code any more: its record is removed. */
  readonly #definition: RecurringDefinition | null;
  readonly #context: RecurringContext;
  readonly #enqueuing: TickEnqueuing;
  readonly #step: RetriedStep;
  /** The record that counts; `null` if there is none. */
  #record: TickRecord | null = null;
  /** The offset of the last record that was read. */
  #readOffset = -1;
  #last: LastTick | null = null;
  #cancelled: readonly number[] = [];
  /** Whether the definition was compared with the record; and with any record of this ownership. */
  #isCompared = false;
  #hasCompared = false;
  #isDue = false;
  #definitionHash: string | undefined;

  constructor(id: string, definition: RecurringDefinition | null, context: RecurringContext) {
    this.id = id;
    this.#definition = definition;
    this.#context = context;
    this.#enqueuing = new TickEnqueuing(context);
    this.#step = new RetriedStep({ ...context, where: `recurring ${id}`, run: () => this.#run() });
  }

  /** Whether a step is under way. */
  get isBusy(): boolean {
    return this.#step.isBusy;
  }

  /** Whether a record counts. */
  get hasRecord(): boolean {
    return this.#record !== null;
  }

  /** Whether it is in the code. */
  get isDeclared(): boolean {
    return this.#definition !== null;
  }

  /** Whether nothing is to be done before the next tick. */
  get isIdle(): boolean {
    if (this.#definition === null) return this.#record === null;
    return this.#isCompared && this.#record !== null && !this.#isDue;
  }

  /** Whether nothing can be done now: nothing is to be done, or the last try has failed. */
  get isSettled(): boolean {
    return this.isIdle || this.#step.isWaiting;
  }

  /** The time since which its record is due; `Infinity` if it is not. */
  get dueAtMs(): number {
    return this.#isDue ? this.#record?.dueAtMs ?? Infinity : Infinity;
  }

  /** Takes the record that counts. */
  read(record: TickRecord): void {
    const { offset, ends } = record;
    this.#readOffset = offset;
    // Its own record, read back.
    if (this.#record !== null && offset <= this.#record.offset) return;
    this.#take(record);
    this.#enqueuing.setInDoubt(ends !== null);
    // From a former owner, or forged.
    this.#isCompared = false;
  }

  /**
   * Notes that its record is gone: it was cancelled, so that its tick is left out. An owner with other code has only forgotten
   * it: its tick comes.
   */
  lose(record: TickRecord, isForgotten: boolean): void {
    if (this.#record?.offset !== record.offset) return;
    this.#record = null;
    this.#isDue = false;
    if (isForgotten) return;
    this.#cancelled = addCancelled(this.#cancelled, [record.tickAtMs], this.#context.clock.nowMs());
  }

  /** Notes that a record is due. */
  setDue(offset: number): void {
    if (this.#record?.offset === offset) this.#isDue = true;
  }

  /** Compares the definition with the record again: the clock was set. */
  compareAgain(): void {
    this.#isCompared = false;
  }

  /** Does the next step, if there is one and none is under way. */
  run(): void {
    if (this.#step.isBusy || this.#step.isWaiting || this.isIdle || !this.#context.canAppend()) return;
    this.#step.start();
  }

  /** Ends its timer. */
  close(): void {
    this.#step.close();
  }

  /** The next step. */
  async #run(): Promise<void> {
    const { clock, putBack } = this.#context;
    const definition = this.#definition;
    if (definition === null) return await this.#forget();
    const nowMs = clock.nowMs();
    const record = this.#record;
    if (record === null) return await this.#write(definition, this.#firstTick(definition, nowMs));
    if (!this.#isCompared) return await this.#compare(definition, record, nowMs);
    if (record.tickAtMs <= nowMs) return await this.#tick(definition, record, nowMs);
    // The tick is farther than a job may wait.
    if (record.dueAtMs <= nowMs) return await this.#write(definition, record);
    // The clock was set back; or the time of the record is forged, and it would be due again at once.
    if (putBack(record.offset)) this.#isDue = false;
    else await this.#write(definition, record);
  }

  async #forget(): Promise<void> {
    if (this.#record !== null) await this.#append(forgettingRecord(scheduleIdOf(this.id)));
    this.#record = null;
    this.#isCompared = true;
  }

  #firstTick(definition: RecurringDefinition, nowMs: number): NextTick {
    const last = this.#enqueuing.done ?? this.#last;
    const afterMs = Math.max(nowMs, lastTickAtMs(last, nowMs));
    return { tickAtMs: nextTickAtMs(definition, afterMs, this.#cancelled), last, ends: null };
  }

  /** Writes another record if this one does not follow from the definition: it has changed, or the record is forged. */
  async #compare(definition: RecurringDefinition, record: TickRecord, nowMs: number): Promise<void> {
    const isRight = isRightTick(record, {
      definition,
      hash: this.#hash(definition),
      firstAtMs: this.#firstTick(definition, nowMs).tickAtMs,
      cancelled: this.#cancelled,
      mayDiffer: !this.#hasCompared,
      nowMs,
    });
    if (!isRight) {
      if (isBelievable(record.tickAtMs, nowMs)) await this.#enqueuing.resolveDoubt(definition, record);
      await this.#write(definition, this.#firstTick(definition, nowMs));
    }
    this.#isCompared = true;
    this.#hasCompared = true;
  }

  async #tick(definition: RecurringDefinition, record: TickRecord, nowMs: number): Promise<void> {
    const { tickAtMs } = record;
    const isMissed = nowMs - tickAtMs > MISSED_AFTER_MS;
    const nextAtMs = nextTickAtMs(definition, isMissed ? nowMs : tickAtMs, this.#cancelled);
    await this.#enqueuing.resolveDoubt(definition, record);
    if (this.#enqueuing.done === null && !await this.#leaveOut(definition, { tickAtMs, nextAtMs }, isMissed)) {
      if (record.ends === null) await this.#begin(definition, record);
      if (!this.#context.canAppend()) return;
      await this.#enqueuing.enqueue(definition, tickAtMs);
    }
    // Not before the job is enqueued: the owner after this one would never enqueue it.
    await this.#write(definition, { tickAtMs: nextAtMs, last: this.#enqueuing.done ?? this.#last, ends: null });
  }

  /** Whether a tick is left out: it was missed, or the job of the last one still waits or runs. */
  async #leaveOut(
    { id, missed, overlap }: RecurringDefinition,
    times: { readonly tickAtMs: number; readonly nextAtMs: number },
    isMissed: boolean,
  ): Promise<boolean> {
    const { monitor, openJobs } = this.#context;
    if (isMissed && missed === "skip") {
      monitor.emit("recurring.missed", { recurringId: id, ...times });
      return true;
    }
    const last = this.#last;
    if (overlap || last === null) return false;
    if (!await openJobs.isOpen(last)) return false;
    monitor.emit("recurring.overlapped", { recurringId: id, ...times, lastJobId: last.jobId });
    return true;
  }

  /** Notes that the enqueuing of a tick begins, and where its job would be. */
  async #begin(definition: RecurringDefinition, { tickAtMs, last }: TickRecord): Promise<void> {
    const { admin, targetOf, openJobs } = this.#context;
    const job = createTickJob(definition, tickAtMs);
    const { topic } = targetOf(job);
    if (!definition.overlap) openJobs.expect(job.jobId);
    await this.#write(definition, { tickAtMs, last, ends: await readEnds(admin, topic) });
  }

  /** Writes the record that counts from now on. */
  async #write(definition: RecurringDefinition, { tickAtMs, last, ends }: NextTick): Promise<void> {
    const { clock, maxDelayMs, targetOf } = this.#context;
    const { topic, record } = targetOf(createTickJob(definition, tickAtMs));
    // Half of it: the broker's clock may differ from this one.
    const dueAtMs = Math.min(tickAtMs, clock.nowMs() + Math.floor(maxDelayMs / 2));
    const cancelled = addCancelled(this.#cancelled, [], clock.nowMs());
    const state = { tickAtMs, last, ends, definition: this.#hash(definition), cancelled };
    const schedule = { jobId: scheduleIdOf(this.id), dueAtMs, targetTopic: topic, recurring: encodeTick(state) };
    const { offset } = await this.#append(scheduleRecord(record, schedule));
    // It may have been read back already, and be due, or even be cancelled.
    if (offset > this.#readOffset) this.#take({ ...state, id: this.id, offset, dueAtMs });
    this.#enqueuing.setInDoubt(false);
    this.#isCompared = true;
    if (ends !== null) this.#isDue = true;
    else this.#enqueuing.endUnless(null);
  }

  #take(record: TickRecord): void {
    this.#record = record;
    const { openJobs } = this.#context;
    const { last } = record;
    if (this.#last !== null && this.#last.jobId !== last?.jobId) openJobs.forget(this.#last.jobId);
    if (last !== null && this.#definition?.overlap === false) openJobs.know(last.jobId);
    this.#last = last;
    // The record of another tick may have been written although its append has failed.
    this.#enqueuing.endUnless(record.tickAtMs);
    this.#isDue = false;
    this.#cancelled = addCancelled(this.#cancelled, record.cancelled, this.#context.clock.nowMs());
  }

  /** Returns a hash that changes with all that the record shows of a definition. */
  #hash(definition: RecurringDefinition): string {
    const { schedule, timeZone } = definition;
    return this.#definitionHash ??= hashText([schedule, timeZone, this.#context.describe(definition)].join("\n"));
  }

  async #append(record: NewRecord): Promise<Position> {
    const { append, topic, signal } = this.#context;
    signal.throwIfAborted();
    const outcome = await append(topic, { ...record, partition: RECURRING_PARTITION });
    if (!outcome.ok) throw outcome.error;
    return outcome.position;
  }
}
