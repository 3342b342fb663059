/** `performLater`, not awaited but for one in a thousand, as a loop that does not want to run out of memory does. */
import { benchApp, ENVELOPE_BYTES, finish, NoopJob } from "../workload.ts";

const [topic, count] = Deno.args as [string, string];
const total = Number(count);
const app = benchApp(topic);
const padding = "x".repeat(ENVELOPE_BYTES - 234);
await NoopJob.performLater(0, padding);
await app.flush();

const startMs = performance.now();
for (let index = 1; index <= total; index++) {
  const enqueued = NoopJob.performLater(index, padding);
  if (index % 1000 === 0) await enqueued;
}
await app.flush();
finish({ perSecond: total / (performance.now() - startMs) * 1000 });
