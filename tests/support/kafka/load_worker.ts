/**
 * The process that performs in the cluster's tests: `load_worker.ts <settings as JSON>`. Its jobs write to the ledger; its
 * events are lines of its output, `partition.leaderless {…}`. TERM stops it.
 */
import { activeJobTopic, App, type EventName, kafka } from "../../../mod.ts";
import { EVENT_NAMES } from "../../../src/monitor/monitor.ts";
import { ledger, LoadJob } from "./load_job.ts";

/** Its arguments. */
export interface WorkerSettings {
  readonly brokers: readonly string[];
  readonly group: string;
  readonly topics: readonly string[];
  /** File for what is performed. */
  readonly ledger: string;
  readonly sessionTimeoutMs: number;
}

/** Events of every job: there are too many. */
const LEFT_OUT: readonly string[] = ["job.performing", "job.performed", "job.enqueued", "offset.committed"];

async function main(settings: WorkerSettings): Promise<void> {
  ledger.write = (line) => Deno.writeTextFileSync(settings.ledger, `${JSON.stringify(line)}\n`, { append: true });
  await using app = new App({
    name: settings.group,
    broker: kafka({ brokers: settings.brokers }),
    jobs: [LoadJob],
    topics: settings.topics.map((topic) => activeJobTopic(topic)),
    sessionTimeoutMs: settings.sessionTimeoutMs,
    logger: false,
  });
  const startedMs = performance.now();
  for (const name of Object.keys(EVENT_NAMES) as EventName[]) {
    if (LEFT_OUT.includes(name)) continue;
    app.on(name, (event) => {
      const elapsedMs = Math.round(performance.now() - startedMs);
      console.log(`${name} ${JSON.stringify({ ...event, elapsedMs })}`);
    });
  }
  const stop = new AbortController();
  Deno.addSignalListener("SIGTERM", () => stop.abort());
  await app.worker().run(stop.signal);
}

if (import.meta.main) {
  await main(JSON.parse(Deno.args[0]!));
  Deno.exit(0);
}
