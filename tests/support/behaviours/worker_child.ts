/**
 * A worker in a child process, for behaviours that only a process shows: signals, exit codes, and output at its end.
 */
import { Child, CLI } from "../child.ts";
import { type ChildSettings, SETTINGS } from "./children/settings.ts";
import type { World } from "./world.ts";

/** The module of the App. */
export const APP = "tests/support/behaviours/children/app.ts";

/**
 * Starts a worker of the App in `children/app.ts`, over this world's group and topics.
 *
 * @param args more options of the command line
 */
export function startWorker(
  world: World,
  settings: Partial<ChildSettings> = {},
  args: readonly string[] = [],
): WorkerChild {
  return new WorkerChild([CLI, "worker", "--app", APP, ...args], { env: environment(world, settings) });
}

/** Starts the script in `children/script.ts`. */
export function startScript(world: World): Child {
  return new Child(["tests/support/behaviours/children/script.ts"], { env: environment(world, {}) });
}

/** Returns the environment with which the App in `children/app.ts` uses this world. */
export function environment(world: World, settings: Partial<ChildSettings>): Record<string, string> {
  return { [SETTINGS]: JSON.stringify({ broker: world.url, name: world.group, ...settings }) };
}

/** A logged event. */
export type LoggedEvent = Record<string, unknown> & { readonly event: string };

/** A worker process whose events can be read. */
export class WorkerChild extends Child {
  /** Returns the events of a name that it has logged so far. */
  events(name: string): LoggedEvent[] {
    return this.lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as LoggedEvent)
      .filter(({ event }) => event === name);
  }

  /** Waits for a number of events of a name. */
  async event(name: string, wanted = 1): Promise<void> {
    await this.count(new RegExp(`"event":"${name.replaceAll(".", "\\.")}"`), wanted);
  }
}
