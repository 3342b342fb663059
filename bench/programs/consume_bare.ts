/** kafkajs' `eachBatch` (or, with `--each-message`, its `eachMessage`) and `JSON.parse` of each value. */
import { plainKafka } from "../plain_kafka.ts";
import { finish } from "../payload.ts";

const [topic, count, mode] = Deno.args as [string, string, string | undefined];
const expected = Number(count);
let seen = 0;
let startMs = 0;
let sum = 0;

function one(value: { toString(): string } | null): void {
  if (seen === 0) startMs = performance.now();
  sum += JSON.parse(value!.toString()).arguments.length;
  if (++seen === expected) finish({ perSecond: expected / (performance.now() - startMs) * 1000, sum });
}

const consumer = plainKafka().consumer({ groupId: `bare-${crypto.randomUUID()}` });
await consumer.connect();
await consumer.subscribe({ topics: [topic], fromBeginning: true });
await consumer.run(
  mode === "--each-message"
    ? { eachMessage: ({ message }) => Promise.resolve(one(message.value)), partitionsConsumedConcurrently: 4 }
    : {
      eachBatch: ({ batch }) => {
        for (const message of batch.messages) one(message.value);
        return Promise.resolve();
      },
      partitionsConsumedConcurrently: 4,
    },
);
