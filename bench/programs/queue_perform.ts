/** `queue_perform.ts <queue> <name> <jobs>`: performs jobs that are enqueued already; the time runs from the first one. */
import { openQueue } from "../queues/queue.ts";
import { finish } from "../payload.ts";

const [kind, name, count] = Deno.args as [string, string, string];
const jobs = Number(count);
let startMs = 0;
let seen = 0;
const queue = await openQueue(kind, name);
await queue.work(() => {
  if (seen === 0) startMs = performance.now();
  if (++seen === jobs) finish({ perSecond: jobs / (performance.now() - startMs) * 1000 });
});
