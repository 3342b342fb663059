/**
 * From a file to a Kafka: the App of the quickstart, unchanged. Only `BROKER_URL` changes. Run it twice:
 *
 * ```sh
 * deno run -A examples/kafka.ts
 * deno task kafka start
 * BROKER_URL=kafka://127.0.0.1:9092 deno run -A examples/kafka.ts
 * ```
 *
 * A cluster with TLS and SASL takes `broker: kafka({ brokers, ssl, sasl })` in place of the string.
 */
import { app, WelcomeJob } from "./quickstart/app.ts";

console.log(`The broker is ${app.brokerName}`);
// Needed once on a Kafka; the embedded brokers create topics by themselves.
for (const { topic, action } of await app.applyTopics()) console.log(`Topic ${topic}: ${action}`);

const job = await WelcomeJob.performLater(42, "the same on every broker");
console.log(`Enqueued to partition ${job.position!.partition} of ${job.position!.topic}`);

app.on("job.performed", ({ jobId }) => {
  if (jobId === job.jobId) console.log("Performed");
});
await app.worker().run(undefined, { once: true });
await app.close();
