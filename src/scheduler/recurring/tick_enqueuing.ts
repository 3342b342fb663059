/**
 * The enqueuing of the jobs of a recurring job's ticks, one after the other. Whether a job is in its topic may be unknown: the
 * owner before was killed, or the response was lost. Then the job is looked for before it is enqueued.
 */
import { EnqueueError } from "../../errors.ts";
import type { Job } from "../../job/job.ts";
import { createTickJob, type RecurringDefinition } from "../../recurring/definition.ts";
import type { Position } from "../../support/position.ts";
import type { RecurringContext } from "./context.ts";
import { findJob } from "./find_job.ts";
import type { LastTick, TickRecord } from "./tick_record.ts";

/** See the module. */
export class TickEnqueuing {
  readonly #context: RecurringContext;
  /** Whether the job of the tick may be in its topic already. */
  #isInDoubt = false;
  #done: LastTick | null = null;

  constructor(context: RecurringContext) {
    this.#context = context;
  }

  /** The job of the tick, once it is enqueued; `null` before. */
  get done(): LastTick | null {
    return this.#done;
  }

  /** Notes whether the job of the tick may be in its topic already. */
  setInDoubt(isInDoubt: boolean): void {
    this.#isInDoubt = isInDoubt;
  }

  /** Forgets the job, unless it is that of a tick. */
  endUnless(tickAtMs: number | null): void {
    if (this.#done?.tickAtMs !== tickAtMs) this.#done = null;
  }

  /** Looks for the job of a tick whose enqueuing has begun and whose outcome is not known. */
  async resolveDoubt(definition: RecurringDefinition, { tickAtMs, ends }: TickRecord): Promise<void> {
    if (!this.#isInDoubt) return;
    const { admin, signal, targetOf } = this.#context;
    const job = createTickJob(definition, tickAtMs);
    const position = await findJob(admin, targetOf(job).topic, job.jobId, { from: ends ?? {}, signal });
    if (position !== null) this.#note(definition, job, tickAtMs, position);
    this.#isInDoubt = false;
  }

  /** Enqueues the job of a tick. */
  async enqueue(definition: RecurringDefinition, tickAtMs: number): Promise<void> {
    const job = createTickJob(definition, tickAtMs);
    this.#isInDoubt = true;
    try {
      await this.#context.enqueue(job);
    } catch (error) {
      this.#isInDoubt = !(error instanceof EnqueueError && error.written === "no");
      throw error;
    }
    this.#isInDoubt = false;
    // A callback may have halted it.
    if (job.position === undefined) this.#context.openJobs.forget(job.jobId);
    else this.#note(definition, job, tickAtMs, job.position);
  }

  #note({ id: recurringId }: RecurringDefinition, job: Job, tickAtMs: number, position: Position): void {
    const { monitor, clock, targetOf } = this.#context;
    const { jobId } = job;
    this.#done = { tickAtMs, jobId, position };
    const { jobClass, topic: queue } = targetOf(job);
    const { partition, offset } = position;
    const latenessMs = Math.max(0, clock.nowMs() - tickAtMs);
    const event = { recurringId, jobClass, jobId, queue, partition, offset, tickAtMs, latenessMs };
    monitor.emit("recurring.enqueued", event);
  }
}
