/**
 * The embedded broker for development and tests: a partitioned log with consumer groups in the memory of one process, with
 * all that the seam promises and nothing that survives the process.
 */
import { lazyImport } from "../../support/lazy_import.ts";
import type { BrokerSource } from "../broker.ts";
import type { MemoryLog } from "./log.ts";

/** The logs that have a name, shared within the process. */
const named = new Map<string, Promise<MemoryLog>>();

/**
 * Records in memory.
 *
 * @param name the name of a log that is shared within the process; without it each App has a log of its own
 * @returns what an App takes as its `broker`
 */
export function memory(name?: string): BrokerSource {
  if (name === undefined) return sourceOf("memory:", () => newLog("memory:"));
  return sourceOf(`memory:${name}`, () => {
    let log = named.get(name);
    if (log === undefined) named.set(name, log = newLog(`memory:${name}`));
    return log;
  });
}

/**
 * The same over a log that the caller holds, so that a test can cause what goes wrong with real brokers.
 *
 * @param log the log
 * @returns what an App takes as its `broker`
 */
export function memoryOver(log: MemoryLog): BrokerSource {
  return sourceOf(log.name, () => Promise.resolve(log));
}

function sourceOf(name: string, log: () => Promise<MemoryLog>): BrokerSource {
  return {
    name,
    embedded: true,
    async open() {
      const [{ MemoryBroker }, over] = await Promise.all([lazyImport(() => import("./broker.ts")), log()]);
      return new MemoryBroker(over);
    },
  };
}

async function newLog(name: string): Promise<MemoryLog> {
  const { MemoryLog } = await lazyImport(() => import("./log.ts"));
  return new MemoryLog(name);
}
