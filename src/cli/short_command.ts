/**
 * A command that does one thing to an App and ends: load it, do it within a time, close it. None of them waits for ever,
 * whatever the broker does.
 */
import type { App } from "../app/app.ts";
import { type Arguments, CommandError, type Flag } from "./command.ts";
import { loadApp } from "./load_app.ts";

/** How long a command waits for the broker, in milliseconds. */
const DEFAULT_TIMEOUT_MS = 30_000;
/** How long closing may take once it is done, in milliseconds. */
const CLOSE_MS = 1000;

const OVER = Symbol("over");

/** What is known of something that was not done in time. */
export interface Late {
  /** Such as `"the job may have been written"`. */
  readonly what: string;
  /** What hindered it, if that is known. */
  readonly cause?: unknown;
}

/** The flag that says otherwise. */
export const TIMEOUT_FLAG: Flag = {
  name: "timeout-ms",
  value: "N",
  help: `how long the broker may take, in milliseconds (${DEFAULT_TIMEOUT_MS})`,
};

/**
 * Does one thing to the App that `--app` names.
 *
 * @param late what else there is to say where it takes too long, once the App is closed
 * @throws {CommandError} if the App cannot be loaded, or the broker does not answer in time
 */
export async function withApp<T>(given: Arguments, late: () => Late, action: (app: App) => Promise<T>): Promise<T> {
  const timeoutMs = given.count(TIMEOUT_FLAG.name) ?? DEFAULT_TIMEOUT_MS;
  const app = await loadApp(given.required("app"));
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const over = new Promise<typeof OVER>((resolve) => timer = setTimeout(resolve, timeoutMs, OVER));
    const result = await Promise.race([action(app), over]);
    if (result !== OVER) return result;
    // What was on its way is settled by that, and more can be said.
    await app.close(CLOSE_MS);
    const { what, cause } = late();
    throw new CommandError(`The broker "${app.brokerName}" did not answer within ${timeoutMs} ms: ${what}`, { cause });
  } finally {
    clearTimeout(timer);
    await app.close(CLOSE_MS);
  }
}
