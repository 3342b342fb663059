/** `queue_first.ts <queue> <name>`: the time from the start of this process to the end of its first job. */
import { openQueue } from "../queues/queue.ts";
import { finish, nowMs } from "../payload.ts";

const [kind, name] = Deno.args as [string, string];
const queue = await openQueue(kind, name);
await queue.work(() => finish({ firstMs: nowMs() - Number(Deno.env.get("SPAWNED_AT_MS")) }));
