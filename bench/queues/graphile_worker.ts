/**
 * graphile-worker on the PostgreSQL in `POSTGRES_URL`, in a schema of its own: a local queue of 500 jobs and batched
 * completions, as its performance guide advises.
 */
import { PADDING } from "../payload.ts";
import { type JobQueue, loadPackage } from "./queue.ts";
import { preparePostgres } from "./postgres.ts";

const PACKAGE = "npm:graphile-worker@0.18.0";
const SCHEMA = "activejob_bench_graphile_worker";

/** Opens task `name`. */
export async function open(name: string): Promise<JobQueue> {
  const { Logger, makeWorkerUtils, run } = await loadPackage(PACKAGE);
  const connectionString = Deno.env.get("POSTGRES_URL")!;
  const settings = { connectionString, schema: SCHEMA, logger: new Logger(() => () => {}) };
  const utils = await makeWorkerUtils(settings);
  await utils.migrate();
  const job = (number: number) => ({ identifier: name, payload: [number, PADDING] });
  return {
    enqueue: (number) => utils.addJob(name, [number, PADDING]),
    enqueueAll: (numbers) => utils.addJobs(numbers.map(job)),
    enqueueAllAt: (dueAtMs) => utils.addJobs(dueAtMs.map((due) => ({ ...job(due), runAt: new Date(due) }))),
    async work(performed) {
      await run({
        logger: settings.logger,
        noHandleSignals: true,
        preset: {
          worker: {
            connectionString,
            schema: SCHEMA,
            concurrentJobs: 24,
            maxPoolSize: 10,
            localQueue: { size: 500 },
            completeJobBatchDelay: 0,
            failJobBatchDelay: 0,
          },
        },
        taskList: { [name]: ([number]: [number, string]) => performed(number) },
      });
    },
    prepare: () => preparePostgres(connectionString, SCHEMA),
  };
}
