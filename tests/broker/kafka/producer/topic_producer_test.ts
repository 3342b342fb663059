import { assert, assertEquals } from "@std/assert";
import { AppendCall } from "../../../../src/broker/kafka/producer/append_call.ts";
import type { PartitionQueue } from "../../../../src/broker/kafka/producer/partition_queue.ts";
import { TopicProducer } from "../../../../src/broker/kafka/producer/topic_producer.ts";
import type { NewRecord } from "../../../../src/broker/broker.ts";
import { partitionOfKey } from "../../../../src/broker/partitioner.ts";

function topicOf(partitions: number): TopicProducer {
  const topic = new TopicProducer("t");
  topic.setPartitionCount(partitions);
  return topic;
}

function place(topic: TopicProducer, records: readonly NewRecord[], canReach = (_at: PartitionQueue) => true) {
  const call = new AppendCall(records, 60_000);
  topic.place(call, canReach);
  const partitions = new Array<number>(records.length).fill(-1);
  for (const queue of topic.queues) {
    for (const batch of queue.batches) {
      for (const placed of batch.records) if (placed.call === call) partitions[placed.index] = queue.partition;
    }
  }
  return { call, partitions };
}

Deno.test("TopicProducer places records by partition, by key, and in turn", () => {
  const topic = topicOf(4);
  const { partitions } = place(topic, [
    { value: "", partition: 2 },
    { value: "", key: "k", partition: 3 },
    { value: "", key: "a key" },
    { value: "", key: new TextEncoder().encode("a key") },
    { value: "", key: "" },
  ]);
  const [given, both, text, bytes, empty] = partitions;
  assertEquals([given, both], [2, 3]);
  assertEquals([text, bytes], [partitionOfKey("a key", 4), partitionOfKey("a key", 4)]);
  assertEquals(empty, partitionOfKey("", 4));
  const turns = place(topic, Array.from({ length: 8 }, () => ({ value: "", key: null }))).partitions;
  assertEquals(turns.slice(0, 4).toSorted(), [0, 1, 2, 3]);
  assertEquals(turns.slice(4), turns.slice(0, 4));
});

Deno.test("TopicProducer gives records without a key to reachable partitions only, while there is one", () => {
  const topic = topicOf(4);
  const keyless = Array.from({ length: 6 }, (): NewRecord => ({ value: "" }));
  assertEquals(new Set(place(topic, keyless, ({ partition }) => partition % 2 === 1).partitions), new Set([1, 3]));
  assertEquals(new Set(place(topic, keyless, () => false).partitions), new Set([0, 1, 2, 3]));
  const fixed = place(topic, [{ value: "", partition: 0 }, { value: "", key: "a key" }], () => false);
  assertEquals(fixed.partitions, [0, partitionOfKey("a key", 4)]);
});

Deno.test("TopicProducer refuses a partition that does not exist, also one of an earlier topic of the name", async () => {
  const topic = topicOf(4);
  topic.setPartitionCount(2);
  for (const partition of [2, 4, -1, 0.5]) {
    const [outcome] = await place(topic, [{ value: "", partition }]).call.done;
    assert(outcome !== undefined && !outcome.ok && outcome.written === "no", `${partition}`);
  }
});

Deno.test("short-lived producers do not all begin with the same partition", () => {
  const first = new Set(Array.from({ length: 200 }, () => place(topicOf(8), [{ value: "" }]).partitions[0]));
  assertEquals(first.size, 8);
});
