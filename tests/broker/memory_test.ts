import { assertEquals } from "@std/assert";
import { conformance, type Harness } from "../../src/broker/conformance/mod.ts";
import { MEMORY_CAPABILITIES } from "../../src/broker/memory/broker.ts";
import { MemoryLog, memoryOver } from "../../src/broker/memory/mod.ts";
import { Monitor } from "../../src/monitor/monitor.ts";

const log = new MemoryLog();

const harness: Harness = {
  name: "memory",
  capabilities: MEMORY_CAPABILITIES,
  sessionTimeoutMs: 2000,
  limitMs: 5000,
  open: () => memoryOver(log).open({ clientId: "conformance", monitor: new Monitor() }),
  recreateTopic: (topic, partitions) => Promise.resolve(log.recreateTopic(topic, partitions)),
  deleteRecords: (before) => Promise.resolve(log.deleteRecords(before)),
  commitAs: (group, to, metadata) => log.commitAs(group, to, metadata),
  expire: (consumer) => Promise.resolve(log.expire(consumer)),
  appendControl: (at) => Promise.resolve(log.appendControl(at, 2)),
};

const skips = conformance(harness, (name, run) => Deno.test(name, run));

Deno.test("memory: no case of the conformance suite is skipped", () => {
  assertEquals(skips, []);
});
