/** `queue_idle.ts <queue> <name> <seconds>`: the share of one core that a worker with nothing to do uses. */
import process from "node:process";
import { openQueue } from "../queues/queue.ts";
import { finish } from "../payload.ts";

const [kind, name, seconds] = Deno.args as [string, string, string];
const queue = await openQueue(kind, name);
await queue.work(() => {});
await new Promise((resolve) => setTimeout(resolve, 2000));
const before = process.cpuUsage();
const startMs = performance.now();
await new Promise((resolve) => setTimeout(resolve, Number(seconds) * 1000));
const { user, system } = process.cpuUsage(before);
finish({ percent: (user + system) / 1000 / (performance.now() - startMs) * 100 });
