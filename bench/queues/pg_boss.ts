/**
 * pg-boss on the PostgreSQL in `POSTGRES_URL`, in a schema of its own: batches of 1000 jobs, fetched without a pause
 * while they are full, and the shortest interval of its polling, half a second.
 */
import { PADDING } from "../payload.ts";
import { type JobQueue, loadPackage } from "./queue.ts";
import { preparePostgres } from "./postgres.ts";

const PACKAGE = "npm:pg-boss@12.38.0";
const SCHEMA = "activejob_bench_pg_boss";

/** Opens queue `name`. */
export async function open(name: string): Promise<JobQueue> {
  const { PgBoss } = await loadPackage(PACKAGE);
  const connectionString = Deno.env.get("POSTGRES_URL")!;
  const boss = new PgBoss({ connectionString, schema: SCHEMA });
  boss.on("error", (error: Error) => console.error(error));
  await boss.start();
  await boss.createQueue(name);
  const job = (number: number) => ({ data: [number, PADDING] });
  return {
    enqueue: (number) => boss.send(name, [number, PADDING]),
    enqueueAll: (numbers) => boss.insert(name, numbers.map(job)),
    enqueueAllAt: (dueAtMs) => boss.insert(name, dueAtMs.map((due) => ({ ...job(due), startAfter: new Date(due) }))),
    async work(performed) {
      const options = { batchSize: 1000, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 };
      await boss.work(name, options, (jobs: readonly { data: [number, string] }[]) => {
        for (const { data } of jobs) performed(data[0]);
        return Promise.resolve();
      });
    },
    async prepare() {
      await boss.stop({ graceful: false });
      return await preparePostgres(connectionString, SCHEMA);
    },
  };
}
