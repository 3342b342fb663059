/** kafkajs' `sendBatch` of 1000 ready strings; with `--one`, an awaited `send` of one string each. */
import { partitioner, plainKafka } from "../plain_kafka.ts";
import { envelope, finish, keyOf } from "../payload.ts";

const [topic, count, mode] = Deno.args as [string, string, string | undefined];
const total = Number(count);
const producer = plainKafka().producer({ createPartitioner: partitioner });
await producer.connect();
const size = mode === "--one" ? 1 : 1000;
const ready = Array.from({ length: 1000 }, (_, index) => ({ key: keyOf(index), value: envelope(index) }));
await producer.send({ topic, messages: ready });

const startMs = performance.now();
for (let sent = 0; sent < total; sent += size) {
  if (size === 1) await producer.send({ topic, messages: [ready[sent % 1000]!] });
  else await producer.sendBatch({ topicMessages: [{ topic, messages: ready }] });
}
finish({ perSecond: total / (performance.now() - startMs) * 1000 });
