/**
 * `queue_delays.ts <queue> <name> <jobs a second> <seconds>`: from the time at which a job is due to its start, with a worker
 * that runs already, and due times at random moments. The first second is not counted.
 */
import { percentile } from "../figures.ts";
import { finish, nowMs } from "../payload.ts";
import { openQueue } from "../queues/queue.ts";

const [kind, name, rate, seconds] = Deno.args as [string, string, string, string];
const perSecond = Number(rate);
const total = Math.round(perSecond * (Number(seconds) + 1));
/** The time for enqueuing all of them, in milliseconds. */
const AHEAD_MS = 10_000;

const queue = await openQueue(kind, name);
await queue.create?.();
const waits: number[] = [];
let countedFromMs = Infinity;
let seen = 0;
await queue.work((dueAtMs) => {
  const lateMs = nowMs() - dueAtMs;
  if (dueAtMs >= countedFromMs) waits.push(lateMs);
  if (++seen === total) finish({ p50: percentile(waits, 0.5), p99: percentile(waits, 0.99) });
});
const beganMs = nowMs() + AHEAD_MS;
countedFromMs = beganMs + 1000;
const dueAtMs: number[] = [];
for (let due = beganMs; dueAtMs.length < total;) {
  due += -Math.log(1 - Math.random()) * 1000 / perSecond;
  // Times of a job are whole milliseconds.
  dueAtMs.push(Math.ceil(due));
}
for (let from = 0; from < total; from += 1000) await queue.enqueueAllAt!(dueAtMs.slice(from, from + 1000));
if (nowMs() >= beganMs) throw new Error("Jobs were due before all of them were enqueued");
