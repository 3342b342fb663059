/**
 * A group under load whose partitions move every second, in a process of its own so that its heap can be measured:
 * `deno run --v8-flags=--expose-gc -A rebalance_load.ts <settings as JSON>`. One worker stays, another one comes and
 * goes. It prints one line of JSON, a {@linkcode LoadReport}.
 */
import { activeJobTopic, App, Job } from "../../../../mod.ts";
import { readBrokerSource } from "../../../../src/broker/source.ts";
import { Monitor } from "../../../../src/monitor/monitor.ts";

/** Its settings. */
export interface LoadSettings {
  /** The broker; `memory:` needs a name, so that the workers share the log. */
  readonly url: string;
  /** The App's name, and its topic. */
  readonly group: string;
  /** The duration if joins and leaves take no time, in seconds. */
  readonly seconds: number;
}

/** The result. */
export interface LoadReport {
  /** The number of acknowledged jobs. */
  readonly enqueued: number;
  /** The number of jobs that were performed and marked, by the events. */
  readonly performed: number;
  /** The number of jobs that never started. */
  readonly missing: number;
  /** The number of runs. */
  readonly runs: number;
  /** The number of revoked runs. */
  readonly revoked: number;
  /** The number of joins and leaves of workers. */
  readonly moves: number;
  /** The time from the last enqueue to the end of the last job, in ms. */
  readonly drainMs: number;
  /** The number of records of all partitions that are not committed at the end. */
  readonly lag: number;
  /** The heap after a garbage collection at a third of the time and at the end, in bytes. */
  readonly heap: readonly [third: number, end: number];
  /** Errors that occurred. */
  readonly errors: readonly string[];
}

const PARTITIONS = 8;
const JOBS_A_SECOND = 300;
const TICK_MS = 20;
const MOVE_MS = 1000;

let runs = new Uint16Array(1024);

class LoadJob extends Job {
  async perform(n: number) {
    if (n >= runs.length) grow();
    runs[n]!++;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function grow(): void {
  const larger = new Uint16Array(runs.length * 2);
  larger.set(runs);
  runs = larger;
}

class Load {
  readonly #settings: LoadSettings;
  readonly #apps: App[] = [];
  readonly #errors: string[] = [];
  #enqueued = 0;
  #performed = 0;
  #revoked = 0;
  #moves = 0;

  constructor(settings: LoadSettings) {
    this.#settings = settings;
  }

  async run(): Promise<LoadReport> {
    const { seconds, url, group } = this.#settings;
    const stays = this.#app();
    await stays.applyTopics();
    const working = stays.worker().run();
    const moves = seconds * 1000 / MOVE_MS;
    const enqueuing = this.#enqueue(stays, () => this.#moves < moves);
    let third = 0;
    while (this.#moves < moves) {
      await this.#comeAndGo();
      if (third === 0 && this.#moves > moves / 3) third = await heapBytes();
    }
    await enqueuing;
    const drainMs = await this.#drained();
    const end = await heapBytes();
    await stays.close();
    await working;
    const client = await readBrokerSource(url).open({ clientId: "load", monitor: new Monitor() });
    const ends = await client.admin.ends(group);
    const committed = await client.admin.committed(group, group);
    const lag = ends.reduce((sum, { high, partition }) => sum + high - (committed[partition]!.offset ?? 0), 0);
    await client[Symbol.asyncDispose]();
    const counts = Array.from(runs.subarray(0, this.#enqueued));
    return {
      enqueued: this.#enqueued,
      performed: this.#performed,
      missing: counts.filter((count) => count === 0).length,
      runs: counts.reduce((sum, count) => sum + count, 0),
      revoked: this.#revoked,
      moves: this.#moves,
      drainMs: Math.round(drainMs),
      lag,
      heap: [third, end],
      errors: this.#errors,
    };
  }

  #app(): App {
    const app = new App({
      name: this.#settings.group,
      broker: this.#settings.url,
      jobs: [LoadJob],
      topics: [activeJobTopic(this.#settings.group, { partitions: PARTITIONS })],
      sessionTimeoutMs: 6000,
      logger: false,
    });
    app.on("job.performed", () => void this.#performed++);
    app.on("job.revoked", () => void this.#revoked++);
    app.on("error.occurred", ({ where, error }) => void this.#errors.push(`${where}: ${error.message}`));
    this.#apps.push(app);
    return app;
  }

  async #enqueue(app: App, goesOn: () => boolean): Promise<void> {
    const startedMs = performance.now();
    const topic = this.#settings.group;
    while (goesOn()) {
      const due = Math.floor((performance.now() - startedMs) / 1000 * JOBS_A_SECOND);
      while (this.#enqueued < due) await app.enqueue(LoadJob.set({ queue: topic }).of(this.#enqueued++));
      await pause(TICK_MS);
    }
    await app.flush();
  }

  /** A worker comes, stays for a second, and leaves; the other one has everything for a second. */
  async #comeAndGo(): Promise<void> {
    const app = this.#app();
    void app.worker().run();
    await pause(MOVE_MS);
    await app.close();
    await pause(MOVE_MS);
    this.#moves += 2;
    this.#apps.splice(this.#apps.indexOf(app), 1);
  }

  async #drained(): Promise<number> {
    const startedMs = performance.now();
    while (this.#performed < this.#enqueued && performance.now() - startedMs < 30_000) await pause(10);
    return performance.now() - startedMs;
  }
}

async function heapBytes(): Promise<number> {
  const { gc } = globalThis as unknown as { gc: () => void };
  // Objects that were closed just now are released by later turns of the event loop.
  for (let n = 0; n < 3; n++) {
    gc();
    await pause(20);
  }
  return Deno.memoryUsage().heapUsed;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (import.meta.main) {
  console.log(JSON.stringify(await new Load(JSON.parse(Deno.args[0]!)).run()));
  Deno.exit(0);
}
