/** `queue_enqueue.ts <queue> <name> <jobs>`: enqueues jobs by lists of a thousand. */
import { openQueue } from "../queues/queue.ts";
import { finish } from "../payload.ts";

const [kind, name, count] = Deno.args as [string, string, string];
const jobs = Number(count);
const queue = await openQueue(kind, name);
const startMs = performance.now();
for (let from = 0; from < jobs; from += 1000) {
  await queue.enqueueAll(Array.from({ length: Math.min(1000, jobs - from) }, (_, at) => from + at));
}
finish({ perSecond: jobs / (performance.now() - startMs) * 1000 });
