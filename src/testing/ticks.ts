/**
 * The recurring jobs of a test: when the clock moves, each tick that it passes is enqueued, as if a worker had run all the time.
 * The scheduler of a worker would see one leap of the clock, in which ticks are missed.
 */
import type { App } from "../app/app.ts";
import { InvalidConfigurationError } from "../errors.ts";
import { createTickJob, type RecurringDefinition } from "../recurring/definition.ts";
import type { JobRecorder } from "./job_recorder.ts";

/** The most ticks of one move. */
const MAX_TICKS = 10_000;

interface Tick {
  readonly definition: RecurringDefinition;
  readonly atMs: number;
}

/**
 * Enqueues the jobs of the ticks after one time, up to another one, in the order of their times.
 *
 * @throws {InvalidConfigurationError} for more than 10,000 ticks
 */
export async function enqueueTicks(app: App, recorder: JobRecorder, fromMs: number, toMs: number): Promise<void> {
  const ticks: Tick[] = [];
  for (const definition of app.options.recurring ?? []) {
    for (let atMs = definition.next(fromMs); atMs <= toMs; atMs = definition.next(atMs)) {
      ticks.push({ definition, atMs });
      if (ticks.length <= MAX_TICKS) continue;
      throw new InvalidConfigurationError(
        `The clock would pass more than ${MAX_TICKS} ticks of recurring jobs: move it by less`,
      );
    }
  }
  for (const { definition, atMs } of ticks.sort((a, b) => a.atMs - b.atMs)) {
    const { id, overlap } = definition;
    if (!overlap && recorder.waiting().some(({ job }) => job.jobId.startsWith(`${id}/`))) continue;
    await app.enqueue(createTickJob(definition, atMs));
    await app.flush();
  }
}
