/**
 * Load on a cluster, judged from outside: a process that enqueues 100 jobs a second, a process that performs them, and the
 * files in which both write down what happened. The test breaks the cluster meanwhile, and asks for a verdict.
 */
import { formatPartition, type TopicPartition } from "../../../src/support/position.ts";
import { partitionOfKey } from "../../../src/broker/partitioner.ts";
import { Child, type ChildOptions } from "../child.ts";
import { until } from "../until.ts";
import { LineFile } from "./line_file.ts";
import { type EnqueueLine, type LedgerLine, nowMs } from "./load_job.ts";
import type { ProducerSettings } from "./load_producer.ts";
import { idOf, judge, longestDelayMs, longestStandstillMs, type Period, type Verdict } from "./load_verdict.ts";
import type { WorkerSettings } from "./load_worker.ts";
import { MachineMeter } from "../machine_meter.ts";

/** Topics with their numbers of partitions, and who performs. */
export interface LoadOptions {
  readonly brokers: readonly string[];
  readonly group: string;
  readonly topics: Readonly<Record<string, number>>;
  /** Options of the worker's process. */
  readonly worker?: ChildOptions;
  /** Time from a call to the end of its attempts, in milliseconds. @default 60000 */
  readonly deliveryTimeoutMs?: number;
}

const JOBS_A_SECOND = 100;
const KEYS_A_PARTITION = 3;
/** Session of the worker's group, in milliseconds. */
export const SESSION_TIMEOUT_MS = 10_000;
const PATIENCE_MS = 60_000;
const PRODUCER = new URL("load_producer.ts", import.meta.url).pathname;
const WORKER = new URL("load_worker.ts", import.meta.url).pathname;

/** See the module. */
export class Load implements AsyncDisposable {
  readonly producer: Child;
  readonly worker: Child;
  readonly #topics: Readonly<Record<string, number>>;
  readonly #folder: string;
  readonly #outcomes: LineFile<EnqueueLine>;
  readonly #performed: LineFile<LedgerLine>;
  readonly #machine = new MachineMeter();
  readonly #deletedMs = new Map<string, number>();
  #sinceMs = nowMs();
  #untilMs = Infinity;

  /** Starts both processes; resolves once each partition's jobs are performed, and the worker has caught up. */
  static async start(options: LoadOptions): Promise<Load> {
    const load = new Load(options);
    try {
      await load.untilPerforming();
      await load.#untilCaughtUp();
      return load;
    } catch (error) {
      await load[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor({ brokers, group, topics, worker, deliveryTimeoutMs = 60_000 }: LoadOptions) {
    this.#topics = topics;
    this.#folder = Deno.makeTempDirSync({ prefix: "load-" });
    this.#outcomes = new LineFile(`${this.#folder}/outcomes`);
    this.#performed = new LineFile(`${this.#folder}/ledger`);
    const forProducer: ProducerSettings = {
      brokers,
      keys: Object.fromEntries(Object.entries(topics).map(([topic, count]) => [topic, keysFor(topic, count)])),
      jobsASecond: JOBS_A_SECOND,
      outcomes: this.#outcomes.path,
      deliveryTimeoutMs,
    };
    const forWorker: WorkerSettings = {
      brokers,
      group,
      topics: Object.keys(topics),
      ledger: this.#performed.path,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
    };
    this.producer = new Child(["--no-check", PRODUCER, JSON.stringify(forProducer)]);
    this.worker = new Child(["--no-check", WORKER, JSON.stringify(forWorker)], worker);
  }

  /** The jobs that were performed so far, in their order. */
  performed(): readonly LedgerLine[] {
    return this.#performed.read();
  }

  /** The outcomes of the calls so far. */
  outcomes(): readonly EnqueueLine[] {
    return this.#outcomes.read();
  }

  /** Waits until a job is performed in each of these partitions, from now on. */
  async untilPerforming(partitions: readonly TopicPartition[] = this.#partitions()): Promise<void> {
    const missing = new Set(partitions.map(formatPartition));
    let at = this.performed().length;
    const sinceMs = nowMs();
    await until(
      () => {
        const performed = this.performed();
        for (; at < performed.length; at++) {
          if (performed[at]!.atMs > sinceMs) missing.delete(formatPartition(performed[at]!));
        }
        return missing.size === 0;
      },
      () => `nothing is performed in ${[...missing]}:\n${this.worker.lines.slice(-30).join("\n")}`,
      PATIENCE_MS,
    );
  }

  /** Waits until all that is acknowledged now is performed: the worker was started later than the producer, or more slowly. */
  async #untilCaughtUp(): Promise<void> {
    const waiting = new Set(this.outcomes().filter(({ written }) => written === "yes").map(idOf));
    let at = 0;
    await until(
      () => {
        const performed = this.performed();
        for (; at < performed.length; at++) waiting.delete(idOf(performed[at]!));
        return waiting.size === 0;
      },
      () => `${waiting.size} jobs wait`,
      PATIENCE_MS,
    );
  }

  /** A topic was deleted: its jobs up to now went with it. */
  noteDeleted(topic: string): void {
    this.#deletedMs.set(topic, nowMs());
  }

  /** Runs the load on for a while. */
  async run(ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ms));
  }

  /** A fault begins now: times are measured from here. */
  begins(): void {
    this.#machine.restart();
    this.#sinceMs = nowMs();
  }

  /** Times are measured up to here. */
  ends(): void {
    this.#untilMs = nowMs();
    this.#machine[Symbol.dispose]();
  }

  /** Stops the producer, waits until all that was acknowledged is performed, and stops the worker. */
  async finish(): Promise<Verdict> {
    if (this.#untilMs === Infinity) this.ends();
    this.producer.signal("SIGTERM");
    await until(() => this.producer.isOver, () => "the producer does not end", PATIENCE_MS);
    await until(() => this.#countMissing() === 0, () => "", PATIENCE_MS).catch(() => {});
    this.worker.signal("SIGTERM");
    await this.worker.ended();
    return judge(this.outcomes(), this.performed(), this.#countMissing(), this.#sinceMs);
  }

  /** The longest time in which nothing was performed in a partition, in milliseconds. */
  standstillMs(at: TopicPartition): number {
    return longestStandstillMs(this.performed(), at, this.#period);
  }

  /** The longest standstill of any partition of a topic, in milliseconds. */
  worstStandstillMs(topic: string): number {
    return Math.max(...this.#partitions(topic).map((at) => this.standstillMs(at)));
  }

  /** The longest time from a job's acknowledgement to its run in any partition of a topic, in milliseconds. */
  worstDelayMs(topic: string): number {
    const delays = this.#partitions(topic).map((at) =>
      longestDelayMs(this.outcomes(), this.performed(), at, this.#period)
    );
    return Math.max(...delays);
  }

  /** The time that the machine, which may be busy, adds to the bars, in milliseconds. */
  get allowanceMs(): number {
    return this.#machine.allowanceMs;
  }

  /** Fails if a time is above its bar and what the machine adds to it. */
  assertWithin(what: string, ms: number, barMs: number): void {
    this.#machine.assertWithin(what, ms, barMs, () => `:\n${this.worker.lines.join("\n")}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#machine[Symbol.dispose]();
    await this.producer[Symbol.asyncDispose]();
    await this.worker[Symbol.asyncDispose]();
    this.#outcomes.close();
    this.#performed.close();
    await Deno.remove(this.#folder, { recursive: true });
  }

  get #period(): Period {
    return { sinceMs: this.#sinceMs, untilMs: this.#untilMs };
  }

  #partitions(of?: string): TopicPartition[] {
    return Object.entries(this.#topics).filter(([topic]) => of === undefined || of === topic).flatMap(
      ([topic, count]) => Array.from({ length: count }, (_, partition) => ({ topic, partition })),
    );
  }

  /** Number of jobs that were acknowledged and did not run. */
  #countMissing(): number {
    const ran = new Set(this.performed().map(idOf));
    return this.outcomes().filter((line) =>
      line.written === "yes" && line.settledMs > (this.#deletedMs.get(line.topic) ?? 0) && !ran.has(idOf(line))
    ).length;
  }
}

/** Returns keys, the same number for each partition. */
function keysFor(topic: string, partitions: number): string[] {
  const keys = Array.from({ length: partitions }, () => [] as string[]);
  for (let n = 0; keys.some(({ length }) => length < KEYS_A_PARTITION); n++) {
    const ofPartition = keys[partitionOfKey(`${topic}-${n}`, partitions)]!;
    if (ofPartition.length < KEYS_A_PARTITION) ofPartition.push(`${topic}-${n}`);
  }
  return Array.from({ length: KEYS_A_PARTITION }, (_, at) => keys.map((ofPartition) => ofPartition[at]!)).flat();
}
