/** The commands of the command line. */
import type { Command } from "./command.ts";

/** The commands by name, in the order of the help. Each is loaded when it is needed. */
export const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ["worker", async () => (await import("./worker.ts")).worker],
  ["topics", async () => (await import("./topics.ts")).topics],
  ["status", async () => (await import("./status.ts")).status],
  ["skip", async () => (await import("./skip.ts")).skip],
  ["pause", async () => (await import("./control.ts")).pause],
  ["resume", async () => (await import("./control.ts")).resume],
  ["cancel", async () => (await import("./control.ts")).cancel],
  ["dlq", async () => (await import("./dlq.ts")).dlq],
  ["web", async () => (await import("./web.ts")).web],
  ["recurring", async () => (await import("./recurring.ts")).recurring],
  ["enqueue", async () => (await import("./enqueue.ts")).enqueue],
  ["init", async () => (await import("./init.ts")).init],
  ["generate", async () => (await import("./generate.ts")).generate],
  ["completion", async () => (await import("./completion.ts")).createCompletion(loadCommands)],
]);

/** Loads every command. */
export function loadCommands(): Promise<Command[]> {
  return Promise.all(Array.from(COMMANDS.values(), (load) => load()));
}
