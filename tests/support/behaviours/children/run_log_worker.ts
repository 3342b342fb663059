/**
 * A worker in a process of its own, for tests that block, suspend, stop or kill it: `run_log_worker.ts <settings as
 * JSON>`. Its jobs write `start n pid` and `end n pid` to the run log, which all processes share. It prints its events
 * as lines such as `job.revoked {…}`. TERM stops it.
 */
import { activeJobTopic, App, type EventName, Job, type Ordering } from "../../../../mod.ts";
import { Patience } from "../../patience.ts";

/** The settings of such a process. */
export interface RunLogWorkerSettings {
  /** The Kafka. */
  readonly url: string;
  /** The App's name, and the prefix of its topics. */
  readonly group: string;
  /** The file that jobs write to. */
  readonly runLog: string;
  /** The session timeout, in ms. */
  readonly sessionTimeoutMs: number;
  /** The order of the jobs. */
  readonly ordering: Ordering;
  /** Whether it takes an operator's orders. */
  readonly control: boolean;
}

/** The second argument of a job, after its number. */
export interface RunLogJobOptions {
  /** The time that it waits, in ms. */
  readonly waitMs?: number;
  /** The time that its first run waits, in ms. */
  readonly firstMs?: number;
  /** Whether its first run blocks the event loop until another process runs it again. */
  readonly blocks?: boolean;
}

const EVENTS: readonly EventName[] = [
  "worker.started",
  "partition.assigned",
  "partition.lost",
  "membership.changed",
  "job.revoked",
  "job.performed",
  "offset.committed",
  "records.expired",
  "topic.recreated",
  "topic.paused",
  "topic.resumed",
  "error.occurred",
];

let runLog = "";

/** Writes its start and end to the run log. */
export class RunLogJob extends Job {
  async perform(n: number, { waitMs = 0, firstMs = 0, blocks = false }: RunLogJobOptions = {}): Promise<void> {
    note("start", n);
    if (firstMs > 0 && isFirst(n)) await new Promise((resolve) => setTimeout(resolve, firstMs));
    const patience = new Patience(60_000);
    while (blocks && isFirst(n) && !patience.isOver) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    note("end", n);
  }
}

function note(what: string, n: number): void {
  Deno.writeTextFileSync(runLog, `${what} ${n} ${Deno.pid}\n`, { append: true });
}

function isFirst(n: number): boolean {
  return Deno.readTextFileSync(runLog).split("\n").filter((line) => line.startsWith(`start ${n} `)).length === 1;
}

async function main({ url, group, sessionTimeoutMs, ordering, control, ...rest }: RunLogWorkerSettings): Promise<void> {
  runLog = rest.runLog;
  await using app = new App({
    name: group,
    broker: url,
    queuePrefix: group,
    jobs: [RunLogJob],
    topics: [activeJobTopic("default", { ordering })],
    concurrency: 100,
    sessionTimeoutMs,
    commitIntervalMs: 50,
    control,
    logger: false,
  });
  for (const name of EVENTS) app.on(name, (event) => console.log(`${name} ${JSON.stringify(event)}`));
  const stop = new AbortController();
  Deno.addSignalListener("SIGTERM", () => stop.abort());
  await app.worker().run(stop.signal);
}

if (import.meta.main) {
  await main(JSON.parse(Deno.args[0]!));
  Deno.exit(0);
}
