/**
 * A worker in a process of its own, which performs what is in a topic and prints its peak memory above that of the started
 * worker: `{ "performed": 400, "deadLettered": 0, "growthBytes": 120000000 }`.
 */
import { activeJobTopic, App, Job } from "@activejob/kafka";

class TextJob extends Job {
  perform(_text: string) {}
}

const [url, name, partitions] = Deno.args as [string, string, string];
await using app = new App({
  name,
  broker: url,
  jobs: [TextJob],
  topics: [
    activeJobTopic(name, {
      partitions: Number(partitions),
      deadLetterQueue: { topic: `${name}-dead`, maxRetries: 0 },
    }),
  ],
  logger: false,
});
let performed = 0;
let deadLettered = 0;
let baseBytes = 0;
let peakBytes = 0;
app.on("worker.started", () => baseBytes = Deno.memoryUsage().rss);
app.on("job.performed", () => void performed++);
app.on("record.dead_lettered", () => void deadLettered++);
const timer = setInterval(() => peakBytes = Math.max(peakBytes, Deno.memoryUsage().rss), 2);
await app.worker().run(undefined, { once: true });
clearInterval(timer);
console.log(JSON.stringify({ performed, deadLettered, growthBytes: peakBytes - baseBytes }));
