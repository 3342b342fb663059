/**
 * The process that enqueues in the cluster's tests: `load_producer.ts <settings as JSON>`. It makes 100 calls a second, round
 * robin over the keys and without waiting for any, and writes down how each ends. At TERM it makes no more, waits for the last
 * ones, and ends.
 *
 * Each topic has an App of its own: a broker responds to the requests of a connection in their order, and one that waits for a dead
 * follower would hold up the topics that have none.
 */
import { activeJobTopic, App, kafka } from "../../../mod.ts";
import { type EnqueueLine, LoadJob, nowMs } from "./load_job.ts";

/** Its arguments. */
export interface ProducerSettings {
  readonly brokers: readonly string[];
  /** Keys by topic. */
  readonly keys: Readonly<Record<string, readonly string[]>>;
  readonly jobsASecond: number;
  /** File for the outcomes. */
  readonly outcomes: string;
  readonly deliveryTimeoutMs: number;
}

const TICK_MS = 5;

async function main(settings: ProducerSettings): Promise<void> {
  const apps = new Map(Object.keys(settings.keys).map((topic) => [topic, openApp(topic, settings)]));
  const keys = interleave(
    Object.entries(settings.keys).map(([topic, keys]) => keys.map((key) => ({ topic, key }))),
  );
  const calls: Promise<void>[] = [];
  const write = (line: EnqueueLine) =>
    Deno.writeTextFileSync(settings.outcomes, `${JSON.stringify(line)}\n`, { append: true });
  const enqueue = async (topic: string, key: string, n: number) => {
    const calledMs = nowMs();
    let written: EnqueueLine["written"] = "yes";
    try {
      await LoadJob.set({ queue: topic }).performLater(key, n);
    } catch (error) {
      written = (error as { readonly written?: "no" | "unknown" }).written ?? "unknown";
      console.log(`not acknowledged: ${(error as Error).message}`);
    }
    write({ key, n, topic, written, calledMs, settledMs: nowMs() });
  };
  let isStopped = false;
  Deno.addSignalListener("SIGTERM", () => isStopped = true);
  console.log("enqueuing");
  const startedMs = nowMs();
  for (let count = 0; !isStopped;) {
    for (const due = (nowMs() - startedMs) * settings.jobsASecond / 1000; count < due; count++) {
      const { topic, key } = keys[count % keys.length]!;
      const n = Math.floor(count / keys.length);
      calls.push(apps.get(topic)!.run(() => enqueue(topic, key, n)));
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  await Promise.all(calls);
  await Promise.all(Array.from(apps.values(), (app) => app.close()));
}

function openApp(topic: string, { brokers, deliveryTimeoutMs }: ProducerSettings): App {
  const app = new App({
    name: "load_producer",
    broker: kafka({ brokers, deliveryTimeoutMs }),
    jobs: [LoadJob],
    topics: [activeJobTopic(topic)],
    logger: false,
  });
  app.on("broker.log", ({ message }) => console.log(`broker.log ${message}`));
  return app;
}

/** One of each list, and again. */
function interleave<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, at) => lists.flatMap((list) => list.slice(at, at + 1))).flat();
}

if (import.meta.main) {
  await main(JSON.parse(Deno.args[0]!));
  Deno.exit(0);
}
