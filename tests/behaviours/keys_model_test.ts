/**
 * Keys side by side against a simple model: random keys, durations and failures, and an owner that loses the partition at
 * any moment, without a last commit, as if it had crashed. Also with metadata that is nearly always full.
 */
import { activeJobTopic, App, Job, type KafkaOptions } from "@activejob/kafka";
import { assert, assertEquals } from "@std/assert";
import { FaultInjectionLog } from "../support/fault_injection_log.ts";
import { LimitedBroker } from "../support/limited_broker.ts";
import { Random } from "../support/random.ts";
import { until } from "../support/until.ts";

const PARTITION = { topic: "default", partition: 0 };
const MAX_RETRIES = 2;

/** The fate of one job. */
interface Plan {
  readonly key: string | null;
  /** The number of its runs that fail. */
  readonly failures: number;
  readonly durationMs: number;
}

/** One life of a partition over several ownerships. */
class KeysModel {
  readonly #random: Random;
  readonly #plans: Plan[];
  readonly #log = new FaultInjectionLog();
  readonly #broker: LimitedBroker;
  readonly #app: App;
  /** The ownership during which each job ran, in the order of the starts. */
  readonly #runs: { readonly n: number; readonly owner: number }[] = [];
  readonly #ended = new Set<number>();
  /** The jobs whose end was reported. */
  readonly #reported = new Set<number>();
  /** Those that were reported before a commit that was acknowledged: none of them may run again. */
  readonly #safe = new Set<number>();
  readonly #running = new Map<string, number>();
  #owner = 0;

  constructor(random: Random, maxLength: number) {
    this.#random = random;
    this.#broker = new LimitedBroker(this.#log, maxLength);
    this.#plans = Array.from({ length: 60 }, () => ({
      key: random.chance(0.2) ? null : random.pick(["a", "b", "c", "d", "e"]),
      failures: random.chance(0.2) ? random.integer(1, MAX_RETRIES + 1) : 0,
      durationMs: random.pick([0, 0, 1, 3]),
    }));
    const perform = (n: number, job: Job) => this.#perform(n, job);
    class PlannedJob extends Job {
      static override kafkaOptions: KafkaOptions = { key: (job) => job.args[1] as string | null };
      async perform(n: number, _key: string | null): Promise<void> {
        await perform(n, this);
      }
    }
    this.#app = new App({
      name: "shop",
      broker: this.#broker,
      jobs: [PlannedJob],
      topics: [
        activeJobTopic("default", {
          ordering: "key",
          deadLetterQueue: { topic: "dead", maxRetries: MAX_RETRIES },
          backoff: { initialMs: 1, maxMs: 2, jitter: 0 },
        }),
      ],
      concurrency: random.pick([2, 8, 100]),
      commitIntervalMs: 1,
      logger: false,
    });
    this.#app.on("job.performed", ({ offset }) => void this.#reported.add(offset));
    this.#app.on("record.dead_lettered", ({ offset }) => void this.#ended.add(offset));
    this.#broker.onCommit = () => {
      const reported = [...this.#reported];
      return () => reported.forEach((n) => this.#safe.add(n));
    };
    this.enqueue = () => this.#app.enqueueAll(this.#plans.map(({ key }, n) => PlannedJob.of(n, key)));
  }

  readonly enqueue: () => Promise<unknown>;

  /** Runs everything, with some crashes, and checks what is promised. */
  async run(): Promise<void> {
    await using app = this.#app;
    await this.enqueue();
    await app.flush();
    const run = app.worker({ scheduler: false }).run();
    for (let crashes = this.#random.integer(1, 5); crashes > 0; crashes--) {
      const runs = this.#runs.length + this.#random.integer(1, 25);
      await until(() => this.#runs.length >= runs || this.#isDone(), () => `${this.#runs.length} of ${runs} runs`);
      await new Promise((resolve) => setTimeout(resolve, this.#random.integer(0, 3)));
      this.#crash();
    }
    await until(() => this.#isDone(), () => `${this.#ended.size} jobs ended`);
    const committed = () => this.#log.group("shop").committed(PARTITION)?.offset;
    await until(() => committed() === this.#plans.length, () => `${committed()} is committed`);
    await app.close();
    await run;
    this.#checkOrder();
  }

  async #perform(n: number, job: Job): Promise<void> {
    const { key, failures, durationMs } = this.#plans[n]!;
    const owner = this.#owner;
    assert(!this.#safe.has(n), `job ${n} runs again although its end was committed`);
    this.#runs.push({ n, owner });
    if (key !== null) assert(!this.#running.has(`${owner} ${key}`), `two jobs of ${key} run at once`);
    this.#running.set(`${owner} ${key}`, n);
    if (durationMs > 0) await new Promise((resolve) => setTimeout(resolve, durationMs));
    this.#running.delete(`${owner} ${key}`);
    if (job.attempt <= failures) throw new Error("planned");
    if (owner === this.#owner) this.#ended.add(n);
  }

  #crash(): void {
    this.#owner++;
    this.#log.expire(this.#broker.consumer!);
  }

  #isDone(): boolean {
    return this.#ended.size === this.#plans.length;
  }

  #checkOrder(): void {
    for (const [lane, runs] of Map.groupBy(this.#runs, ({ n, owner }) => `${owner} ${this.#plans[n]!.key}`)) {
      if (lane.endsWith(" null")) continue;
      const order = runs.map(({ n }) => n);
      assertEquals(order, order.toSorted((a, b) => a - b), `the order of ${lane}`);
    }
    // Each ownership begins to count again if the metadata has no space for it.
    const most = (this.#owner + 1) * (MAX_RETRIES + 1);
    for (const [n, runs] of Map.groupBy(this.#runs, ({ n }) => n)) {
      assert(runs.length <= most, `job ${n} ran ${runs.length} times in ${this.#owner + 1} ownerships`);
    }
  }
}

Deno.test("P8: random keys, durations, failures and crashes: per key in order, and nothing that was committed runs again", async () => {
  for (let seed = 0; seed < 40; seed++) {
    await new KeysModel(new Random(seed), 4000).run().catch((error) => {
      throw new Error(`Seed ${seed}: ${error.message}`, { cause: error });
    });
  }
});

Deno.test("P10: the metadata is nearly always full: nothing that was finished and committed runs again, and all goes on", async () => {
  for (const maxLength of [0, 5, 8, 16, 64]) {
    for (let seed = 0; seed < 8; seed++) {
      await new KeysModel(new Random(seed), maxLength).run().catch((error) => {
        throw new Error(`Seed ${seed} with ${maxLength} characters: ${error.message}`, { cause: error });
      });
    }
  }
});
