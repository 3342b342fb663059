/** The first records of many partitions, on a scripted cluster whose parts are silent, move, or send too little. */
import { assertEquals } from "@std/assert";
import { listHeads } from "../../../src/broker/kafka/heads.ts";
import { Questions } from "../../../src/broker/kafka/questions.ts";
import { Code } from "../../../src/broker/kafka/wire/errors.ts";
import { batchOf } from "../../support/kafka/batches.ts";
import { Api } from "../../support/kafka/scripted_broker.ts";
import { ScriptedKafka, TOPIC, TOPIC_ID } from "../../support/kafka/scripted_kafka.ts";
import { positionsOf } from "../../support/kafka/scripted_log.ts";
import { fetchResponse } from "../../support/kafka/scripted_responses.ts";

/** Each partition has one record, whose time is its number and a thousand. */
function createKafka(partitions: number): ScriptedKafka {
  const kafka = new ScriptedKafka({ partitions, others: 1 });
  for (let partition = 0; partition < partitions; partition++) {
    kafka.log.append(partition, batchOf([{ key: "k", value: "v", timestampMs: 1000 + partition }]));
  }
  return kafka;
}

/** Returns the times of the first records of all partitions; `null` where it is not known. */
async function listTimes(kafka: ScriptedKafka, requestTimeoutMs = 10_000): Promise<(number | null)[]> {
  const cluster = kafka.connect({ requestTimeoutMs });
  const questions = new Questions(cluster);
  try {
    const positions = kafka.partitions!.map((_, partition) => ({ topic: TOPIC, partition, offset: 0 }));
    return (await listHeads(cluster, questions, positions)).map((head) => head?.timestampMs ?? null);
  } finally {
    questions.close();
    cluster.close();
  }
}

Deno.test("listHeads() takes one fetch for 500 partitions of a leader", async () => {
  await using kafka = createKafka(1001);
  assertEquals(await listTimes(kafka), Array.from({ length: 1001 }, (_, partition) => 1000 + partition));
  assertEquals(kafka.broker.received(Api.fetch).map((request) => positionsOf(request).length), [500, 500, 1]);
});

Deno.test("listHeads() does not know the partitions of a leader that is silent, asks it once, and knows the others", async () => {
  await using kafka = createKafka(1200);
  kafka.partitions = kafka.partitions!.map((_, partition) => ({ leader: partition === 0 ? 0 : 1 }));
  kafka.others[0]!.on(Api.fetch, () => "silence");
  assertEquals((await listTimes(kafka, 1000)).filter((time) => time !== null), [1000]);
  assertEquals(kafka.others[0]!.received(Api.fetch).length, 1);
});

Deno.test("listHeads() looks up a leader that has moved, and does not know a partition without a leader", async () => {
  await using kafka = createKafka(2);
  kafka.broker.on(Api.fetch, () => {
    kafka.partitions = [{ leader: 1, leaderEpoch: 1 }, { leader: -1, error: Code.leaderNotAvailable }];
    return fetchResponse([0, 1].map((partition) => ({
      topicId: TOPIC_ID,
      partition,
      error: Code.notLeader,
      highWatermark: -1,
    })));
  });
  assertEquals(await listTimes(kafka), [1000, null]);
});

Deno.test("listHeads() reads a partition by itself whose batch is larger than its share, or whose position is gone", async () => {
  await using kafka = createKafka(3);
  kafka.broker.next(Api.fetch, async (request) => {
    const [first] = await kafka.log.fetch(positionsOf(request), 0);
    const at = { topicId: TOPIC_ID, highWatermark: 1 };
    return fetchResponse([first!, { ...at, partition: 1 }, { ...at, partition: 2, error: Code.offsetOutOfRange }]);
  });
  assertEquals(await listTimes(kafka), [1000, 1001, 1002]);
  assertEquals(kafka.broker.received(Api.fetch).map((request) => positionsOf(request).length), [3, 1, 1]);
});
