/**
 * Load on a cluster, judged from outside: a process that enqueues 100 jobs a second, a process that performs them, and the
 * files in which both write down what happened. The test breaks the cluster meanwhile, and asks for a verdict.
 */
import { formatPartition, type TopicPartition } from "../../../src/support/position.ts";
import { partitionOfKey } from "../../../src/broker/partitioner.ts";
import { Child, type ChildOptions } from "../child.ts";
import { until } from "../until.ts";
import { type EnqueueLine, type LedgerLine, nowMs } from "./load_job.ts";
import type { ProducerSettings } from "./load_producer.ts";
import type { WorkerSettings } from "./load_worker.ts";

/** Topics with their numbers of partitions, and who performs. */
export interface LoadOptions {
  readonly brokers: readonly string[];
  readonly group: string;
  readonly topics: Readonly<Record<string, number>>;
  /** Options of the worker's process. */
  readonly worker?: ChildOptions;
}

/** Checks that hold for the whole load, whatever happened to the cluster. */
export interface Verdict {
  /** Jobs that were acknowledged and never ran. */
  readonly lost: number;
  /** Jobs that ran for the first time after a later one of their key. */
  readonly outOfOrder: number;
  /** Records that ran more than once. */
  readonly ranTwice: number;
  /** Jobs that are in the log more than once. */
  readonly writtenTwice: number;
  /** Jobs that were reported as not written, and that are in the log. */
  readonly wronglyDenied: number;
  /** Calls that were not acknowledged. */
  readonly notAcknowledged: number;
  /** The longest time from the call to the acknowledgement, in milliseconds. */
  readonly worstAckMs: number;
}

const JOBS_A_SECOND = 100;
const KEYS_A_PARTITION = 3;
/** Session of the worker's group, in milliseconds. */
export const SESSION_TIMEOUT_MS = 10_000;
const PATIENCE_MS = 60_000;
const TICK_MS = 20;
const PRODUCER = new URL("load_producer.ts", import.meta.url).pathname;
const WORKER = new URL("load_worker.ts", import.meta.url).pathname;

/** See the module. */
export class Load implements AsyncDisposable {
  readonly producer: Child;
  readonly worker: Child;
  readonly #options: LoadOptions;
  readonly #folder: string;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #deletedMs = new Map<string, number>();
  #tickMs = performance.now();
  /** The longest time for which the machine let this process wait, in milliseconds. */
  #stallMs = 0;

  /** Starts both processes; resolves once each partition's jobs are performed. */
  static async start(options: LoadOptions): Promise<Load> {
    const load = new Load(options);
    try {
      await load.untilPerforming();
      return load;
    } catch (error) {
      await load[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(options: LoadOptions) {
    const { brokers, topics } = options;
    this.#options = options;
    this.#folder = Deno.makeTempDirSync({ prefix: "load-" });
    for (const file of [this.#outcomes, this.#ledger]) Deno.writeTextFileSync(file, "");
    const producer: ProducerSettings = {
      brokers,
      keys: Object.fromEntries(Object.entries(topics).map(([topic, count]) => [topic, keysFor(topic, count)])),
      jobsASecond: JOBS_A_SECOND,
      outcomes: this.#outcomes,
      deliveryTimeoutMs: 60_000,
    };
    this.producer = new Child(["--no-check", PRODUCER, JSON.stringify(producer)]);
    this.worker = this.startWorker(options.worker);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Starts another process that performs, in the same group. */
  startWorker(options: ChildOptions = {}): Child {
    const { brokers, group, topics } = this.#options;
    const settings: WorkerSettings = {
      brokers,
      group,
      topics: Object.keys(topics),
      ledger: this.#ledger,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
    };
    return new Child(["--no-check", WORKER, JSON.stringify(settings)], options);
  }

  /** The jobs that were performed so far. */
  performed(): LedgerLine[] {
    return readLines(this.#ledger);
  }

  /** The outcomes of the calls so far. */
  outcomes(): EnqueueLine[] {
    return readLines(this.#outcomes);
  }

  /** Waits until a job is performed in each of these partitions, from now on. */
  async untilPerforming(partitions: readonly TopicPartition[] = this.#partitions()): Promise<void> {
    const sinceMs = nowMs();
    const missing = new Set(partitions.map(formatPartition));
    await until(
      () => {
        for (const line of this.performed()) if (line.atMs > sinceMs) missing.delete(formatPartition(line));
        return missing.size === 0;
      },
      () => `nothing is performed in ${[...missing]}:\n${this.worker.lines.slice(-30).join("\n")}`,
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

  /** Stops the producer, waits until all that was acknowledged is performed, and stops the worker. */
  async finish(): Promise<Verdict> {
    this.producer.signal("SIGTERM");
    await until(() => this.producer.isOver, () => "the producer does not end", PATIENCE_MS);
    await until(() => this.#missing().length === 0, () => "", PATIENCE_MS).catch(() => {});
    this.worker.signal("SIGTERM");
    await this.worker.ended();
    return this.#judge();
  }

  /** The longest time in which nothing was performed in a partition, in milliseconds. */
  standstillMs(at: TopicPartition, sinceMs: number, untilMs: number): number {
    const times = firstRuns(this.performed()).filter((line) => formatPartition(line) === formatPartition(at))
      .map(({ atMs }) => atMs).filter((atMs) => atMs > sinceMs && atMs < untilMs);
    return longestGap([sinceMs, ...times, untilMs]);
  }

  /** The longest standstill of any partition of a topic, in milliseconds. */
  worstStandstillMs(topic: string, sinceMs: number, untilMs: number): number {
    const ofTopic = this.#partitions().filter((at) => at.topic === topic);
    return Math.max(...ofTopic.map((at) => this.standstillMs(at, sinceMs, untilMs)));
  }

  /** The longest time from the acknowledgement of a job to its run, in milliseconds. */
  delayMs(at: TopicPartition, sinceMs: number, untilMs: number): number {
    const acked = new Map(this.outcomes().map((line) => [idOf(line), line.settledMs]));
    const delays = firstRuns(this.performed()).filter((line) => formatPartition(line) === formatPartition(at))
      .filter(({ atMs }) => atMs > sinceMs && atMs < untilMs).map((line) =>
        line.atMs - (acked.get(idOf(line)) ?? Infinity)
      );
    return Math.max(0, ...delays);
  }

  /** Fails if a time is above its bar and what the machine, which may be busy, adds to it. */
  assertWithin(what: string, ms: number, barMs: number): void {
    const stallMs = Math.round(this.#stallMs);
    if (!(ms <= barMs + stallMs)) {
      throw new Error(`${what}: ${ms} ms, more than ${barMs} ms (and a stall of ${stallMs} ms)`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.producer[Symbol.asyncDispose]();
    await this.worker[Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }

  #tick(): void {
    const nowMs = performance.now();
    this.#stallMs = Math.max(this.#stallMs, nowMs - this.#tickMs - TICK_MS);
    this.#tickMs = nowMs;
  }

  get #outcomes(): string {
    return `${this.#folder}/outcomes`;
  }

  get #ledger(): string {
    return `${this.#folder}/ledger`;
  }

  #partitions(): TopicPartition[] {
    return Object.entries(this.#options.topics).flatMap(([topic, count]) =>
      Array.from({ length: count }, (_, partition) => ({ topic, partition }))
    );
  }

  #missing(): EnqueueLine[] {
    const ran = new Set(this.performed().map(idOf));
    return this.outcomes().filter((line) =>
      line.written === "yes" && line.settledMs > (this.#deletedMs.get(line.topic) ?? 0) && !ran.has(idOf(line))
    );
  }

  #judge(): Verdict {
    const performed = this.performed();
    const outcomes = this.outcomes();
    const first = firstRuns(performed);
    const latest = new Map<string, number>();
    let outOfOrder = 0;
    for (const { topic, key, n } of first) {
      const id = `${topic} ${key}`;
      if (n < (latest.get(id) ?? -1)) outOfOrder++;
      else latest.set(id, n);
    }
    const ran = new Set(first.map(idOf));
    // With the job's number: a topic that is created again counts from 0 again.
    const records = new Set(performed.map((line) => `${idOf(line)} ${line.partition}@${line.offset}`));
    const acknowledged = outcomes.filter(({ written }) => written === "yes");
    return {
      lost: this.#missing().length,
      outOfOrder,
      ranTwice: performed.length - records.size,
      writtenTwice: records.size - first.length,
      wronglyDenied: outcomes.filter((line) => line.written === "no" && ran.has(idOf(line))).length,
      notAcknowledged: outcomes.length - acknowledged.length,
      worstAckMs: Math.round(Math.max(0, ...acknowledged.map(({ calledMs, settledMs }) => settledMs - calledMs))),
    };
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

function idOf({ topic, key, n }: { readonly topic: string; readonly key: string; readonly n: number }): string {
  return `${topic} ${key} ${n}`;
}

function firstRuns(performed: readonly LedgerLine[]): LedgerLine[] {
  const seen = new Set<string>();
  return performed.filter((line) => {
    const id = idOf(line);
    if (seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}

function longestGap(times: readonly number[]): number {
  return Math.round(Math.max(...times.slice(1).map((time, at) => time - times[at]!)));
}

function readLines<T>(file: string): T[] {
  return Deno.readTextFileSync(file).split("\n").slice(0, -1).map((line) => JSON.parse(line) as T);
}
