/** Set-ups of the tests about recurring jobs: a process with ticks, the jobs that they enqueued, and a clock at a given time. */
import type { RecurringDefinition } from "../../../src/recurring/mod.ts";
import { ManualClock } from "../manual_clock.ts";
import { until } from "../until.ts";
import { delayedProcess } from "./delayed.ts";
import { type AppProcess, asString, type ProcessOptions, type World } from "./world.ts";

/** Returns a clock that shows a time. */
export function clockAt(time: string): ManualClock {
  const clock = new ManualClock();
  moveTo(clock, time);
  return clock;
}

/** Moves a clock to a time, also backwards. */
export function moveTo(clock: ManualClock, time: string): void {
  clock.advance(Date.parse(time) - clock.nowMs());
}

/** Makes a process with recurring jobs. */
export async function recurringProcess(
  world: World,
  clock: ManualClock,
  recurring: readonly RecurringDefinition[],
  options: Partial<ProcessOptions> = {},
): Promise<AppProcess> {
  const { process } = await delayedProcess(world, { recurring, commitIntervalMs: 20, ...options }, clock);
  return process;
}

/** Waits until the next tick of a recurring job is a time. */
export async function untilNext(process: AppProcess, time: string, id = "tick"): Promise<void> {
  let next = "";
  await until(
    async () => {
      const waiting = await process.app.scheduled();
      next = waiting.find(({ jobId }) => jobId === `recurring/${id}`)?.scheduledAt.toISOString() ?? "none";
      return Date.parse(next) === Date.parse(time);
    },
    () => `the next tick to be ${time}, but it is ${next}`,
  );
}

/** Returns the ids of the jobs in the topic "default", in order, without that of the recurring job. */
export async function enqueuedTicks(world: World, id = "tick"): Promise<string[]> {
  const ids = (await world.records()).map(({ value }) => JSON.parse(asString(value)!).job_id as string);
  return ids.filter((jobId) => jobId.startsWith(`${id}/`)).map((jobId) => jobId.slice(id.length + 1));
}
