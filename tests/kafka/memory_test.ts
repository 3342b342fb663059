/** Memory of a worker whose log is hostile: what is small on the wire and large in memory. Measured in a process of its own. */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import type { NewTopic } from "../../src/broker/broker.ts";
import type { KafkaBroker } from "../../src/broker/kafka/broker.ts";
import { Child } from "../support/child.ts";
import { bareKafka, brokers, noKafka, openKafka } from "../support/kafka/cluster.ts";
import kafkajs from "../support/kafka/kafkajs.ts";

const MB = 1024 * 1024;
/** Twice the default of `maxBufferedBytes`, and space for garbage: on a busy machine V8 collects it late. Unbounded: 1.3 GB. */
const MAX_GROWTH_BYTES = 384 * MB;

function job(text: string): Buffer {
  return Buffer.from(JSON.stringify({ job_class: "TextJob", arguments: [text] }));
}

/** Performs one batch in gzip in a process of its own. */
async function perform(messages: readonly { value: Buffer; headers?: Record<string, string[]> }[], partitions = 1) {
  const name = `memory-${crypto.randomUUID()}`;
  await using broker = openKafka() as KafkaBroker;
  const topics: NewTopic[] = [{ name, partitions }, { name: `${name}-dead`, partitions: 1 }];
  await broker.admin.create(topics);
  const producer = bareKafka().producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  for (let partition = 0; partition < partitions; partition++) {
    const batch = messages.map((message) => ({ ...message, partition }));
    await producer.send({ topic: name, compression: kafkajs.CompressionTypes.GZIP, messages: batch });
  }
  await producer.disconnect();
  const program = new URL("../support/kafka/measured_worker.ts", import.meta.url).pathname;
  await using child = new Child([program, `kafka://${brokers.join(",")}`, name, String(partitions)]);
  const { stdout } = await child.ended();
  return JSON.parse(stdout.at(-1)!) as { performed: number; deadLettered: number; growthBytes: number };
}

function memoryTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: noKafka, fn });
}

memoryTest("400 jobs of 1 MB in a batch of 412 KB are performed in bounded memory", async () => {
  const { performed, deadLettered, growthBytes } = await perform(
    Array(400).fill({ value: job(" ".repeat(1_000_000)) }),
  );
  assertEquals([performed, deadLettered], [400, 0]);
  assert(growthBytes < MAX_GROWTH_BYTES, `It grew by ${growthBytes / MB} MB`);
});

memoryTest("a record of 300 KB that unpacks to 300 MB is dead-lettered, and never held", async () => {
  const bomb = { value: Buffer.alloc(300 * MB, 32) };
  const { performed, deadLettered, growthBytes } = await perform([{ value: job("before") }, bomb, {
    value: job("after"),
  }]);
  assertEquals([performed, deadLettered], [2, 1]);
  assert(growthBytes < MAX_GROWTH_BYTES, `It grew by ${growthBytes / MB} MB`);
});
