/**
 * A worker's jobs a second in backlogs of so many, one topic each, from the assignment to the last job. The process is
 * warm when it begins: it has performed the jobs of topic `warm_up`.
 */
import { finish } from "../payload.ts";
import { benchApp, hooks } from "../workload.ts";

const [backlogs, count] = Deno.args.map(Number) as [number, number];
const topics = Array.from({ length: backlogs }, (_, index) => `backlog_${index}`);
const app = benchApp(["warm_up", ...topics]);
let assignedMs = 0;
let lastMs = 0;
app.on("partition.assigned", () => assignedMs = performance.now());
hooks.performed = () => lastMs = performance.now();

await perform("warm_up");
let spentMs = 0;
for (const topic of topics) spentMs += await perform(topic);
finish({ perSecond: backlogs * count / spentMs * 1000 });

async function perform(topic: string): Promise<number> {
  await app.worker({ topics: [topic] }).run(undefined, { once: true });
  return lastMs - assignedMs;
}
