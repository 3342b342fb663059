/** The faults that only the tests of this project cause act as documented. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { many, World } from "../broker/conformance/world.ts";
import { BrokerError } from "../../src/errors.ts";
import { FaultInjectionLog } from "./fault_injection_log.ts";
import { faultInjectionHarness } from "./memory_harness.ts";

function withLog(
  name: string,
  run: (log: FaultInjectionLog, world: World) => Promise<void>,
  sessionTimeoutMs = 2000,
): void {
  Deno.test(`FaultInjectionLog ${name}`, async () => {
    const log = new FaultInjectionLog();
    await using world = new World(faultInjectionHarness(log, sessionTimeoutMs));
    await run(log, world);
    world.check();
  });
}

withLog("block() lets other members take over; a commit of the blocked one ends as ended", async (log, world) => {
  const topic = await world.topic(2);
  for (const partition of [0, 1]) await world.append(topic, many("a", 3), partition);
  const one = await world.consume({ topics: [topic] });
  await one.received(6);
  const owned = [...one.recorder.live.keys()];
  const { calls } = one.recorder;
  log.block(one.consumer);
  assertEquals(one.consumer.sessionValidUntilMs, 0);
  const two = await world.consume({ topics: [topic], group: one.group });
  assertEquals(two.recorder.owned(), [0, 1]);
  await two.received(6);
  await world.append(topic, ["more"], 1);
  await two.received(7);
  assertEquals(one.recorder.calls, calls);
  const late = owned.map((ownership) => ({ ownership, next: 2, metadata: "late" }));
  assertEquals(await one.consumer.commit(late), ["ended", "ended"]);
  assertEquals((await world.committed(one.group, topic)).offset, null);
  log.unblock(one.consumer);
  await one.recorder.until(
    "the consumer was back",
    () => one.recorder.owned().length === 1 && one.recorder.isMember === true,
  );
  assertEquals(one.recorder.losses.map(({ reason }) => reason), ["unknown", "unknown"]);
});

withLog("failAppends() fails appends, with the records stored or not, until null ends it", async (log, world) => {
  const topic = await world.topic();
  const error = new BrokerError("no");
  for (
    const [fault, high] of [[{ error, written: "no" }, 0], [{ error, written: "unknown", stored: true }, 2]] as const
  ) {
    log.failAppends(topic, fault);
    const outcomes = await world.broker.append(topic, [{ value: "a" }, { value: "b" }]);
    assertEquals(outcomes, Array(2).fill({ ok: false, error, written: fault.written }));
    assertEquals((await world.broker.admin.ends(topic))[0]!.high, high);
  }
  log.failAppends(topic, null);
  await world.append(topic, ["c"]);
});

Deno.test("FaultInjectionLog fail() reports the error, ends all ownerships, and other members take over", async () => {
  const log = new FaultInjectionLog();
  await using world = new World(faultInjectionHarness(log));
  const topic = await world.topic();
  const one = await world.consume({ topics: [topic] });
  const owned = one.own();
  const two = await world.consume({ topics: [topic], group: one.group });
  const error = new BrokerError("no codec");
  log.fail(one.consumer, error);
  await one.recorder.until("the error was reported", () => one.recorder.failures.length === 1);
  assertEquals(one.recorder.failures, [error]);
  assertEquals(one.recorder.losses, [{ ownership: owned, reason: "unknown" }]);
  await two.recorder.until("the other took over", () => two.recorder.live.size === 1);
  await one.close();
});

withLog("throws for a fault of a consumer that is closed", async (log, world) => {
  const reader = await world.consume({ topics: [await world.topic()] });
  await reader.close();
  assertThrows(() => log.expire(reader.consumer), Error, "closed");
});

withLog(
  "recreateTopic() fences at once: a commit for the old topic is not written to the new one",
  async (log, world) => {
    const topic = await world.topic();
    await world.append(topic, many("a", 3));
    const reader = await world.consume({ topics: [topic] });
    await reader.received(3);
    const mark = { ownership: reader.own(), next: 3, metadata: "" };
    log.deleteTopic(topic);
    assertEquals(await reader.consumer.commit([mark]), ["refused"]);
    log.createTopic(topic, 1);
    assertEquals(await reader.consumer.commit([mark]), ["ended"]);
    assertEquals((await world.committed(reader.group, topic)).offset, null);
  },
);

withLog("deleteTopic() also deletes records that were not read yet", async (log, world) => {
  const topic = await world.topic();
  const reader = await world.consume({ topics: [topic] });
  reader.pause(reader.own());
  await world.append(topic, many("old", 3));
  log.deleteTopic(topic);
  reader.resume(reader.own());
  const other = await world.consume({ topics: [topic], group: reader.group });
  assertEquals(reader.recorder.values(), []);
  log.createTopic(topic, 2);
  await world.append(topic, many("new", 3), 0);
  await world.append(topic, many("new", 3), 1);
  await Promise.all([reader.received(3), other.received(3)]);
  assertEquals([...reader.recorder.values(), ...other.recorder.values()], [...many("new", 3), ...many("new", 3)]);
  assertEquals(reader.recorder.gaps, []);
});

Deno.test("FaultInjectionLog fail() rejects a pending join with the error", async () => {
  const log = new FaultInjectionLog();
  await using world = new World(faultInjectionHarness(log));
  const joining = world.start({ topics: [await world.topic()] });
  const error = new BrokerError("not authorised");
  log.fail(joining.consumer, error);
  assertEquals(await assertRejects(() => joining.consumer.joined, BrokerError), error);
  assertEquals(joining.recorder.failures, [error]);
});
