/**
 * A worker in a process of its own, for rows that stand still, stop or kill one: `ledger_worker.ts <settings as JSON>`. Its
 * jobs write to a ledger that all processes share, `start n pid` and `end n pid`; its events are lines of its output,
 * `job.revoked {…}`. TERM stops it.
 */
import { activeJobTopic, App, type EventName, Job } from "../../../../mod.ts";

/** What such a process is told. */
export interface LedgerWorkerSettings {
  /** The Kafka. */
  readonly url: string;
  /** The App's name, and the prefix of its topics. */
  readonly group: string;
  /** The file that jobs write to. */
  readonly ledger: string;
  /** After so many milliseconds without a heartbeat others take over. */
  readonly sessionTimeoutMs: number;
}

/** What a job is told, beside its number. */
export interface LedgerJobOptions {
  /** How long it waits, in milliseconds. */
  readonly waitMs?: number;
  /** How long it blocks the event loop at its very first run, in milliseconds. */
  readonly blockMs?: number;
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
  "error.occurred",
];

let ledger = "";

/** Writes down that it was here. */
export class LedgerJob extends Job {
  async perform(n: number, { waitMs = 0, blockMs = 0 }: LedgerJobOptions = {}): Promise<void> {
    note("start", n);
    if (blockMs > 0 && isFirst(n)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blockMs);
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    note("end", n);
  }
}

function note(what: string, n: number): void {
  Deno.writeTextFileSync(ledger, `${what} ${n} ${Deno.pid}\n`, { append: true });
}

function isFirst(n: number): boolean {
  return Deno.readTextFileSync(ledger).split("\n").filter((line) => line.startsWith(`start ${n} `)).length === 1;
}

async function main({ url, group, sessionTimeoutMs, ...rest }: LedgerWorkerSettings): Promise<void> {
  ledger = rest.ledger;
  await using app = new App({
    name: group,
    broker: url,
    queuePrefix: group,
    jobs: [LedgerJob],
    topics: [activeJobTopic("default")],
    sessionTimeoutMs,
    commitIntervalMs: 50,
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
