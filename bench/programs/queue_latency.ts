/**
 * `queue_latency.ts <queue> <name> <jobs a second> <seconds>`: from enqueuing in another process to the start of the
 * job, with enqueuing at random moments, since real requests are not in step with a worker's polling. The process
 * starts the enqueuing one, itself with `--enqueue`, once its worker takes jobs. The first second is not counted.
 */
import { percentile } from "../figures.ts";
import { openQueue } from "../queues/queue.ts";
import { finish, nowMs } from "../payload.ts";

const [kind, name, rate, seconds, mode] = Deno.args as [string, string, string, string, string | undefined];
const perSecond = Number(rate);
const warmUp = perSecond;
const total = warmUp + Math.round(perSecond * Number(seconds));
const queue = await openQueue(kind, name);

if (mode === "--enqueue") await enqueue();
else await perform();

async function perform(): Promise<void> {
  const waits: number[] = [];
  let seen = 0;
  await queue.work((sentMs) => {
    if (++seen > warmUp) waits.push(nowMs() - sentMs);
    if (seen === total) finish({ p50: percentile(waits, 0.5), p99: percentile(waits, 0.99) });
  });
  const args = ["run", "-A", "--no-check", "--unstable-kv", import.meta.filename!, kind, name, rate, seconds];
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [...args, "--enqueue"],
    stdin: "null",
    stdout: "null",
  }).spawn().status;
  if (!success) throw new Error("The process that enqueues has failed");
}

async function enqueue(): Promise<void> {
  const sent: Promise<unknown>[] = [];
  let dueMs = nowMs();
  while (sent.length < total) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - nowMs())));
    for (const atMs = nowMs(); dueMs <= atMs && sent.length < total;) {
      sent.push(queue.enqueue(nowMs()));
      dueMs += -Math.log(1 - Math.random()) * 1000 / perSecond;
    }
  }
  await Promise.all(sent);
  await queue.flush?.();
  Deno.exit(0);
}
