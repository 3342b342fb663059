/** The producer on scripted brokers: deadlines, leaders, and what is settled when. */
import { assert, assertEquals } from "@std/assert";
import type { NewRecord } from "../../../../src/broker/broker.ts";
import { Code } from "../../../../src/broker/kafka/wire/errors.ts";
import { Api, type Script, type ScriptedRequest } from "../../../support/kafka/scripted_broker.ts";
import { PRODUCER_ID, TOPIC } from "../../../support/kafka/scripted_kafka.ts";
import { batchesOf } from "../../../support/kafka/scripted_log.ts";
import {
  holdProduce,
  openProducer,
  type ProducerWorld,
  sentTo,
  written,
} from "../../../support/kafka/scripted_producer.ts";
import { apiVersionsResponse, initProducerIdResponse } from "../../../support/kafka/scripted_responses.ts";
import { MachineMeter } from "../../../support/machine_meter.ts";
import { durationMs, until } from "../../../support/until.ts";

Deno.test("append() counts the delivery timeout from the call, also while nothing is known of the topic", async () => {
  await using world = openProducer({ deliveryTimeoutMs: 300 });
  world.kafka.broker.on(Api.metadata, () => "silence");
  using machine = new MachineMeter();
  const tookMs = await durationMs(async () => assertEquals(written(await world.append(["0"])), ["no"]));
  assert(tookMs >= 299, `It took ${tookMs} ms`);
  machine.assertWithin("append", tookMs, 2000);
});

Deno.test("append() counts the delivery timeout from the call, also while the leader is connected to", async () => {
  await using world = openProducer({ deliveryTimeoutMs: 300, others: 1 });
  world.kafka.partitions = [{ leader: 1 }];
  const [leader] = world.kafka.others;
  // It accepts connections, and says nothing: for two seconds, by the options of the client.
  leader!.on(Api.apiVersions, () => "silence");
  using machine = new MachineMeter();
  const tookMs = await durationMs(async () => assertEquals(written(await world.append(["0"])), ["no"]));
  assert(tookMs >= 299, `It took ${tookMs} ms`);
  machine.assertWithin("append", tookMs, 1500);
  world.kafka.partitions = [{ leader: 0 }];
  await until(async () => (await world.append(["1"]))[0]!.ok, () => "not written");
  assertEquals([sentTo(leader!).length, sentTo(world.kafka.broker).map(({ count, sequence }) => [count, sequence])], [
    0,
    [[1, 0]],
  ]);
});

Deno.test("append() sends nothing that was given up, and the next record once, once the connection is open", async () => {
  await using world = openProducer({ deliveryTimeoutMs: 400, others: 1 });
  world.kafka.partitions = [{ leader: 1 }];
  const [leader] = world.kafka.others;
  const opened = Promise.withResolvers<void>();
  leader!.on(Api.apiVersions, async () => {
    await opened.promise;
    return apiVersionsResponse();
  });
  assertEquals(written(await world.append(["given up"])), ["no"]);
  const next = world.append(["next"]);
  const queued = performance.now();
  await until(() => performance.now() - queued > 20, () => "not queued");
  opened.resolve();
  assertEquals(written(await next), [0]);
  assertEquals(written(await world.append(["last"])), [1]);
  assertEquals(leader!.received(Api.produce).map((request) => batchesOf(request).map(({ sequence }) => sequence)), [
    [0],
    [1],
  ]);
});

Deno.test("append() gives records up by their own call, not with older ones of their batch", async () => {
  await using world = openProducer({ deliveryTimeoutMs: 1500, partitions: 2 });
  world.kafka.partitions![0] = { error: 5, leader: -1 };
  const old = world.append(["old"], { partition: 0 });
  const startedMs = performance.now();
  await until(() => performance.now() - startedMs > 1000, () => "too early");
  const young = world.append(["young"], { partition: 0 });
  assertEquals(written(await old), ["no"]);
  world.kafka.partitions![0] = { leader: 0 };
  assertEquals(written(await young), [0]);
  assertEquals(sentTo(world.kafka.broker).map(({ count }) => count), [1]);
});

/** Sends a batch of two records, of which the older one has 1.5 s less than the other, and holds its response back. */
async function sendOldAndYoung(world: ProducerWorld, respond?: Script) {
  const { arrived, release } = holdProduce(world.kafka);
  const first = world.append(["first"]);
  await arrived;
  const old = world.append(["old"]);
  const startedMs = performance.now();
  await until(() => performance.now() - startedMs > 1500, () => "too early");
  const young = world.append(["young"]);
  const next = holdProduce(world.kafka, respond);
  release();
  assertEquals(written(await first), [0]);
  await next.arrived;
  return { old, young, release: next.release };
}

Deno.test("append() gives up a record on its way as unknown; the others of its batch get the response", async () => {
  await using world = openProducer({ deliveryTimeoutMs: 2500 });
  const { old, young, release } = await sendOldAndYoung(world);
  assertEquals(written(await old), ["unknown"]);
  release();
  assertEquals(written(await young), [2]);
  assertEquals(sentTo(world.kafka.broker).map(({ count }) => count), [1, 2]);
});

Deno.test("append() sends a batch that was refused again without those whose time was over meanwhile", async () => {
  await using world = openProducer({ deliveryTimeoutMs: 2500 });
  const refuse: Script = (request) => world.kafka.refuse(request, Code.notEnoughReplicas);
  const { old, young, release } = await sendOldAndYoung(world, refuse);
  assertEquals(written(await old), ["unknown"]);
  release();
  assertEquals(written(await young), [1]);
  assertEquals(sentTo(world.kafka.broker).map(({ count }) => count), [1, 2, 1]);
});

Deno.test("append() sends a batch that may be written byte for byte, also after one of its records was given up", async () => {
  await using world = openProducer({ deliveryTimeoutMs: 2500 });
  const refuse: Script = (request) => world.kafka.refuse(request, Code.requestTimedOut);
  const { old, young, release } = await sendOldAndYoung(world, refuse);
  world.kafka.broker.on(Api.produce, refuse);
  release();
  assertEquals(written(await old), ["unknown"]);
  world.kafka.broker.on(Api.produce, (request) => world.kafka.produce(request));
  assertEquals(written(await young), [2]);
  const [, second, ...again] = sentTo(world.kafka.broker);
  assert(again.length > 0);
  for (const batch of again) assertEquals(batch, second);
});

Deno.test("append() to a topic that does not exist is refused after it was asked for twice, and not asked for later", async () => {
  await using world = openProducer();
  world.kafka.partitions = null;
  using machine = new MachineMeter();
  const tookMs = await durationMs(async () => {
    const [outcome] = await world.append(["0"]);
    assert(outcome !== undefined && !outcome.ok);
    assertEquals([outcome.error.name, outcome.written], ["UnknownTopicError", "no"]);
    assertEquals(outcome.error.message, `Cannot append to topic "${TOPIC}": it does not exist`);
  });
  assert(tookMs >= 1000, `It took ${tookMs} ms`);
  machine.assertWithin("append", tookMs, 4000);
  assert(world.kafka.broker.received(Api.metadata).length >= 2);
  const waiting = world.append(["1"]);
  world.kafka.partitions = [{ leader: 0 }];
  assertEquals(written(await waiting), [0]);
});

Deno.test("append() keeps the order of calls that wait for their topic", async () => {
  await using world = openProducer();
  const { metadata } = world.kafka;
  let asked = 0;
  world.kafka.broker.on(Api.metadata, () => asked++ === 0 ? "cut" : metadata.call(world.kafka));
  const outcomes = await Promise.all(["0", "1", "2", "3"].map((value) => world.append([value])));
  assertEquals(outcomes.map((outcome) => written(outcome)), [[0], [1], [2], [3]]);
});

Deno.test("Producer has one batch of a partition in flight, and those of one leader in one request", async () => {
  await using world = openProducer({ partitions: 3 });
  await world.append(["warm"], { partition: 0 });
  const { arrived, release } = holdProduce(world.kafka);
  const all = [0, 1, 2].map((partition) => world.append(["a"], { partition }));
  await arrived;
  // These wait for the ones before them, and share batches.
  all.push(...[0, 1, 0, 1].map((partition) => world.append(["b"], { partition })));
  release();
  assertEquals((await Promise.all(all)).map((outcome) => written(outcome)[0]), [1, 0, 0, 2, 1, 3, 2]);
  const requests = world.kafka.broker.received(Api.produce).map(batchesOf);
  assertEquals(requests.map((batches) => batches.map(({ partition, count }) => [partition, count])), [
    [[0, 1]],
    [[0, 1], [1, 1], [2, 1]],
    [[0, 2], [1, 2]],
  ]);
});

Deno.test("Producer splits what one leader gets into requests of four megabytes", async () => {
  await using world = openProducer({ partitions: 8 });
  const value = "x".repeat(900_000);
  const records = Array.from({ length: 8 }, (_, partition): NewRecord => ({ value, partition }));
  assert((await world.producer.append(TOPIC, records)).every(({ ok }) => ok));
  assertEquals(world.kafka.broker.received(Api.produce).map((request) => batchesOf(request).length).slice(0, 2), [
    4,
    4,
  ]);
});

Deno.test("records without a key avoid a partition without a leader, those with one of it wait", async () => {
  await using world = openProducer({ partitions: 4, deliveryTimeoutMs: 700 });
  world.kafka.partitions![2] = { error: 5, leader: -1 };
  const held = world.append(["held"], { partition: 2 });
  const outcomes = await world.append(Array.from({ length: 40 }, (_, n) => `${n}`));
  assertEquals(new Set(outcomes.map((outcome) => outcome.ok && outcome.position.partition)), new Set([0, 1, 3]));
  assertEquals(written(await held), ["no"]);
});

Deno.test("records without a key leave a partition whose leader cannot be reached, where nothing of them was sent", async () => {
  await using world = openProducer({ partitions: 2, others: 1 });
  world.kafka.partitions![1] = { leader: 1 };
  const [other] = world.kafka.others;
  other!.onConnect = () => "cut";
  const outcomes = await world.append(Array.from({ length: 20 }, (_, n) => `${n}`));
  assertEquals(new Set(outcomes.map((outcome) => outcome.ok && outcome.position.partition)), new Set([0]));
  assertEquals(world.kafka.log.end(0), 20);
});

Deno.test("records without a key stay where they were sent, since they may be written", async () => {
  await using world = openProducer({ partitions: 2, others: 1, deliveryTimeoutMs: 1500 });
  world.kafka.partitions = [{ error: 5, leader: -1 }, { leader: 1 }];
  const [other] = world.kafka.others;
  other!.on(Api.produce, () => "cut");
  const sentOnce = world.append(["sent"]);
  await until(() => sentTo(other!).length > 0, () => "nothing was sent");
  world.kafka.partitions[0] = { leader: 0 };
  assertEquals(written(await sentOnce), ["unknown"]);
  assertEquals(sentTo(world.kafka.broker), []);
});

Deno.test("the response of a leader that is silent is not waited for once another broker leads", async () => {
  await using world = openProducer({ others: 1 });
  world.kafka.partitions = [{ leader: 1 }];
  const [other] = world.kafka.others;
  other!.on(Api.produce, () => "silence");
  const outcome = world.append(["0"]);
  await until(() => sentTo(other!).length > 0, () => "nothing was sent");
  world.kafka.partitions = [{ leader: 0, leaderEpoch: 1 }];
  using machine = new MachineMeter();
  const tookMs = await durationMs(async () => assertEquals(written(await outcome), [0]));
  machine.assertWithin("append", tookMs, 4000);
  assertEquals(sentTo(world.kafka.broker), sentTo(other!));
});

for (const answer of ["NOT_LEADER", "silence"] as const) {
  Deno.test(`Producer asks another broker where the one with old metadata does not lead (${answer})`, async () => {
    await using world = openProducer({ others: 1 });
    await world.append(["0"]);
    const old = world.kafka.metadata();
    world.kafka.broker.on(Api.metadata, () => old);
    world.kafka.broker.on(
      Api.produce,
      (request) => answer === "silence" ? answer : world.kafka.refuse(request, Code.notLeader),
    );
    world.kafka.partitions = [{ leader: 1, leaderEpoch: 1 }];
    const tookMs = await durationMs(async () => assertEquals(written(await world.append(["1"])), [1]));
    assert(tookMs < 10_000, `It took ${tookMs} ms`);
  });
}

Deno.test("the delivery timeout ends a request that the leader does not respond to, as unknown", async () => {
  await using world = openProducer({ deliveryTimeoutMs: 400 });
  await world.append(["0"]);
  world.kafka.broker.next(Api.produce, () => "silence");
  using machine = new MachineMeter();
  const tookMs = await durationMs(async () => assertEquals(written(await world.append(["1"])), ["unknown"]));
  assert(tookMs >= 399, `It took ${tookMs} ms`);
  machine.assertWithin("append", tookMs, 2000);
  assertEquals(written(await world.append(["2"])), [1]);
  const last = sentTo(world.kafka.broker).at(-1)!;
  assertEquals([last.epoch, last.sequence], [1, 0]);
});

Deno.test("close() settles everything at once: sent is unknown, the rest is not written", async () => {
  await using world = openProducer({ partitions: 2, others: 1 });
  world.kafka.partitions![1] = { leader: 1 };
  await world.append(["0"], { partition: 0 });
  const { arrived, release } = holdProduce(world.kafka);
  const inFlight = world.append(["1"], { partition: 0 });
  await arrived;
  const queued = world.append(["2"], { partition: 0 });
  // The other leader does not get beyond its connection.
  world.kafka.others[0]!.on(Api.apiVersions, () => "silence");
  const connecting = world.append(["3"], { partition: 1 });
  const unknownTopic = world.producer.append("other", [{ value: "4" }]);
  await until(() => world.kafka.others[0]!.connectionCount >= 1, () => "not connected");
  world.producer.close();
  const outcomes = await Promise.all([inFlight, queued, connecting, unknownTopic]);
  assertEquals(outcomes.map((outcome) => written(outcome)[0]), ["unknown", "no", "no", "no"]);
  release();
});

Deno.test("an error for good refuses what waits, and leaves what is on its way to its own response", async () => {
  await using world = openProducer({ metadataMaxAgeMs: 1 });
  await world.append(["0"]);
  const { arrived, release } = holdProduce(world.kafka);
  const inFlight = world.append(["1"]);
  await arrived;
  // All connections but that of the request are cut, and new ones understand nothing.
  world.kafka.broker.on(Api.apiVersions, () => apiVersionsResponse({ [Api.metadata]: [0, 5] }));
  world.kafka.broker.on(Api.metadata, () => "cut");
  const [outcome] = await world.append(["2"]);
  assert(outcome !== undefined && !outcome.ok && outcome.written === "no");
  assert(outcome.error.message.includes("Cannot send Metadata in a version"), outcome.error.message);
  world.kafka.broker.on(Api.apiVersions, () => apiVersionsResponse());
  world.kafka.broker.on(Api.metadata, () => world.kafka.metadata());
  const next = world.append(["3"]);
  release();
  // The response acknowledges what was sent with it, and nothing else.
  assertEquals([written(await inFlight), written(await next)], [[1], [2]]);
  assertEquals(sentTo(world.kafka.broker).map(({ sequence }) => sequence), [0, 1, 2]);
});

Deno.test("InitProducerId is asked again where it passes, and refuses the records where it does not", async () => {
  await using world = openProducer();
  world.kafka.broker.next(
    Api.initProducerId,
    () => initProducerIdResponse(-1, Code.coordinatorLoading),
    () => "cut",
  );
  assertEquals(written(await world.append(["0"])), [0]);
  assertEquals(sentTo(world.kafka.broker).map(({ producerId }) => producerId), [PRODUCER_ID]);

  await using other = openProducer();
  other.kafka.broker.on(Api.initProducerId, () => initProducerIdResponse(-1, Code.clusterAuthorizationFailed));
  using machine = new MachineMeter();
  const tookMs = await durationMs(async () => {
    const [outcome] = await other.append(["0"]);
    assert(outcome !== undefined && !outcome.ok && outcome.written === "no");
    assert(outcome.error.message.includes("CLUSTER_AUTHORIZATION_FAILED"), outcome.error.message);
  });
  machine.assertWithin("append", tookMs, 2000);
});

Deno.test("a topic that was created again with fewer partitions gets no record for one that is gone", async () => {
  await using world = openProducer({ partitions: 4, metadataMaxAgeMs: 20 });
  await world.append(["0", "1", "2", "3"]);
  world.kafka.partitions = [{ leader: 0 }, { leader: 0 }];
  world.kafka.topicId = "f".repeat(32);
  const isLearned = async (): Promise<boolean> => {
    const [outcome] = await world.append(["x"], { partition: 3 });
    return !outcome!.ok && outcome!.error.message.includes("3");
  };
  await until(isLearned, () => "partition 3 is still written to");
  const records = Array.from({ length: 50 }, (_, n): NewRecord => ({ value: "x", key: `${n}` }));
  const keyed = await world.producer.append(TOPIC, records);
  const keyless = await world.append(Array.from({ length: 10 }, () => "x"));
  const partitions = [...keyed, ...keyless].map((outcome) => outcome.ok && outcome.position.partition);
  assertEquals(new Set(partitions), new Set([0, 1]));
});

Deno.test("a record that is larger than the topic allows is refused before it is sent", async () => {
  await using world = openProducer();
  const [outcome, small] = await world.append(["x".repeat(1_000_001), "small"]);
  assert(outcome !== undefined && !outcome.ok);
  assertEquals([outcome.error.name, outcome.written, small!.ok], ["RecordTooLargeError", "no", true]);
  assertEquals(sentTo(world.kafka.broker).map(({ count }) => count), [1]);
});

Deno.test("nothing is asked and no timer runs once all is acknowledged", async () => {
  await using world = openProducer({ metadataMaxAgeMs: 1 });
  await world.append(["0"]);
  const requests: ScriptedRequest[] = world.kafka.broker.requests;
  // The pause after a refresh may end with one more look.
  await new Promise((resolve) => setTimeout(resolve, 200));
  const before = requests.length;
  await new Promise((resolve) => setTimeout(resolve, 300));
  assertEquals(requests.length, before);
});
