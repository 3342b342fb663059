/** Compression of what an App appends: the batches as they lie in the log of a Kafka. */
import { assert, assertEquals } from "@std/assert";
import { activeJobTopic, App, Job, performAllLater } from "@activejob/kafka";
import { Attribute, batchesIn, COMPRESSIONS, Field } from "../../src/broker/kafka/batch/layout.ts";
import { kafkaSettings } from "../../src/broker/kafka/options.ts";
import { Cluster } from "../../src/broker/kafka/wire/cluster.ts";
import { fetchRequest } from "../../src/broker/kafka/wire/fetch_request.ts";
import { brokers, noKafka } from "../support/kafka/cluster.ts";

/** The compression, the number of records and the size of each batch in partition 0. */
async function rawBatches(topic: string): Promise<{ compression: string | undefined; count: number; bytes: number }[]> {
  const { connectionTimeoutMs, requestTimeoutMs } = kafkaSettings({ brokers });
  const connection = { clientId: "raw", ssl: false, sasl: null, connectionTimeoutMs };
  const cluster = new Cluster({ brokers, requestTimeoutMs, connection });
  try {
    await cluster.metadata.refresh([topic]);
    const { topicId } = cluster.metadata.topic(topic)!;
    const { leaderEpoch } = cluster.metadata.partition(topic, 0)!;
    const limits = { maxWaitMs: 100, maxBytes: 10_000_000, maxPartitionBytes: 10_000_000 };
    const request = fetchRequest([{ topicId, partition: 0, offset: 0, leaderEpoch }], limits);
    const { partitions } = await cluster.send(cluster.leaderOf(topic, 0)!, "control", request);
    const { data } = partitions[0]!;
    return Array.from(batchesIn(data), ({ start, end }) => ({
      compression: COMPRESSIONS[data.readInt16BE(start + Field.attributes) & Attribute.compression],
      count: data.readInt32BE(start + Field.count),
      bytes: end - start,
    }));
  } finally {
    cluster.close();
  }
}

const SMALL = 100;
/** Together they are too large to be compressed at once. */
const LARGE = 2000;

for (const compression of [undefined, "none", "gzip", "zstd"] as const) {
  Deno.test({
    name:
      `the jobs of a topic with compression ${compression} are stored so, and performed, in small and large batches`,
    ignore: noKafka,
    async fn() {
      const performed: string[] = [];
      class TextJob extends Job {
        static override queue = "texts";
        perform(text: string) {
          performed.push(text);
        }
      }
      const options = { partitions: 1, ...(compression === undefined ? {} : { compression }) };
      const prefix = `c-${crypto.randomUUID().slice(0, 8)}`;
      await using app = new App({
        name: prefix,
        broker: `kafka://${brokers.join(",")}`,
        jobs: [TextJob],
        topics: [activeJobTopic("texts", options)],
        queuePrefix: prefix,
        logger: false,
      });
      await app.applyTopics();
      const texts: string[] = [];
      for (const count of [SMALL, LARGE]) {
        const some = Array.from({ length: count }, (_, n) => `a text that repeats itself, number ${n} of ${count}`);
        texts.push(...some);
        await app.run(() => performAllLater(some.map((text) => TextJob.of(text))));
        await app.flush();
      }
      const batches = await rawBatches(`${prefix}_texts`);
      assertEquals(new Set(batches.map(({ compression }) => compression)), new Set([compression ?? "none"]));
      assertEquals(batches.reduce((sum, { count }) => sum + count, 0), texts.length);
      const bytes = batches.reduce((sum, { bytes }) => sum + bytes, 0) / texts.length;
      assert(compression === "gzip" || compression === "zstd" ? bytes < 100 : bytes > 200, `${bytes} bytes for a job`);
      await app.worker().run(undefined, { once: true });
      assertEquals(performed, texts);
    },
  });
}
