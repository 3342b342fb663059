/**
 * The tasks that the memory log runs by itself: rebalances and deliveries. Each task has a turn of the event loop of
 * its own, never inside a call of the log's user, and timers and sockets have their turns in between. Nothing is
 * polled: a log that is not used has no task pending.
 */
import { nodeBuiltin } from "../../support/node_builtin.ts";

/** The tasks of one log, in the order in which they were added. */
export class TaskQueue {
  readonly #setImmediate = nodeBuiltin("node:timers").setImmediate;

  /** Runs a task in a turn of its own, after the tasks that were added before. */
  add(task: () => void): void {
    this.#setImmediate(task);
  }

  /** Resolves once the tasks that were added before have run. */
  flush(): Promise<void> {
    return new Promise((resolve) => this.#setImmediate(resolve));
  }
}
