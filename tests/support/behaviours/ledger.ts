/**
 * The test's side of `ledger_worker.ts`: worker processes over one Kafka, the ledger that their jobs write to, and a watch
 * over what the group has committed meanwhile.
 */
import { Child } from "../child.ts";
import type { World } from "./world.ts";
import type { LedgerJobOptions, LedgerWorkerSettings } from "./children/ledger_worker.ts";

const PROGRAM = new URL("children/ledger_worker.ts", import.meta.url).pathname;
const WATCH_MS = 50;

/** A line of the ledger. */
export interface LedgerLine {
  readonly what: "start" | "end";
  readonly n: number;
  readonly pid: number;
}

/** See the module. */
export class Ledger implements AsyncDisposable {
  readonly #world: World;
  readonly #path = Deno.makeTempFileSync({ prefix: "ledger-" });
  readonly #workers: Child[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  /** Starts a worker process, whose session is two seconds. */
  start(): Child {
    const settings: LedgerWorkerSettings = {
      url: this.#world.url,
      group: this.#world.group,
      ledger: this.#path,
      sessionTimeoutMs: 2000,
    };
    const worker = new Child([PROGRAM, JSON.stringify(settings)]);
    this.#workers.push(worker);
    return worker;
  }

  /** What the jobs wrote down so far. */
  lines(): LedgerLine[] {
    return Deno.readTextFileSync(this.#path).split("\n").slice(0, -1).map((line) => {
      const [what, n, pid] = line.split(" ");
      return { what: what as LedgerLine["what"], n: Number(n), pid: Number(pid) };
    });
  }

  /** The numbers of the jobs that ended, once for each time. */
  ended(): number[] {
    return this.lines().filter(({ what }) => what === "end").map(({ n }) => n);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.#workers) await worker[Symbol.asyncDispose]();
    await Deno.remove(this.#path);
  }
}

/** The record of a ledger job. */
export function ledgerRecord(n: number, options: LedgerJobOptions = {}): { partition?: number; value: string } {
  return { value: JSON.stringify({ job_class: "LedgerJob", job_id: `job-${n}`, arguments: [n, options] }) };
}

/** What an event's line says. */
export function eventOf(line: string): Record<string, unknown> {
  return JSON.parse(line.slice(line.indexOf(" ") + 1));
}

/** Looks at what the group has committed every 50 ms, and a last time when it is stopped. */
export class OffsetWatch {
  readonly #seen: number[] = [];
  readonly #stop = Promise.withResolvers<void>();
  readonly #done: Promise<void>;

  constructor(world: World, partition = 0) {
    this.#done = this.#watch(world, partition);
  }

  /** Ends it. @returns the offsets that were seen, one after the other */
  async stop(): Promise<number[]> {
    this.#stop.resolve();
    await this.#done;
    return this.#seen;
  }

  async #watch(world: World, partition: number): Promise<void> {
    let stopped = false;
    void this.#stop.promise.then(() => stopped = true);
    const look = async () => {
      const { offset } = await world.committed("default", partition);
      if (offset !== null && offset !== this.#seen.at(-1)) this.#seen.push(offset);
    };
    while (!stopped) {
      await look();
      let timer: ReturnType<typeof setTimeout> | undefined;
      await Promise.race([new Promise((resolve) => timer = setTimeout(resolve, WATCH_MS)), this.#stop.promise]);
      clearTimeout(timer);
    }
    await look();
  }
}

/** Whether what was committed never fell. */
export function neverFell(offsets: readonly number[]): boolean {
  return offsets.every((offset, index) => index === 0 || offset > offsets[index - 1]!);
}
