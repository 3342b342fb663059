/** Deno KV's queue on a file: enqueues a number of values, a hundred at a time, then consumes them. */
import { finish } from "../workload.ts";

const [path, count] = Deno.args as [string, string];
const total = Number(count);
const kv = await Deno.openKv(path);

const startMs = performance.now();
for (let from = 0; from < total; from += 100) {
  await Promise.all(Array.from({ length: 100 }, (_, at) => kv.enqueue([from + at, "x".repeat(59)])));
}
const enqueuedPerSecond = total / (performance.now() - startMs) * 1000;

let seen = 0;
let firstMs = 0;
await kv.listenQueue(() => {
  if (seen === 0) firstMs = performance.now();
  if (++seen === total) finish({ enqueuedPerSecond, perSecond: total / (performance.now() - firstMs) * 1000 });
});
