/** kafkajs alone, as its users would write it: `send` of JSON, and `eachBatch` with `JSON.parse`. */
import { partitioner, plainKafka } from "../plain_kafka.ts";
import { keyOf, PADDING } from "../payload.ts";
import type { JobQueue } from "./queue.ts";

/** Opens topic `name`. */
export function open(topic: string): Promise<JobQueue> {
  const kafka = plainKafka();
  const producer = kafka.producer({ createPartitioner: partitioner });
  let connected: Promise<void> | undefined;
  const message = (number: number) => ({
    key: keyOf(number),
    value: JSON.stringify({ arguments: [number, PADDING] }),
  });
  const send = async (numbers: readonly number[]) => {
    await (connected ??= producer.connect());
    await producer.send({ topic, messages: numbers.map(message) });
  };
  return Promise.resolve({
    enqueue: (number) => send([number]),
    enqueueAll: send,
    async work(performed) {
      const consumer = kafka.consumer({ groupId: `bare-${crypto.randomUUID()}` });
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      const joined = new Promise<void>((resolve) => consumer.on("consumer.group_join", () => resolve()));
      await consumer.run({
        eachBatch: ({ batch }) => {
          for (const { value } of batch.messages) performed(JSON.parse(value!.toString()).arguments[0]);
          return Promise.resolve();
        },
      });
      await joined;
    },
  });
}
