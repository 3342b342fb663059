/** `queue_prepare.ts <queue>`: removes what earlier runs have left on a server, and prints the version of the server. */
import { openQueue } from "../queues/queue.ts";
import { finish } from "../payload.ts";

const queue = await openQueue(Deno.args[0]!, `probe-${crypto.randomUUID()}`);
finish({ version: await queue.prepare!() });
