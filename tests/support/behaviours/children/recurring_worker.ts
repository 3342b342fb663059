/**
 * A worker with a recurring job in a process of its own, for a test that kills it: `recurring_worker.ts <settings as JSON>`. The
 * job recurs each second. It prints its events as lines such as `recurring.enqueued {…}`. TERM stops it.
 */
import { activeJobTopic, App, type EventName, Job } from "../../../../mod.ts";
import { every } from "../../../../src/recurring/mod.ts";

/** The settings of such a process. */
export interface RecurringWorkerSettings {
  /** The broker. */
  readonly url: string;
  /** The App's name, and the prefix of its topics. */
  readonly group: string;
  /** The session timeout, in ms. */
  readonly sessionTimeoutMs: number;
}

const EVENTS: readonly EventName[] = ["worker.started", "recurring.enqueued", "error.occurred"];

/** A job that does nothing. */
class TickJob extends Job {
  perform(): void {}
}

async function main({ url, group, sessionTimeoutMs }: RecurringWorkerSettings): Promise<void> {
  await using app = new App({
    name: group,
    broker: url,
    queuePrefix: group,
    jobs: [TickJob],
    topics: [activeJobTopic("default", { partitions: 1 })],
    recurring: [every({ seconds: 1 }, TickJob.of(), { id: "tick" })],
    sessionTimeoutMs,
    commitIntervalMs: 50,
    logger: false,
  });
  for (const name of EVENTS) app.on(name, (event) => console.log(`${name} ${JSON.stringify(event)}`));
  const stop = new AbortController();
  Deno.addSignalListener("SIGTERM", () => stop.abort());
  await app.worker({ createTopics: true }).run(stop.signal);
}

if (import.meta.main) {
  await main(JSON.parse(Deno.args[0]!));
  Deno.exit(0);
}
