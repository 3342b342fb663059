/**
 * Requeues dead letters of a class on the broker in `BROKER_URL`, and marks them: `requeue.ts <letters>`. It prints how many a
 * second, by one call in a fresh process.
 */
import { activeJobTopic, App } from "@activejob/kafka";
import { readBrokerSource } from "../../src/broker/source.ts";
import { Monitor } from "../../src/monitor/monitor.ts";
import { finish, records } from "../payload.ts";
import { NoopJob } from "../workload.ts";

const letters = Number(Deno.args[0]);
const name = `bench-${crypto.randomUUID()}`;
const source = readBrokerSource(Deno.env.get("BROKER_URL")!);
const app = new App({
  name,
  queuePrefix: name,
  broker: source,
  jobs: [NoopJob],
  topics: [activeJobTopic("jobs", { deadLetterQueue: { topic: "dead" } })],
  logger: { level: "warn" },
});
const [topic, dead] = [`${name}_jobs`, `${name}_dead`];
await app.applyTopics();
{
  const bytes = (value: unknown) => new TextEncoder().encode(String(value));
  const headers = Object.entries({
    topic,
    partition: 0,
    offset: 0,
    group: name,
    attempts: 6,
    "error-class": "TypeError",
    "error-message": "Cannot read properties of undefined (reading 'email')",
  }).map(([name, value]) => [`dead-letter-${name}`, bytes(value)] as const);
  await using broker = await source.open({ clientId: "bench", monitor: new Monitor() });
  for (const list of records({ jobs: letters, listBytes: 800_000 })) {
    for (const outcome of await broker.append(dead, list.map((record) => ({ ...record, headers })))) {
      if (!outcome.ok) throw outcome.error;
    }
  }
}
const startMs = performance.now();
const { requeued } = await app.deadLetters().requeue({ jobClass: "NoopJob" });
const ms = performance.now() - startMs;
if (requeued !== letters) throw new Error(`${requeued} of ${letters} were requeued`);
const again = await app.deadLetters().requeue({ all: true });
if (again.refused !== letters) throw new Error(`${again.refused} of ${letters} are marked`);
finish({ perSecond: letters / ms * 1000 });
