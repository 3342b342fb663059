/**
 * Callbacks around an action: the enqueuing of a job, or its `perform`. Each callback encloses those that were declared after it, and the action is the
 * innermost: what is before runs from outside to inside, what is after from inside to outside.
 *
 * An `Abort` that is thrown before the action halts it: nothing further inside runs, and no `after` callback at all.
 */
import { isAbort } from "../errors.ts";
import type { Callback } from "./declarations.ts";
import type { JobState } from "./job_state.ts";

/** The outcome of an action with callbacks. */
export type ActionOutcome<T> = { readonly isHalted: false; readonly value: T } | { readonly isHalted: true };

/**
 * Runs an action with its callbacks.
 *
 * @returns the value of the action; whether a callback halted it, or one around it did not go on with it
 * @throws whatever a callback or the action throws
 */
export async function runCallbacks<T>(
  callbacks: readonly Callback[],
  job: JobState,
  action: () => T | Promise<T>,
): Promise<ActionOutcome<T>> {
  let outcome: ActionOutcome<T> = { isHalted: true };

  const runFrom = async (index: number): Promise<unknown> => {
    const callback = callbacks[index];
    if (callback === undefined) {
      const value = await action();
      outcome = { isHalted: false, value };
      return value;
    }
    const proceed = () => runFrom(index + 1);
    switch (callback.kind) {
      case "before":
        return await isHaltedBy(() => callback.fn(job, proceed)) ? undefined : await proceed();
      case "after": {
        const value = await proceed();
        if (!outcome.isHalted) await callback.fn(job, proceed);
        return value;
      }
      case "around":
        return await runAround(callback, job, proceed);
    }
  };

  await runFrom(0);
  return outcome;
}

/** Calls a function. @returns whether it threw an `Abort` */
async function isHaltedBy(call: () => unknown): Promise<boolean> {
  try {
    await call();
    return false;
  } catch (error) {
    if (isAbort(error)) return true;
    throw error;
  }
}

/**
 * Runs a callback around the rest. It may go on with the rest once. If it does not wait for the rest, its caller does: no part
 * of a job runs on behind the job's end.
 */
async function runAround(callback: Callback, job: JobState, runRest: () => Promise<unknown>): Promise<unknown> {
  let rest: Promise<unknown> | undefined;
  let isRestSettled = false;
  const proceed = (): Promise<unknown> => {
    if (rest !== undefined) throw new Error("A callback around a job may continue it only once");
    rest = runRest();
    const settle = () => void (isRestSettled = true);
    rest.then(settle, settle);
    return rest;
  };
  try {
    await callback.fn(job, proceed);
  } catch (error) {
    // Thrown after the action it is an error like any other.
    if (rest !== undefined || !isAbort(error)) throw error;
    return undefined;
  }
  if (rest !== undefined && !isRestSettled) await rest;
  // An error of the rest that the callback has caught is handled.
  return await rest?.catch(() => undefined);
}
