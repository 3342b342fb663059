/** The event loop: work that never waits for anything lets timers and sockets have their turns in between. */
import { nodeBuiltin } from "./node_builtin.ts";

/** Resolves in the next turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => void nodeBuiltin("node:timers").setImmediate(resolve));
}
