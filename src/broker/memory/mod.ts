/**
 * The memory broker, for development and tests: a partitioned log with consumer groups in the memory of one process. It
 * does all that the broker interface promises; nothing survives the process.
 */
import { lazyImport } from "../../support/root_context.ts";
import type { BrokerSource } from "../broker.ts";
import type { MemoryLog } from "./log.ts";

/** The logs that have a name, by that name. */
const namedLogs = new Map<string, Promise<MemoryLog>>();

/**
 * Returns a source of records in memory.
 *
 * @param name the name of a log that all Apps of the process share. @default each App has a log of its own
 * @returns the source, for the `broker` option of an App
 */
export function memory(name?: string): BrokerSource {
  return {
    name: `memory:${name ?? ""}`,
    embedded: true,
    async open() {
      const [{ MemoryBroker }, log] = await Promise.all([lazyImport(() => import("./broker.ts")), openLog(name)]);
      return new MemoryBroker(log);
    },
  };
}

function openLog(name: string | undefined): Promise<MemoryLog> {
  if (name === undefined) return createLog("memory:");
  let log = namedLogs.get(name);
  if (log === undefined) namedLogs.set(name, log = createLog(`memory:${name}`));
  return log;
}

async function createLog(name: string): Promise<MemoryLog> {
  const { MemoryLog } = await lazyImport(() => import("./log.ts"));
  return new MemoryLog(name);
}
