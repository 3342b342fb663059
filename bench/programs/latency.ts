/**
 * Latency from enqueuing to the start of the job in one process: ours, or with `--bare` that of kafkajs' `send` and
 * `eachBatch`.
 */
import { partitioner, plainKafka } from "../plain_kafka.ts";
import { benchApp, finish, hooks, NoopJob, percentile } from "../workload.ts";

const [topic, rate, seconds, mode] = Deno.args as [string, string, string, string | undefined];
const perSecond = Number(rate);
const total = perSecond * Number(seconds);
const WARM_UP = perSecond;
const sentMs = new Map<number, number>();
const waits: number[] = [];

function arrived(index: number): void {
  if (index >= WARM_UP) waits.push(performance.now() - sentMs.get(index)!);
  if (index === total + WARM_UP - 1) finish({ p50: percentile(waits, 0.5), p99: percentile(waits, 0.99) });
}

let send: (index: number) => unknown;
if (mode === "--bare") {
  const kafka = plainKafka();
  const consumer = kafka.consumer({ groupId: `bare-${crypto.randomUUID()}` });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const joined = new Promise<void>((resolve) => consumer.on("consumer.group_join", () => resolve()));
  await consumer.run({
    eachBatch: ({ batch }) => {
      for (const { value } of batch.messages) arrived(JSON.parse(value!.toString()).arguments[0]);
      return Promise.resolve();
    },
  });
  const producer = kafka.producer({ createPartitioner: partitioner });
  await producer.connect();
  await joined;
  send = (index) =>
    producer.send({ topic, messages: [{ key: `key-${index}`, value: JSON.stringify({ arguments: [index] }) }] });
} else {
  const app = benchApp(topic);
  const started = new Promise<void>((resolve) => app.on("worker.started", () => resolve()));
  hooks.performed = arrived;
  void app.worker().run();
  await started;
  send = (index) => NoopJob.performLater(index, "");
}

const startMs = performance.now();
let next = 0;
const timer = setInterval(() => {
  const due = Math.min(total + WARM_UP, Math.floor((performance.now() - startMs) / 1000 * perSecond));
  while (next < due) {
    sentMs.set(next, performance.now());
    void send(next++);
  }
  if (next === total + WARM_UP) clearInterval(timer);
}, Math.max(1, 1000 / perSecond));
