/** BullMQ on the Redis in `REDIS_URL`: a concurrency of 50 and no finished jobs kept, as its guide advises for speed. */
import { PADDING } from "../payload.ts";
import { type JobQueue, loadPackage } from "./queue.ts";

const PACKAGE = "npm:bullmq@5.81.5";
const PREFIX = "activejob-bench";

/** Opens queue `name`. */
export async function open(name: string): Promise<JobQueue> {
  const { Queue, Worker } = await loadPackage(PACKAGE);
  const settings = {
    connection: { url: Deno.env.get("REDIS_URL"), maxRetriesPerRequest: null },
    prefix: PREFIX,
  };
  const queue = new Queue(name, { ...settings, defaultJobOptions: { removeOnComplete: true } });
  const job = (number: number) => ({ name: "noop", data: [number, PADDING] });
  return {
    enqueue: (number) => queue.add("noop", [number, PADDING]),
    enqueueAll: (numbers) => queue.addBulk(numbers.map(job)),
    enqueueAllAt: (dueAtMs) =>
      queue.addBulk(dueAtMs.map((due) => ({ ...job(due), opts: { delay: due - Date.now() } }))),
    async work(performed) {
      const perform = ({ data }: { data: [number, string] }) => Promise.resolve(performed(data[0]));
      const worker = new Worker(name, perform, { ...settings, concurrency: 50 });
      await worker.waitUntilReady();
    },
    async prepare() {
      const client = await queue.client;
      const keys: string[] = await client.keys(`${PREFIX}:*`);
      if (keys.length > 0) await client.unlink(...keys);
      return /redis_version:(\S+)/.exec(await client.info("server"))![1]!;
    },
  };
}
