/** Rebalances of a group of the memory log. */
import { assertEquals } from "@std/assert";
import { many, World } from "../conformance/world.ts";
import { MemoryLog } from "../../../src/broker/memory/log.ts";
import { memoryHarness } from "../../support/memory_harness.ts";

function withLog(
  name: string,
  run: (log: MemoryLog, world: World) => Promise<void>,
  sessionTimeoutMs = 2000,
): void {
  Deno.test(`Group ${name}`, async () => {
    const log = new MemoryLog();
    await using world = new World(memoryHarness(log, sessionTimeoutMs));
    await run(log, world);
    world.check();
  });
}

withLog("refuses commits between the last marks and the new assignment", async (_log, world) => {
  const topic = await world.topic(2);
  const one = await world.consume({ topics: [topic] });
  await world.append(topic, many("a", 3), 0);
  await one.received(3);
  const outcomes: Promise<readonly string[]>[] = [];
  one.recorder.lastMarks = ([ownership]) => {
    queueMicrotask(() => outcomes.push(one.consumer.commit([{ ownership: ownership!, next: 1, metadata: "" }])));
    return [];
  };
  await world.consume({ topics: [topic], group: one.group });
  assertEquals(await Promise.all(outcomes), [["refused"]]);
});

withLog("rebalances once when several members join together", async (_log, world) => {
  const topic = await world.topic(3);
  const group = world.name("group");
  const members = [1, 2, 3].map(() => world.start({ topics: [topic], group }));
  await Promise.all(members.map(({ consumer }) => consumer.joined));
  for (const member of members) {
    const { partition } = member.own(member.recorder.owned()[0]!);
    await world.append(topic, ["a"], partition);
    await member.received(1);
  }
  for (const { recorder } of members) {
    assertEquals(recorder.assignments.length, 1);
    assertEquals(recorder.releases.length, 0);
  }
});

withLog("lets a member be closed while another one is assigned", async (_log, world) => {
  const topic = await world.topic(3);
  const [one, two] = [await world.consume({ topics: [topic] }), world.start({ topics: [topic] })];
  await two.close();
  const late = world.start({ topics: [topic], group: one.group });
  one.recorder.onAssigned = () => void late.close();
  await one.recorder.until("the group had rebalanced", () => one.recorder.assignments.length === 2);
  await late.close();
  await one.recorder.until("all partitions were back", () => one.recorder.owned().length === 3);
  assertEquals(late.recorder.calls, 0);
});
