import type { Harness } from "../broker/conformance/mod.ts";
import { MEMORY_CAPABILITIES, MemoryBroker } from "../../src/broker/memory/broker.ts";
import type { MemoryLog } from "../../src/broker/memory/log.ts";

/** The memory broker over one log, for the conformance suite and its helpers. */
export function memoryHarness(log: MemoryLog, sessionTimeoutMs = 2000): Harness {
  return {
    name: "memory",
    capabilities: MEMORY_CAPABILITIES,
    sessionTimeoutMs,
    limitMs: 5000,
    open: () => new MemoryBroker(log),
    recreateTopic: (topic, partitions) => Promise.resolve(log.recreateTopic(topic, partitions)),
    deleteRecords: (before) => Promise.resolve(log.deleteRecords(before)),
    commitAs: (group, to, metadata) => log.commitAs(group, to, metadata),
    expire: (consumer) => Promise.resolve(log.expire(consumer)),
    appendControl: (at) => Promise.resolve(log.appendControl(at, 2)),
  };
}
