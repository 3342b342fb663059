/**
 * Runs one action on an App: loads it, runs the action within a time limit, closes the App. No command that does so
 * waits for ever, whatever the broker does.
 */
import type { App } from "../app/app.ts";
import { type Arguments, CommandError, type Flag } from "./command.ts";
import { loadApp } from "./load_app.ts";

/** The default of `--timeout-ms`, in milliseconds. */
const DEFAULT_TIMEOUT_MS = 30_000;
/** The limit of loading the App, in milliseconds. A slow machine must not count as a broker that does not respond. */
const LOAD_LIMIT_MS = 30_000;
/** The limit of closing the App, in milliseconds. */
const CLOSE_MS = 1000;

const TIMED_OUT = Symbol("timed out");

/** Facts about an action that was not done in time. */
export interface TimeoutDetails {
  /** The state that it leaves: `"the job may have been written"`. */
  readonly outcome: string;
  /** The error that prevented it, if that is known. */
  readonly cause?: unknown;
}

/** Describes an action that only reads. */
export const READ_ONLY = (): TimeoutDetails => ({ outcome: "nothing was changed" });

/** The flag that sets the time limit. */
export const TIMEOUT_FLAG: Flag = {
  name: "timeout-ms",
  value: "N",
  help: `how long the broker may take, in milliseconds (${DEFAULT_TIMEOUT_MS})`,
};

/**
 * Runs an action on the App that `--app` names.
 *
 * @param args the arguments of the command, with `--app` and `--timeout-ms`
 * @param describeTimeout called once the App is closed, if the action was not done in time
 * @param action the action. Its second argument starts the time limit again: a long action calls it at each progress
 * @returns the result of the action
 * @throws {CommandError} if the App cannot be loaded, or the broker does not respond in time
 */
export async function runOnApp<T>(
  args: Arguments,
  describeTimeout: () => TimeoutDetails,
  action: (app: App, extend: () => void) => Promise<T>,
): Promise<T> {
  const timeoutMs = args.getCount(TIMEOUT_FLAG.name) ?? DEFAULT_TIMEOUT_MS;
  const app = await loadApp(args.requireText("app"), LOAD_LIMIT_MS);
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const { promise: timedOut, resolve } = Promise.withResolvers<typeof TIMED_OUT>();
    const extend = () => {
      clearTimeout(timer);
      timer = setTimeout(resolve, timeoutMs, TIMED_OUT);
    };
    extend();
    const result = await Promise.race([action(app, extend), timedOut]);
    if (result !== TIMED_OUT) return result;
    // Closing settles what was on its way, so that its outcome is known.
    await app.close(CLOSE_MS);
    const { outcome, cause } = describeTimeout();
    throw new CommandError(`The broker "${app.brokerName}" did not respond within ${timeoutMs} ms: ${outcome}`, {
      cause,
    });
  } finally {
    clearTimeout(timer);
    await app.close(CLOSE_MS);
  }
}
