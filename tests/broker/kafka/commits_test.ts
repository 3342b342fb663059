import { assertEquals } from "@std/assert";
import type { ClusterClient } from "../../../src/broker/kafka/cluster.ts";
import { Commits } from "../../../src/broker/kafka/commits.ts";
import type { Offsets } from "../../../src/broker/kafka/kafkajs.ts";
import { KafkaOwnership } from "../../../src/broker/kafka/ownership.ts";

Deno.test("commit() commits the offset without the worker's metadata where the broker says that it is too long", async () => {
  const commits = new Commits("group", {} as ClusterClient, () => {});
  const sent: (readonly [string, string])[] = [];
  // As kafkajs hands it to each batch, on a broker whose `offset.metadata.max.bytes` is lower than Kafka's default.
  commits.send = ({ topics }: Offsets) => {
    const { offset, metadata } = topics[0]!.partitions[0] as unknown as { offset: string; metadata: string };
    sent.push([offset, metadata.split(":")[2]!]);
    if (metadata.length <= 30) return Promise.resolve();
    return Promise.reject(Object.assign(new Error("Too large"), { type: "OFFSET_METADATA_TOO_LARGE" }));
  };
  const ownership = new KafkaOwnership("default", 0, null);
  assertEquals(await commits.commit([{ ownership, next: 5, metadata: "x".repeat(50) }], 1000), "committed");
  assertEquals(sent, [["5", "x".repeat(50)], ["5", ""]]);
  assertEquals([ownership.last, ownership.floor], [{ offset: 5, metadata: "" }, 5]);
});
