/** Partitions that wait for their in-sync replicas, beside others that the same broker leads. */
import { assert, assertEquals } from "@std/assert";
import { Code } from "../../../../src/broker/kafka/wire/errors.ts";
import { Api, type ScriptedRequest } from "../../../support/kafka/scripted_broker.ts";
import { type ScriptedKafka, TOPIC } from "../../../support/kafka/scripted_kafka.ts";
import { batchesOf } from "../../../support/kafka/scripted_log.ts";
import { holdProduce, openProducer, sentTo, written } from "../../../support/kafka/scripted_producer.ts";
import { produceResponse } from "../../../support/kafka/scripted_responses.ts";
import { until } from "../../../support/until.ts";

/** The time for which the broker may wait for in-sync replicas: behind the transactional id, which is absent, and the acks. */
function waitMsOf({ body }: ScriptedRequest): number {
  return body.readInt32BE(4);
}

/** Has partition 0 wait for its in-sync replicas as a broker does: the response comes at the time limit of the request. */
function lag({ broker, log }: ScriptedKafka): { caughtUp: boolean } {
  const replicas = { caughtUp: false };
  broker.on(Api.produce, async (request) => {
    const batches = batchesOf(request);
    const isLate = ({ partition }: { readonly partition: number }) => partition === 0 && !replicas.caughtUp;
    if (batches.some(isLate)) {
      const endMs = performance.now() + waitMsOf(request);
      await until(() => replicas.caughtUp || performance.now() >= endMs, () => "the time limit is not over");
    }
    return produceResponse(batches.map((batch) => {
      const { topic, partition, bytes } = batch;
      if (isLate(batch)) return { topic, partition, error: Code.requestTimedOut, baseOffset: -1 };
      return { topic, partition, baseOffset: log.append(partition, bytes) };
    }));
  });
  return replicas;
}

function requestsOf({ broker }: ScriptedKafka, partition: number): ScriptedRequest[] {
  return broker.received(Api.produce).filter((request) =>
    batchesOf(request).some((batch) => batch.partition === partition)
  );
}

function connectionsOf(requests: readonly ScriptedRequest[]): Set<number> {
  return new Set(requests.map(({ connection }) => connection));
}

Deno.test("a partition that waits for its in-sync replicas delays others of its leader once, and not again", async () => {
  await using world = openProducer({ partitions: 2 });
  const { kafka } = world;
  await world.append(["warm"], { partition: 1 });
  const replicas = lag(kafka);
  const [late, beside] = [0, 1].map((partition) => world.append(["together"], { partition }));
  assertEquals(written(await beside!), [1]);
  await until(() => requestsOf(kafka, 0).length === 2, () => "not sent again");
  // The second wait is longer than all of these take.
  for (let n = 2; n < 12; n++) assertEquals(written(await world.append(["beside"], { partition: 1 })), [n]);
  assertEquals(requestsOf(kafka, 0).length, 2);
  replicas.caughtUp = true;
  assertEquals(written(await late!), [0]);
  const [first, ...later] = requestsOf(kafka, 0);
  // A half of the time that a response may take, where that is less than ten seconds.
  assertEquals([waitMsOf(first!), new Set(later.map(waitMsOf))], [1000, new Set([2500])]);
  assertEquals(connectionsOf(requestsOf(kafka, 1)), connectionsOf([first!]));
  assertEquals(connectionsOf(later).intersection(connectionsOf([first!])), new Set());
});

Deno.test("a partition whose in-sync replicas follow again goes out with the others", async () => {
  await using world = openProducer({ partitions: 2 });
  const { broker } = world.kafka;
  broker.next(Api.produce, (request) => world.kafka.refuse(request, Code.notEnoughReplicas));
  assertEquals(written(await world.append(["0"], { partition: 0 })), [0]);
  await Promise.all([0, 1].map((partition) => world.append(["both"], { partition })));
  const [refused, again, both] = broker.received(Api.produce);
  assert(again!.connection !== refused!.connection);
  assertEquals([both!.connection, batchesOf(both!).length], [refused!.connection, 2]);
});

Deno.test("partitions that wait for their in-sync replicas share the next request of their kind", async () => {
  await using world = openProducer({ partitions: 3 });
  const { kafka } = world;
  const refuse = () =>
    kafka.broker.next(Api.produce, (request) => kafka.refuse(request, Code.notEnoughReplicasAfterAppend));
  refuse();
  const all = [world.append(["a"], { partition: 0 })];
  await until(() => requestsOf(kafka, 0).length === 1, () => "not refused");
  const { arrived, release } = holdProduce(kafka);
  await arrived;
  for (const partition of [1, 2]) {
    // On the connection of partition 0 nothing else arrives while its response is held.
    refuse();
    all.push(world.append(["a"], { partition }));
    await until(() => requestsOf(kafka, partition).length === 1, () => "not refused");
    const refusedMs = performance.now();
    await until(() => performance.now() - refusedMs > 150, () => "it may be sent again");
  }
  release();
  assertEquals((await Promise.all(all)).map(written), [[0], [0], [0]]);
  const [last] = kafka.broker.received(Api.produce).slice(-1);
  assertEquals(batchesOf(last!).map(({ partition }) => partition), [1, 2]);
  assertEquals(sentTo(kafka.broker).length, 6);
});

Deno.test("append() reports the outcome of each record as soon as it is known", async () => {
  await using world = openProducer({ partitions: 2 });
  const replicas = lag(world.kafka);
  const reported: [index: number, outcome: string | number][] = [];
  const first = Promise.withResolvers<void>();
  const outcomes = world.producer.append(TOPIC, [{ value: "late", partition: 0 }, { value: "0", partition: 1 }], {
    settled: (index, outcome) => {
      reported.push([index, written([outcome])[0]!]);
      first.resolve();
    },
  });
  await first.promise;
  assertEquals(reported, [[1, 0]]);
  replicas.caughtUp = true;
  assertEquals(written(await outcomes), [0, 0]);
  assertEquals(reported, [[1, 0], [0, 0]]);
});
