/** The log of the test kit: offline and online, revoked partitions, deleted records. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { World } from "../broker/conformance/world.ts";
import { BrokerError } from "../../src/errors.ts";
import { FaultInjectionLog } from "../support/fault_injection_log.ts";
import { faultInjectionHarness } from "../support/memory_harness.ts";

/** A short session, for the tests that wait for its end, in ms. */
const SHORT_SESSION_MS = 20;

function withLog(
  name: string,
  run: (log: FaultInjectionLog, world: World) => Promise<void>,
  sessionTimeoutMs = 2000,
): void {
  Deno.test(`FaultyLog ${name}`, async () => {
    const log = new FaultInjectionLog();
    await using world = new World(faultInjectionHarness(log, sessionTimeoutMs));
    await run(log, world);
    world.check();
  });
}

withLog("goOffline() makes appends, commits and deliveries wait until goOnline()", async (log, world) => {
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

withLog("goOffline() holds a delivery that was about to come", async (log, world) => {
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

withLog("goOffline() right after goOnline() keeps the calls waiting", async (log, world) => {
  const topic = await world.topic();
  log.goOffline();
  const appended = world.append(topic, ["a"]);
  log.goOnline();
  log.goOffline();
  const connected = world.broker.connect().then(() => "connected");
  await log.tasks.flush();
  assertEquals(await Promise.race([appended, connected, Promise.resolve("waiting")]), "waiting");
  log.goOnline();
  assertEquals(await appended, [{ topic, partition: 0, offset: 0 }]);
  assertEquals(await connected, "connected");
});

withLog(
  "goOffline() ends a session in time; after goOnline() it is valid again and the ownerships continue",
  async (log, world) => {
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
  },
  SHORT_SESSION_MS,
);

withLog("goOffline() twice is the same as once, and leaves no timer after everything is closed", async (log, world) => {
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

withLog("goOffline() leaves connect() abortable", async (log, world) => {
  log.goOffline();
  const controller = new AbortController();
  const connecting = world.broker.connect(controller.signal);
  controller.abort(new RangeError("enough"));
  await assertRejects(() => connecting, RangeError, "enough");
  log.goOnline();
  await world.broker.connect();
});

withLog("revoke() ends an ownership and starts a new one", async (log, world) => {
  const topic = await world.topic(2);
  const reader = await world.consume({ topics: [topic] });
  const [revoked, kept] = [reader.own(0), reader.own(1)];
  log.revoke(reader.group, { topic, partition: 0 });
  await reader.recorder.until(
    "the partition was owned again",
    () => revoked.lost.aborted && reader.recorder.live.size === 2,
  );
  assertEquals(reader.recorder.losses, [{ ownership: revoked, reason: "revoked" }]);
  assert(reader.recorder.live.has(kept));
  log.revoke(reader.group, { topic, partition: 1 });
  await reader.recorder.until("the other too", () => kept.lost.aborted && reader.recorder.live.size === 2);
  assertEquals(reader.recorder.losses.length, 2);
});

withLog("goOffline() makes a read wait until goOnline(), or until its signal aborts", async (log, world) => {
  const topic = await world.topic();
  await world.append(topic, ["a"]);
  log.goOffline();
  const { admin } = world.broker;
  const settled: string[] = [];
  const reading = admin.read(topic, 0, { from: 0, maxBytes: 1000 }).finally(() => settled.push("read"));
  const reason = new Error("enough");
  const controller = new AbortController();
  const aborted = admin.read(topic, 0, { from: 0, maxBytes: 1000, signal: controller.signal });
  controller.abort(reason);
  assertEquals(await assertRejects(() => aborted), reason);
  assertEquals(settled, []);
  log.goOnline();
  assertEquals((await reading).records.map(({ value }) => value), ["a"]);
});
