/**
 * `performLater` without awaiting, except every thousandth call, as a loop with bounded memory would do; with `--one`
 * each call is awaited until the record is on the disk. Envelopes have the usual size, or the given number of bytes.
 */
import { ENVELOPE_BYTES, finish, paddingOf } from "../payload.ts";
import { benchApp, NoopJob } from "../workload.ts";

const [topic, count, mode, bytes] = Deno.args as [string, string, string | undefined, string | undefined];
const total = Number(count);
const padding = paddingOf(Number(bytes ?? ENVELOPE_BYTES));
const isOne = mode === "--one";
if (isOne) NoopJob.kafkaOptions = { ...NoopJob.kafkaOptions, dispatchMethod: "produceSync" };
const app = benchApp(topic);
await NoopJob.performLater(0, padding);
await app.flush();

const startMs = performance.now();
for (let index = 1; index <= total; index++) {
  const enqueued = NoopJob.performLater(index, padding);
  if (isOne || index % 1000 === 0) await enqueued;
}
await app.flush();
finish({ perSecond: total / (performance.now() - startMs) * 1000 });
