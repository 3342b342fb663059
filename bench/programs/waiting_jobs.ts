/**
 * Jobs that wait, with keys side by side in one partition of the memory broker: `waiting_jobs.ts <jobs> <keys> <concurrency>
 * <durationMs | "random">`. It prints the time that the worker took, the time that the same timers take alone under the same
 * rule, and the least time that any scheduler could take.
 */
import { activeJobTopic, App, Job, type KafkaOptions } from "@activejob/kafka";
import { finish } from "../payload.ts";

const [jobs, keys, concurrency] = Deno.args.slice(0, 3).map(Number) as [number, number, number];
const duration = Deno.args[3]!;

/** Reproducible numbers from 0 to 1. */
function generator(): () => number {
  let state = 1;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}
const random = generator();

/** Key and duration of each job. */
const plan = Array.from({ length: jobs }, () => ({
  key: `key-${Math.floor(random() * keys)}`,
  ms: duration === "random" ? random() * 5 : Number(duration),
}));

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** The timers alone: the first waiting job whose key is free starts as soon as one of the slots is. */
async function alone(): Promise<number> {
  const queues = Map.groupBy(plan, ({ key }) => key);
  const ready = [...queues.values()];
  const startMs = performance.now();
  await Promise.all(Array.from({ length: Math.min(concurrency, ready.length) }, async () => {
    for (let queue = ready.shift(); queue !== undefined; queue = ready.shift()) {
      await wait(queue.shift()!.ms);
      if (queue.length > 0) ready.push(queue);
    }
  }));
  return performance.now() - startMs;
}

/** Start of the first job, end of the last one. A listener of each job's events would cost more than the job (measured). */
let startMs = 0;
let endMs = 0;
let performed = 0;

class WaitJob extends Job {
  static override kafkaOptions: KafkaOptions<WaitJob> = { key: (job) => job.args[0] };
  async perform(_key: string, ms: number): Promise<void> {
    startMs ||= performance.now();
    await wait(ms);
    if (++performed === jobs) endMs = performance.now();
  }
}

async function worker(): Promise<number> {
  await using app = new App({
    name: "bench",
    broker: "memory:",
    jobs: [WaitJob],
    topics: [activeJobTopic("default", { ordering: "key", maxMessages: jobs })],
    concurrency,
    logger: false,
  });
  await app.enqueueAll(plan.map(({ key, ms }) => WaitJob.of(key, ms)));
  await app.flush();
  await app.worker().run(undefined, { once: true });
  return endMs - startMs;
}

const sum = plan.reduce((total, { ms }) => total + ms, 0);
const ofKeys = [...Map.groupBy(plan, ({ key }) => key).values()].map((of) =>
  of.reduce((total, { ms }) => total + ms, 0)
);
const leastMs = Math.max(sum / concurrency, ...ofKeys);
const workerMs = await worker();
const aloneMs = await alone();
finish({ workerMs, aloneMs, leastMs });
