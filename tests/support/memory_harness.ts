/** The harnesses of the memory broker for the conformance suite: the product's log, and the log of the test kit. */
import { MEMORY_CAPABILITIES, MemoryBroker } from "../../src/broker/memory/broker.ts";
import type { MemoryLog } from "../../src/broker/memory/log.ts";
import type { Harness } from "../broker/conformance/mod.ts";
import type { FaultInjectionLog } from "./fault_injection_log.ts";

/** The memory broker over a log, which has no faults. */
export function memoryHarness(log: MemoryLog, sessionTimeoutMs = 2000): Harness {
  return {
    name: "memory",
    capabilities: MEMORY_CAPABILITIES,
    sessionTimeoutMs,
    limitMs: 5000,
    open: () => new MemoryBroker(log),
  };
}

/** The memory broker over a log with faults. */
export function faultInjectionHarness(log: FaultInjectionLog, sessionTimeoutMs = 2000): Harness {
  return {
    ...memoryHarness(log, sessionTimeoutMs),
    name: "memory with faults",
    open: () => log.open(),
    recreateTopic: (topic, partitions) => Promise.resolve(log.recreateTopic(topic, partitions)),
    deleteRecords: (before) => Promise.resolve(log.deleteRecords(before)),
    commitAs: (group, to, metadata) => log.commitAs(group, to, metadata),
    expire: (consumer) => Promise.resolve(log.expire(consumer)),
    appendControl: (at) => Promise.resolve(log.appendControl(at, 2)),
    ageRecords: (at, ms) => Promise.resolve(log.ageRecords(at, ms)),
  };
}
