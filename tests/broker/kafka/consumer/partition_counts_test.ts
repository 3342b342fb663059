import { assertEquals, assertRejects } from "@std/assert";
import { PartitionCounts } from "../../../../src/broker/kafka/consumer/partition_counts.ts";
import type { Cluster } from "../../../../src/broker/kafka/wire/cluster.ts";
import { Api } from "../../../support/kafka/scripted_broker.ts";
import { ScriptedKafka, TOPIC } from "../../../support/kafka/scripted_kafka.ts";

async function withCounts(
  use: (counts: PartitionCounts, kafka: ScriptedKafka, cluster: Cluster) => Promise<void>,
): Promise<void> {
  await using kafka = new ScriptedKafka({ partitions: 2 });
  const cluster = kafka.connect();
  try {
    await use(new PartitionCounts(cluster), kafka, cluster);
  } finally {
    cluster.close();
  }
}

const TOPICS = new Set([TOPIC]);
const asked = (kafka: ScriptedKafka) => kafka.broker.received(Api.metadata).length;

Deno.test("PartitionCounts notices more partitions, once it was asked after the age of the last answer", async () => {
  await withCounts(async (counts, kafka) => {
    assertEquals(await counts.refresh(TOPICS), new Map([[TOPIC, 2]]));
    kafka.partitions!.push({ leader: 0 });
    assertEquals([await counts.haveChanged(60_000), asked(kafka)], [false, 1]);
    assertEquals([await counts.haveChanged(0), asked(kafka)], [true, 2]);
    assertEquals(await counts.refresh(TOPICS), new Map([[TOPIC, 3]]));
    assertEquals(await counts.haveChanged(0), false);
  });
});

Deno.test("PartitionCounts looks again at the next question once it is invalidated", async () => {
  await withCounts(async (counts, kafka) => {
    await counts.refresh(TOPICS);
    kafka.partitions!.push({ leader: 0 });
    counts.invalidate();
    assertEquals(await counts.haveChanged(60_000), true);
  });
});

Deno.test("PartitionCounts keeps the number of a topic that does not exist any more", async () => {
  await withCounts(async (counts, kafka) => {
    await counts.refresh(TOPICS);
    kafka.partitions = null;
    assertEquals(await counts.haveChanged(0), false);
    assertEquals(await counts.refresh(TOPICS), new Map([[TOPIC, 2]]));
    kafka.partitions = [{ leader: 0 }];
    assertEquals(await counts.haveChanged(0), true);
  });
});

Deno.test("PartitionCounts forgets topics that no member reads, and has 0 for one that never existed", async () => {
  await withCounts(async (counts, kafka) => {
    await counts.refresh(TOPICS);
    assertEquals(await counts.refresh(new Set(["other"])), new Map([["other", 0]]));
    kafka.partitions = null;
    assertEquals(await counts.refresh(TOPICS), new Map([[TOPIC, 0]]));
  });
});

Deno.test("PartitionCounts has not changed where no broker responds, and refresh() fails", async () => {
  await withCounts(async (counts, kafka) => {
    await counts.refresh(TOPICS);
    kafka.broker.on(Api.metadata, () => "cut");
    assertEquals(await counts.haveChanged(0), false);
    await assertRejects(() => counts.refresh(TOPICS), Error);
  });
});
