// Runs alone: it limits the seconds that a consumer may take.
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Broker, Consumer, Ownership } from "../../src/broker/broker.ts";
import { Monitor } from "../../src/monitor/monitor.ts";
import { Recorder } from "../broker/conformance/recorder.ts";
import { brokers, commitAsStranger, noKafka, openKafka } from "../support/kafka/cluster.ts";
import { API, Relay } from "../support/kafka/relay.ts";
import { MachineMeter } from "../support/machine_meter.ts";
import { durationMs } from "../support/until.ts";

const SESSION_MS = 2000;
const LIMIT_MS = 30_000;

function kafkaTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, ignore: noKafka });
}

async function newTopic(broker: Broker, partitions: number, config: Record<string, string> = {}): Promise<string> {
  const name = `consumer-${crypto.randomUUID()}`;
  await broker.admin.create([{ name, partitions, config }]);
  return name;
}

function consume(broker: Broker, topic: string, group: string): { consumer: Consumer; recorder: Recorder } {
  const recorder = new Recorder(LIMIT_MS);
  const options = { group, topics: [topic], sessionTimeoutMs: SESSION_MS, maxFetchBytes: 65_536 };
  return { consumer: broker.consume(options, recorder), recorder };
}

async function fill(broker: Broker, topic: string, partitions: number, count: number, from = 0): Promise<void> {
  const records = Array.from({ length: count * partitions }, (_, n) => ({
    partition: n % partitions,
    value: `${from + Math.floor(n / partitions)}`,
  }));
  assert((await broker.append(topic, records)).every(({ ok }) => ok));
}

async function committed(broker: Broker, group: string, topic: string): Promise<(number | null)[]> {
  return (await broker.admin.committed(group, topic)).map(({ offset }) => offset);
}

kafkaTest("commit() whose connection is cut does not land in the next generation", async () => {
  await using relay = new Relay(brokers[0]!);
  await using mine = openKafka({ brokers: [relay.broker] });
  await using other = openKafka();
  const group = crypto.randomUUID();
  const topic = await newTopic(other, 2);
  await fill(other, topic, 2, 50);
  const a = consume(mine, topic, group);
  await a.recorder.until("all records came", () => a.recorder.received.length === 100);
  const owned = [...a.recorder.live.keys()];
  let cuts = 0;
  relay.onRequest = (api) => api === API.offsetCommit && cuts++ < 2 ? "cut" : "pass";
  const late = a.consumer.commit(owned.map((ownership) => ({ ownership, next: 5, metadata: "late" })));
  const b = consume(other, topic, group);
  await b.recorder.until("a partition came", () => b.recorder.live.size === 1);
  const [taken] = b.recorder.live.keys() as Iterable<Ownership>;
  await b.recorder.until("its records came", () => b.recorder.received.length === 50);
  const [outcome] = await b.consumer.commit([{ ownership: taken!, next: 40, metadata: "" }]);
  assertEquals(outcome, "committed");
  await a.recorder.until("one partition is left", () => a.recorder.live.size === 1 && a.recorder.isMember === true);
  assert((await late).every((outcome) => outcome === "unknown" || outcome === "refused"));
  // A commit of what is left goes through: nothing of the first one can be on its way any more.
  const [kept] = a.recorder.live.keys() as Iterable<Ownership>;
  let sent: string | undefined;
  while (sent !== "committed") {
    // Refused is answered at once while the proof is on its way, which needs a turn of the event loop.
    await new Promise((resolve) => setTimeout(resolve, 5));
    [sent] = await a.consumer.commit([{ ownership: kept!, next: 30, metadata: "" }]);
  }
  const expected = taken!.partition === 0 ? [40, 30] : [30, 40];
  assertEquals(await committed(other, group, topic), expected);
  assertEquals(cuts >= 1, true);
});

kafkaTest("an ownership that was never taken away ends when a stranger committed the very same offset", async () => {
  await using broker = openKafka();
  const group = crypto.randomUUID();
  const [topic, other] = [await newTopic(broker, 2), await newTopic(broker, 1)];
  await fill(broker, topic, 2, 10);
  const { consumer, recorder } = consume(broker, topic, group);
  await recorder.until("all came", () => recorder.received.length === 20);
  const [hit, spared] = [recorder.own(0), recorder.own(1)];
  const marks = [hit, spared].map((ownership) => ({ ownership, next: 5, metadata: "mine" }));
  assertEquals(await consumer.commit(marks), ["committed", "committed"]);
  await commitAsStranger(group, other, { topic, partition: 0, offset: 5 }, "theirs");
  await recorder.until("it was lost and owned anew", () => hit.lost.aborted && recorder.live.size === 2);
  assertEquals(recorder.losses.map(({ ownership, reason }) => [ownership.partition, reason]), [[0, "unknown"]]);
  assertEquals(recorder.own(0).committed, { offset: 5, metadata: "theirs" });
  assertEquals(recorder.own(1) === spared && !spared.lost.aborted, true);
  await recorder.until("what was not committed came again", () => recorder.received.length === 25);
  assertEquals(await consumer.commit([{ ownership: hit, next: 9, metadata: "" }]), ["ended"]);
  assertEquals(recorder.breaches, []);
});

kafkaTest("a consumer comes back by itself after the broker was away for longer than its session", async () => {
  await using relay = new Relay(brokers[0]!);
  await using mine = openKafka({ brokers: [relay.broker] });
  await using direct = openKafka();
  const group = crypto.randomUUID();
  const topic = await newTopic(direct, 1);
  await fill(direct, topic, 1, 10);
  const { consumer, recorder } = consume(mine, topic, group);
  await recorder.until("all came", () => recorder.received.length === 10 && recorder.isMember === true);
  const before = recorder.own(0);
  assertEquals(await consumer.commit([{ ownership: before, next: 4, metadata: "" }]), ["committed"]);
  relay.onRequest = () => "cut";
  relay.cutAll();
  const heldUntilMs = consumer.sessionValidUntilMs;
  await recorder.until("membership ended", () => recorder.isMember === false);
  assert(performance.now() >= heldUntilMs, "membership ends when the clock says so, not before");
  assert(heldUntilMs <= performance.now() + SESSION_MS);
  await fill(direct, topic, 1, 5, 10);
  relay.onRequest = () => "pass";
  await recorder.until("it is a member again", () => recorder.isMember === true);
  const now = recorder.own(0);
  const offsets = () =>
    recorder.received.filter(({ ownership }) => ownership === now).map(({ record }) => record.offset);
  await recorder.until("the last one came", () => offsets().at(-1) === 14);
  // The same member within its session, or another one, which begins at the committed offset.
  const from = now === before ? 0 : 4;
  assertEquals(offsets(), Array.from({ length: 15 - from }, (_, n) => from + n));
  assertEquals(await consumer.commit([{ ownership: now, next: 15, metadata: "" }]), ["committed"]);
  assertEquals(recorder.breaches, []);
  assertEquals(recorder.failures, []);
});

kafkaTest(
  "a consumer that starts while the broker is away joins once it is there, and can be closed before",
  async () => {
    await using relay = new Relay(brokers[0]!);
    await using direct = openKafka();
    const topic = await newTopic(direct, 1);
    await fill(direct, topic, 1, 3);
    relay.onRequest = () => "cut";
    await using mine = openKafka({ brokers: [relay.broker] });
    const closed = consume(mine, topic, crypto.randomUUID());
    using machine = new MachineMeter();
    machine.assertWithin("close", await durationMs(() => closed.consumer.close(2000)), 3000);
    await assertRejects(() => closed.consumer.joined);
    assertEquals(closed.recorder.calls, 0);
    const { consumer, recorder } = consume(mine, topic, crypto.randomUUID());
    assertEquals(consumer.sessionValidUntilMs, 0);
    relay.onRequest = () => "pass";
    await consumer.joined;
    await recorder.until("all came", () => recorder.received.length === 3);
  },
);

kafkaTest("close() keeps its deadline in the middle of a join that the broker does not answer", async () => {
  await using relay = new Relay(brokers[0]!);
  await using direct = openKafka();
  const topic = await newTopic(direct, 1);
  await using mine = openKafka({ brokers: [relay.broker] });
  const joining = Promise.withResolvers<void>();
  relay.onRequest = (api) => {
    if (api !== API.joinGroup) return "pass";
    joining.resolve();
    return "drop";
  };
  const { consumer, recorder } = consume(mine, topic, crypto.randomUUID());
  await joining.promise;
  using machine = new MachineMeter();
  machine.assertWithin("close", await durationMs(() => consumer.close(1500)), 2500);
  assertEquals(recorder.calls, 0);
});

for (const codec of ["gzip", "snappy", "lz4", "zstd"]) {
  kafkaTest(`a batch that the broker compressed with ${codec} is read`, async () => {
    await using broker = openKafka();
    // The broker packs again what it is given.
    const topic = await newTopic(broker, 1, { "compression.type": codec });
    await fill(broker, topic, 1, 500);
    const { recorder } = consume(broker, topic, crypto.randomUUID());
    await recorder.until("all records came", () => recorder.received.length === 500);
    assertEquals(recorder.values(), Array.from({ length: 500 }, (_, n) => `${n}`));
  });
}

kafkaTest(
  "a consumer whose topics do not all exist reads the others, and the missing one once it is created",
  async () => {
    const monitor = new Monitor();
    const missing: string[] = [];
    monitor.on("topic.missing", ({ topic }) => void missing.push(topic));
    await using broker = openKafka({}, monitor);
    const [topic, later] = [await newTopic(broker, 1), `later-${crypto.randomUUID()}`];
    const recorder = new Recorder(LIMIT_MS);
    const topics = [topic, later];
    const options = { group: crypto.randomUUID(), topics, sessionTimeoutMs: SESSION_MS, maxFetchBytes: 65_536 };
    broker.consume(options, recorder);
    await fill(broker, topic, 1, 3);
    await recorder.until("the topic that exists is read", () => recorder.received.length === 3);
    await broker.admin.create([{ name: later, partitions: 2, config: {} }]);
    await fill(broker, later, 2, 3);
    await recorder.until("both are read", () => recorder.received.length === 9);
    assertEquals([missing, recorder.failures], [[later], []]);
  },
);

kafkaTest("a worker of a and one of a and b share a, and b is read", async () => {
  await using broker = openKafka();
  const group = crypto.randomUUID();
  const a = await newTopic(broker, 4);
  const b = await newTopic(broker, 2);
  const old = consume(broker, a, group);
  await old.recorder.until("all of a came", () => old.recorder.live.size === 4);
  const recorder = new Recorder(LIMIT_MS);
  broker.consume({ group, topics: [a, b], sessionTimeoutMs: SESSION_MS, maxFetchBytes: 65_536 }, recorder);
  await recorder.until("its share came", () => recorder.live.size === 3);
  await fill(broker, b, 2, 5);
  await recorder.until("b was read", () => recorder.received.length === 10);
  assertEquals(recorder.owned(b), [0, 1]);
  assertEquals([...old.recorder.owned(a), ...recorder.owned(a)].sort(), [0, 1, 2, 3]);
});

kafkaTest(
  "a consumer that stood still past its session knows by the clock, loses what others took, and commits nothing",
  async () => {
    await using broker = openKafka();
    const group = crypto.randomUUID();
    const topic = await newTopic(broker, 1);
    await fill(broker, topic, 1, 100);
    const file = new URL("../support/kafka/blocked_consumer.ts", import.meta.url).pathname;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--quiet", file, group, topic, "100"],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    assertEquals(JSON.parse((await lines.read()).value!), { before: "committed" });
    const { consumer, recorder } = consume(broker, topic, group);
    await recorder.until("the partition was taken over", () => recorder.received.length === 80);
    assertEquals(recorder.own(0).committed, { offset: 20, metadata: "before" });
    assertEquals(await consumer.commit([{ ownership: recorder.own(0), next: 93, metadata: "" }]), ["committed"]);
    const stdin = child.stdin.getWriter();
    await stdin.write(new Uint8Array(1));
    await stdin.close();
    const { awake, late, ended, reason, breaches } = JSON.parse((await lines.read()).value!);
    assertEquals({ awake, ended, breaches }, { awake: { calls: 0, held: false }, ended: "ended", breaches: [] });
    assert(late === "refused" || late === "unknown" || late === "ended", late);
    assert(reason === "unknown" || reason === "revoked", reason);
    assertEquals((await child.status).code, 0);
    await lines.cancel();
    assertEquals(await committed(broker, group, topic), [93]);
  },
);
