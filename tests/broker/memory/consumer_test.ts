/** A consumer of the memory log. */
import { assertEquals } from "@std/assert";
import { World } from "../conformance/world.ts";
import { MemoryLog } from "../../../src/broker/memory/log.ts";
import { memoryHarness } from "../../support/memory_harness.ts";

function withLog(
  name: string,
  run: (log: MemoryLog, world: World) => Promise<void>,
  sessionTimeoutMs = 2000,
): void {
  Deno.test(`MemoryConsumer ${name}`, async () => {
    const log = new MemoryLog();
    await using world = new World(memoryHarness(log, sessionTimeoutMs));
    await run(log, world);
    world.check();
  });
}

withLog("delivers nothing once it is closed, even with more records in the same task", async (_log, world) => {
  const topic = await world.topic(3);
  for (const partition of [0, 1, 2]) await world.append(topic, ["a"], partition);
  const reader = world.start({
    topics: [topic],
    prepare: (recorder) => recorder.onRecords = () => void reader.close(),
  });
  await reader.received(1);
  await reader.close();
  assertEquals(reader.recorder.values(), ["a"]);
});
