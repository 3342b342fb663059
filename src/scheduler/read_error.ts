/** An error of reading the log of delayed jobs: it is reported, and the log is read again after a while. */
import { sleep } from "../support/deadline.ts";
import type { SchedulerContext } from "./context.ts";

/** The wait after the log could not be read, in milliseconds. */
const RETRY_MS = 1000;

/** Reports an error of reading the log, and waits. @returns whether to try again */
export async function waitAfterReadError(
  error: unknown,
  { monitor }: Pick<SchedulerContext, "monitor">,
  signal: AbortSignal,
): Promise<boolean> {
  if (signal.aborted) return false;
  monitor.reportError("scheduler", error);
  await sleep(RETRY_MS, signal);
  return !signal.aborted;
}
