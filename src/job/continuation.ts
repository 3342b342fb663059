/**
 * Continuation: a job in steps, which can be interrupted between them and at the checkpoints inside of them, and goes on there in
 * another record, on another worker.
 *
 * 1. `step` runs a function, unless an earlier run has completed this step.
 * 2. A checkpoint interrupts the job if its worker stops, is quiet or has lost the partition. The interrupt is thrown through
 *    the job. Should its own `catch` swallow it, the next step throws it again, and the job counts as interrupted at its end.
 * 3. The worker writes the next record with the progress, and marks this one.
 *
 * On the wire the progress has Rails' form: `{"completed":["load"],"current":["report",7]}`.
 */
import { ContinuationError, Interrupt } from "../errors.ts";
import { describeType, show } from "../support/validation.ts";
import { CARRIED, carriedOf } from "./carried.ts";
import type { JobState } from "./job_state.ts";
import { JobRun, RUN, type RunSteps } from "./run.ts";

/** The options of `step`. */
export interface StepOptions<Cursor> {
  /** The cursor with which the step begins. @default undefined */
  readonly start?: Cursor;
  /** Whether the step has a run of its own: the job is interrupted before it and after it. @default false */
  readonly isolated?: boolean;
}

/** A step that runs. */
export interface Step<Cursor = unknown> {
  /** The cursor: where the step is. It was set by this run or an earlier one, or is the step's `start`. */
  readonly cursor: Cursor;
  /** Whether an earlier run was interrupted in this step. */
  readonly isResumed: boolean;
  /**
   * Sets the cursor, and may interrupt the job here.
   *
   * @param cursor any value that can be an argument of a job
   */
  set(cursor: Cursor): void;
  /**
   * Sets the cursor to the integer after `from`, and may interrupt the job here.
   *
   * @param options the position that is done; the cursor if it is left out
   * @throws {ContinuationError} if that is not an integer
   */
  advance(options?: { readonly from?: number | bigint }): void;
  /** May interrupt the job here. */
  checkpoint(): void;
}

/** The steps of one run of a job. */
export class Continuation implements RunSteps {
  readonly #job: JobState;
  readonly #progress: { completed: string[]; current?: readonly [step: string, cursor: unknown] };
  /** The steps that an earlier run has completed, in their order. */
  readonly #done: readonly string[];
  readonly #isResumed: boolean;
  #seen = 0;
  #running: string | undefined;
  /** Whether this run has made progress. */
  #hasAdvanced = false;
  /** Whether the step that this run has completed last must be the last of it. */
  #isIsolated = false;
  #interrupt: Interrupt | undefined;

  constructor(job: JobState) {
    const carried = carriedOf(job);
    const { completed, current } = carried.continuation ?? { completed: [] };
    this.#job = job;
    this.#done = completed;
    this.#progress = { completed: [...completed], ...(current === undefined ? {} : { current }) };
    this.#isResumed = completed.length > 0 || current !== undefined;
    const resumptions = carried.resumptions + (this.#isResumed ? 1 : 0);
    // The same object from now on: each record that is written has the progress of that moment.
    job[CARRIED] = { ...carried, continuation: this.#progress, resumptions };
    if (this.#isResumed) this.#run.reportResumed({ resumptions, completed, step: current?.[0] ?? null });
  }

  /** See {@linkcode RunSteps}. */
  get interrupt(): Interrupt | undefined {
    return this.#interrupt;
  }

  /** See {@linkcode RunSteps}. */
  get hasAdvanced(): boolean {
    return this.#hasAdvanced;
  }

  /** The number of runs that went on where an earlier one was interrupted, this one included. */
  get resumptions(): number {
    return carriedOf(this.#job).resumptions;
  }

  /**
   * Runs a step, unless it is completed.
   *
   * @throws {ContinuationError} if the steps are not those of the earlier run, in their order
   * @throws {Interrupt} if the job is interrupted
   */
  async step<Cursor>(
    name: string,
    perform: (step: Step<Cursor>) => unknown,
    { start, isolated = false }: StepOptions<Cursor>,
  ): Promise<void> {
    if (this.#interrupt !== undefined) throw this.#interrupt;
    this.#checkOrder(name);
    if (this.#seen++ < this.#done.length) return;
    if (this.#hasAdvanced) {
      if ((isolated || this.#isIsolated) && this.#run.canInterrupt) this.#throwInterrupt("isolating");
      this.checkpoint();
    }
    const { current } = this.#progress;
    const isResumed = current !== undefined;
    if (!isResumed) this.#progress.current = [name, start];
    this.#running = name;
    try {
      await perform(this.#stepOf<Cursor>(name, isResumed));
    } finally {
      this.#running = undefined;
    }
    // The step's own `catch` may have swallowed it.
    if (this.#interrupt !== undefined) throw this.#interrupt;
    delete this.#progress.current;
    this.#progress.completed.push(name);
    this.#hasAdvanced = true;
    this.#isIsolated = isolated;
  }

  /** Interrupts the job if its run has a reason to end. */
  checkpoint(): void {
    const { current, completed } = this.#progress;
    const step = this.#running ?? completed.at(-1) ?? "";
    const cursor = this.#running === undefined ? undefined : current?.[1];
    const reason = this.#run.interruptReason({ step, cursor, isCompleted: this.#running === undefined });
    if (reason !== null) this.#throwInterrupt(reason);
  }

  get #run(): JobRun {
    return this.#job[RUN] ??= new JobRun();
  }

  #throwInterrupt(reason: string): never {
    const step = this.#running ?? this.#progress.completed.at(-1) ?? null;
    this.#interrupt = new Interrupt(
      `Interrupted ${this.#running === undefined ? "after" : "in"} step ${show(step)} (${reason})`,
      { step, reason },
    );
    throw this.#interrupt;
  }

  #checkOrder(name: string): void {
    if (typeof name !== "string" || name === "") {
      throw new ContinuationError(`The name of a step must be a string that is not empty, but it is ${show(name)}`);
    }
    if (this.#running !== undefined) {
      throw new ContinuationError(`Step "${name}" cannot run inside of step "${this.#running}"`);
    }
    const expected = this.#done[this.#seen] ??
      (this.#seen === this.#done.length ? this.#progress.current?.[0] : undefined);
    if (expected !== undefined && expected !== name) {
      throw new ContinuationError(
        `Step "${name}" comes where the earlier run had step "${expected}": the steps of a job must keep their order`,
      );
    }
    if (expected === undefined && this.#progress.completed.includes(name)) {
      throw new ContinuationError(`Step "${name}" comes twice: give each step its own name`);
    }
  }

  #stepOf<Cursor>(name: string, isResumed: boolean): Step<Cursor> {
    const progress = this.#progress;
    const assertRunning = () => {
      if (this.#running !== name) throw new ContinuationError(`Step "${name}" has ended, so its cursor cannot be set`);
    };
    const set = (cursor: unknown): void => {
      assertRunning();
      progress.current = [name, cursor];
      this.#hasAdvanced = true;
      this.checkpoint();
    };
    return {
      get cursor() {
        return progress.current?.[1] as Cursor;
      },
      isResumed,
      set,
      advance: ({ from } = {}) => set(successorOf(name, from ?? progress.current?.[1])),
      checkpoint: () => {
        assertRunning();
        this.checkpoint();
      },
    };
  }
}

function successorOf(step: string, position: unknown): number | bigint {
  if (typeof position === "bigint") return position + 1n;
  if (Number.isSafeInteger(position)) return position as number + 1;
  throw new ContinuationError(`Step "${step}" cannot advance from ${describeType(position)}, which is not an integer`);
}

/** Returns the continuation of a job's run; it is made at the first step. */
export function continuationOf(job: JobState): Continuation {
  return ((job[RUN] ??= new JobRun()).steps ??= new Continuation(job)) as Continuation;
}
