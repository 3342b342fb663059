/**
 * The embedded broker for development and tests: a partitioned log with consumer groups in the memory of one process, with
 * all that the seam promises and nothing that survives the process.
 */
import type { BrokerSource } from "../broker.ts";
import { MemoryBroker } from "./broker.ts";
import { MemoryLog } from "./log.ts";

export type { AppendFault } from "./log.ts";
export { MemoryLog };

/** The logs that have a name, shared within the process. */
const named = new Map<string, MemoryLog>();

/**
 * Records in memory.
 *
 * @param name the name of a log that is shared within the process; without it each App has a log of its own
 * @returns what an App takes as its `broker`
 */
export function memory(name?: string): BrokerSource {
  if (name !== undefined) return memoryOver(namedLog(name));
  return { name: "memory:", embedded: true, open: () => new MemoryBroker(new MemoryLog()) };
}

/**
 * The same over a log that the caller holds, so that a test can cause what goes wrong with real brokers.
 *
 * @param log the log
 * @returns what an App takes as its `broker`
 */
export function memoryOver(log: MemoryLog): BrokerSource {
  return { name: log.name, embedded: true, open: () => new MemoryBroker(log) };
}

function namedLog(name: string): MemoryLog {
  let log = named.get(name);
  if (log === undefined) named.set(name, log = new MemoryLog(`memory:${name}`));
  return log;
}
