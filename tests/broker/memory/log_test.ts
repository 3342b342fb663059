/** The memory log: positions that it refuses, and the partitions of records without a key. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { World } from "../conformance/world.ts";
import { MemoryLog } from "../../../src/broker/memory/log.ts";
import { BrokerError } from "../../../src/errors.ts";
import { memoryHarness } from "../../support/memory_harness.ts";

function withLog(
  name: string,
  run: (log: MemoryLog, world: World) => Promise<void>,
  sessionTimeoutMs = 2000,
): void {
  Deno.test(`MemoryLog ${name}`, async () => {
    const log = new MemoryLog();
    await using world = new World(memoryHarness(log, sessionTimeoutMs));
    await run(log, world);
    world.check();
  });
}

withLog("refuses to move a group beyond the end of a partition", async (_log, world) => {
  const topic = await world.topic();
  await world.append(topic, ["a"]);
  const group = world.name("group");
  for (const offset of [2, -1, 0.5, NaN]) {
    await assertRejects(() => world.broker.admin.seek(group, [{ topic, partition: 0, offset }]), BrokerError, topic);
  }
  assertEquals((await world.committed(group, topic)).offset, null);
});

Deno.test("MemoryLog starts to spread records without a key at any partition", () => {
  const firsts = new Set<number>();
  // With 4 partitions, 200 logs miss one of them with a probability below 1e-24.
  for (let n = 0; n < 200; n++) {
    const log = new MemoryLog();
    log.createTopic("t", 4);
    const [first, second] = log.append("t", [{ value: "a" }, { value: "b" }]);
    assert(first?.ok && second?.ok);
    firsts.add(first.position.partition);
    assertEquals(second.position.partition, (first.position.partition + 1) % 4);
  }
  assertEquals([...firsts].sort(), [0, 1, 2, 3]);
});
