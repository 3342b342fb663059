/**
 * The embedded broker for development and tests: a partitioned log with consumer groups in the memory of one process, with
 * all that the seam promises and nothing that survives the process.
 */
import type { Broker, BrokerSource } from "../broker.ts";
import { MemoryBroker } from "./broker.ts";
import { MemoryLog } from "./log.ts";

export type { AppendFault } from "./log.ts";
export { MemoryLog };

/** The logs that have a name, shared within the process. */
const named = new Map<string, MemoryLog>();

/**
 * Records in memory.
 *
 * @param log a name for a log that is shared within the process; or a log of the caller's own; by default each App has its
 * own
 * @returns what an App takes as its `broker`
 */
export function memory(log?: string | MemoryLog): BrokerSource {
  const shared = typeof log === "string" ? namedLog(log) : log;
  return {
    name: shared?.name ?? "memory:",
    open(): Broker {
      return new MemoryBroker(shared ?? new MemoryLog());
    },
  };
}

function namedLog(name: string): MemoryLog {
  let log = named.get(name);
  if (log === undefined) named.set(name, log = new MemoryLog(`memory:${name}`));
  return log;
}
