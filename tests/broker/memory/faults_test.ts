import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { many, World } from "../conformance/world.ts";
import { MemoryLog } from "../../../src/broker/memory/log.ts";
import { BrokerError } from "../../../src/errors.ts";
import { memoryHarness } from "../../support/memory_harness.ts";

/** A short session, in milliseconds, for the tests that wait for its end. */
const SHORT_SESSION_MS = 20;

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

withLog("away() lets appends, commits and deliveries wait until back()", async (log, world) => {
  const topic = await world.topic();
  await world.append(topic, ["a"]);
  const reader = await world.consume({ topics: [topic] });
  await reader.received(1);
  log.goOffline();
  const settled: string[] = [];
  const appended = world.append(topic, ["b"]).finally(() => settled.push("append"));
  const committed = reader.consumer.commit([{ ownership: reader.own(), next: 1, metadata: "" }])
    .finally(() => settled.push("commit"));
  const described = world.broker.admin.describe([topic]).finally(() => settled.push("describe"));
  const connected = world.broker.connect().finally(() => settled.push("connect"));
  // A commit with a deadline is the measure of time: the others could have settled as well.
  const { ownership } = { ownership: reader.own() };
  const inVain = await reader.consumer.commit([{ ownership, next: 1, metadata: "" }], { deadlineMs: 10 });
  assertEquals(inVain, ["unknown"]);
  assertEquals(settled, []);
  assertEquals(reader.recorder.values(), ["a"]);
  log.goOnline();
  assertEquals(await appended, [{ topic, partition: 0, offset: 1 }]);
  assertEquals(await committed, ["committed"]);
  assertEquals((await described).get(topic)?.partitions, 1);
  await connected;
  await reader.received(2);
});

withLog("away() holds back what was about to be handed over", async (log, world) => {
  const topic = await world.topic();
  const reader = await world.consume({ topics: [topic] });
  const appended = world.append(topic, ["a"]);
  log.goOffline();
  await appended;
  const inVain = reader.consumer.commit([{ ownership: reader.own(), next: 0, metadata: "" }], { deadlineMs: 10 });
  assertEquals(await inVain, ["unknown"]);
  assertEquals(reader.recorder.values(), []);
  log.goOnline();
  await reader.received(1);
});

withLog("away() again right after back() keeps waiting what waits", async (log, world) => {
  const topic = await world.topic();
  log.goOffline();
  const appended = world.append(topic, ["a"]);
  log.goOnline();
  log.goOffline();
  const connected = world.broker.connect().then(() => "connected");
  await log.tasks.passed();
  assertEquals(await Promise.race([appended, connected, Promise.resolve("waiting")]), "waiting");
  log.goOnline();
  assertEquals(await appended, [{ topic, partition: 0, offset: 0 }]);
  assertEquals(await connected, "connected");
});

withLog("away() ends sessions in time; back() gives them back, and ownerships go on", async (log, world) => {
  const topic = await world.topic();
  const reader = await world.consume({ topics: [topic] });
  const owned = reader.own();
  assertEquals(reader.consumer.sessionValidUntilMs, Infinity);
  log.goOffline();
  const { sessionValidUntilMs } = reader.consumer;
  assert(sessionValidUntilMs <= performance.now() + SHORT_SESSION_MS);
  await reader.recorder.until("the session had ended", () => reader.recorder.isMember === false);
  assert(performance.now() >= sessionValidUntilMs - 1);
  log.goOnline();
  await reader.recorder.until("the session was back", () => reader.recorder.isMember === true);
  assertEquals(reader.consumer.sessionValidUntilMs, Infinity);
  assertEquals([...reader.recorder.live.keys()], [owned]);
}, SHORT_SESSION_MS);

withLog("away() twice is the same as once, and leaves no timer behind when all is closed", async (log, world) => {
  const topic = await world.topic();
  const reader = await world.consume({ topics: [topic] });
  const joining = world.start({ topics: [topic] });
  log.goOffline();
  log.goOffline();
  const pending = world.broker.append(topic, [{ value: "a" }]);
  const committing = reader.consumer.commit([{ ownership: reader.own(), next: 0, metadata: "" }], {
    deadlineMs: 60_000,
  });
  await Promise.all([reader.close(), joining.close()]);
  assertEquals(await committing, ["unknown"]);
  await assertRejects(() => joining.consumer.joined, BrokerError, joining.group);
  await world.broker[Symbol.asyncDispose]();
  const [outcome] = await pending;
  assert(outcome !== undefined && !outcome.ok);
  assertEquals(outcome.written, "unknown");
  await assertRejects(() => world.broker.admin.describe([topic]), BrokerError, "disposed");
});

withLog("away() lets connect() be aborted", async (log, world) => {
  log.goOffline();
  const controller = new AbortController();
  const connecting = world.broker.connect(controller.signal);
  controller.abort(new RangeError("enough"));
  await assertRejects(() => connecting, RangeError, "enough");
  log.goOnline();
  await world.broker.connect();
});

withLog("block() lets the others take over; what the blocked one commits is refused as ended", async (log, world) => {
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
  await one.recorder.until("it was back", () => one.recorder.owned().length === 1 && one.recorder.isMember === true);
  assertEquals(one.recorder.losses.map(({ reason }) => reason), ["unknown", "unknown"]);
});

withLog("revoke() ends an ownership and begins it anew", async (log, world) => {
  const topic = await world.topic(2);
  const reader = await world.consume({ topics: [topic] });
  const [revoked, kept] = [reader.own(0), reader.own(1)];
  log.revoke(reader.group, { topic, partition: 0 });
  await reader.recorder.until("it was owned anew", () => revoked.lost.aborted && reader.recorder.live.size === 2);
  assertEquals(reader.recorder.losses, [{ ownership: revoked, reason: "revoked" }]);
  assert(reader.recorder.live.has(kept));
  log.revoke(reader.group, { topic, partition: 1 });
  await reader.recorder.until("the other too", () => kept.lost.aborted && reader.recorder.live.size === 2);
  assertEquals(reader.recorder.losses.length, 2);
});

withLog("failAppends() fails what is appended, stored or not, until it is ended", async (log, world) => {
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

Deno.test("MemoryLog fail() tells the sink, ends everything and lets the others go on", async () => {
  const log = new MemoryLog();
  await using world = new World(memoryHarness(log));
  const topic = await world.topic();
  const one = await world.consume({ topics: [topic] });
  const owned = one.own();
  const two = await world.consume({ topics: [topic], group: one.group });
  const error = new BrokerError("no codec");
  log.fail(one.consumer, error);
  await one.recorder.until("it was told", () => one.recorder.failures.length === 1);
  assertEquals(one.recorder.failures, [error]);
  assertEquals(one.recorder.losses, [{ ownership: owned, reason: "unknown" }]);
  await two.recorder.until("the other took over", () => two.recorder.live.size === 1);
  await one.close();
});

withLog("cannot cause a fault to a consumer that is closed", async (log, world) => {
  const reader = await world.consume({ topics: [await world.topic()] });
  await reader.close();
  assertThrows(() => log.expire(reader.consumer), BrokerError, "closed");
});

withLog(
  "recreateTopic() fences at once: a commit for the old log is not written into the new one",
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

withLog("deleteTopic() takes away also what was not read yet", async (log, world) => {
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

Deno.test("MemoryLog fail() rejects a join that is pending with the error", async () => {
  const log = new MemoryLog();
  await using world = new World(memoryHarness(log));
  const joining = world.start({ topics: [await world.topic()] });
  const error = new BrokerError("not authorised");
  log.fail(joining.consumer, error);
  assertEquals(await assertRejects(() => joining.consumer.joined, BrokerError), error);
  assertEquals(joining.recorder.failures, [error]);
});

withLog("refuses commits between the last marks and the new shares", async (_log, world) => {
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

withLog("makes a group anew once where several members join together", async (_log, world) => {
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

withLog("lets a member be closed while another one is told what it lost", async (_log, world) => {
  const topic = await world.topic(3);
  const [one, two] = [await world.consume({ topics: [topic] }), world.start({ topics: [topic] })];
  await two.close();
  const late = world.start({ topics: [topic], group: one.group });
  one.recorder.onAssigned = () => void late.close();
  await one.recorder.until("the group was made anew", () => one.recorder.assignments.length === 2);
  await late.close();
  await one.recorder.until("all partitions were back", () => one.recorder.owned().length === 3);
  assertEquals(late.recorder.calls, 0);
});

withLog("hands nothing over once it is closed, though there was more in the same turn", async (_log, world) => {
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

withLog("refuses to move a group beyond the end of a partition", async (_log, world) => {
  const topic = await world.topic();
  await world.append(topic, ["a"]);
  const group = world.name("group");
  for (const offset of [2, -1, 0.5, NaN]) {
    await assertRejects(() => world.broker.admin.seek(group, [{ topic, partition: 0, offset }]), BrokerError, topic);
  }
  await assertRejects(() => world.broker.skip(group, { topic, partition: 0, offset: 1 }), BrokerError, "ends at 1");
  assertEquals((await world.committed(group, topic)).offset, null);
});
