/**
 * A long backlog in a process of its own, so that its heap can be measured: `deno run --v8-flags=--expose-gc -A backlog.ts
 * <settings as JSON>`. It fills a topic, performs it, and prints one line of JSON, a {@linkcode BacklogReport}.
 */
import { activeJobTopic, App, Job, type Ordering } from "../../../../mod.ts";
import { readBrokerSource } from "../../../../src/broker/source.ts";
import { Monitor } from "../../../../src/monitor/monitor.ts";

/** Its settings. */
export interface BacklogSettings {
  readonly url: string;
  /** The App's name, and its topic. */
  readonly group: string;
  readonly ordering: Ordering;
  readonly jobs: number;
  /** The number of distinct keys. */
  readonly keys: number;
}

/** The result. */
export interface BacklogReport {
  readonly performed: number;
  /** The heap after a garbage collection, at each tenth of the jobs, in bytes. */
  readonly heap: readonly number[];
}

const BATCH = 10_000;

async function main({ url, group, ordering, jobs, keys }: BacklogSettings): Promise<void> {
  const heap: number[] = [];
  let performed = 0;
  class BacklogJob extends Job {
    perform(_n: number) {
      if (++performed % (jobs / 10) !== 0) return;
      (globalThis as unknown as { gc(): void }).gc();
      heap.push(Deno.memoryUsage().heapUsed);
    }
  }
  const topic = activeJobTopic(group, { partitions: 4, ordering });
  await using app = new App({ name: group, broker: url, jobs: [BacklogJob], topics: [topic], logger: false });
  await app.applyTopics();
  await using broker = await readBrokerSource(url).open({ clientId: group, monitor: new Monitor() });
  for (let n = 0; n < jobs; n += BATCH) {
    const records = Array.from({ length: BATCH }, (_, at) => (
      {
        key: `key-${(n + at) % keys}`,
        value: JSON.stringify({ job_class: "BacklogJob", job_id: `${n + at}`, arguments: [n + at] }),
      }
    ));
    const outcomes = await broker.append(group, records);
    if (outcomes.some(({ ok }) => !ok)) throw new Error("a record was not written");
  }
  await app.worker().run(undefined, { once: true });
  console.log(JSON.stringify({ performed, heap } satisfies BacklogReport));
}

if (import.meta.main) await main(JSON.parse(Deno.args[0]!));
