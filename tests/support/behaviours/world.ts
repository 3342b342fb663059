/**
 * The world of one behaviour test: a log, topics and a group that no other test has, and processes over them. It is
 * made for one test on one broker; closing it closes the processes and removes the file.
 */
import { dirname } from "node:path";
import { activeJobTopic, App, type AppOptions } from "../../../mod.ts";
import type { AppendOutcome, Broker, BrokerSource, NewRecord } from "../../../src/broker/broker.ts";
import { FaultInjectionLog } from "../fault_injection_log.ts";
import { readBrokerSource } from "../../../src/broker/source.ts";
import { Monitor } from "../../../src/monitor/monitor.ts";
import { workerMetadata } from "../../../src/broker/kafka/consumer/ownership.ts";
import { decodeCommitMetadata, type Progress } from "../../../src/worker/partition/commit_metadata.ts";
import { AppProcess } from "./app_process.ts";
import { type BrokerUnderTest, KAFKA_URL } from "./brokers.ts";
import { type LogRecord, readTopic } from "./log_reader.ts";
import { until } from "../until.ts";
import type { Position } from "../../../src/support/position.ts";

export { AppProcess } from "./app_process.ts";
export { asString, headersAsStrings, type LogRecord } from "./log_reader.ts";
export { durationMs, until } from "../until.ts";

/** The options of a process. The others have defaults that suit a test. */
export type ProcessOptions = Partial<AppOptions> & Pick<AppOptions, "jobs">;

/** The world of one test. */
export class World {
  /** The name of the broker. */
  readonly brokerName: BrokerUnderTest["name"];
  /** The `broker` option of its processes. */
  readonly source: BrokerSource;
  /** The `broker` option of a child process; `"memory"` if the child must have a log of its own. */
  readonly url: string;
  /** The memory log, which can cause faults; `null` on other brokers. */
  readonly log: FaultInjectionLog | null;
  /** The path of the SQLite file; `null` on other brokers. */
  readonly file: string | null;
  /** The group of its processes, and their name. */
  readonly group: string;
  readonly #processes: AppProcess[] = [];
  readonly #allowed: RegExp[] = [];
  /** A client of the log that belongs to no App. */
  readonly client: Broker;

  private constructor(name: World["brokerName"], place: Place, client: Broker) {
    this.brokerName = name;
    this.group = `behaviour-${crypto.randomUUID().slice(0, 8)}`;
    this.log = place.log ?? null;
    this.file = place.file ?? null;
    this.url = place.url;
    this.source = place.source;
    this.client = client;
  }

  /** Makes a world on a broker. */
  static async open(name: BrokerUnderTest["name"]): Promise<World> {
    const place = placeOn(name);
    return new World(name, place, await place.source.open({ clientId: "behaviour", monitor: new Monitor() }));
  }

  /** Returns the full name of a queue's topic. */
  topic(queue = "default"): string {
    return `${this.group}_${queue}`;
  }

  /**
   * Makes a process: an App over the log of this world, whose topics are created. All processes of a world are in one
   * group.
   *
   * @param options the options of the App. By default it has the topic "default" without a dead letter queue, waits are
   * short, and nothing is logged
   */
  async process(options: ProcessOptions): Promise<AppProcess> {
    const process = this.unprepared(options);
    await process.app.applyTopics();
    return process;
  }

  /** The same, but creates no topics. */
  unprepared(options: ProcessOptions): AppProcess {
    const app = new App({
      name: this.group,
      broker: this.source,
      queuePrefix: this.group,
      topics: [activeJobTopic("default", { partitions: 1 })],
      backoff: { initialMs: 20, maxMs: 500, jitter: 0 },
      commitIntervalMs: 20,
      sessionTimeoutMs: 6000,
      logger: false,
      ...options,
    });
    const process = new AppProcess(app, this.#processes);
    this.#processes.push(process);
    return process;
  }

  /** Returns the records of a queue's topic, or of a dead letter topic, as they are in the log. */
  records(queue = "default"): Promise<LogRecord[]> {
    return readTopic(this.client, this.topic(queue));
  }

  /** Appends records as they are; each must be written. */
  async append(records: readonly NewRecord[], queue = "default"): Promise<Position[]> {
    const outcomes = await this.client.append(this.topic(queue), records, { durability: "durable" });
    return outcomes.map(positionOf);
  }

  /** Returns the commit of the group for a partition; `offset` is `null` for none. */
  async committed(queue = "default", partition = 0): Promise<{ offset: number | null; metadata: string }> {
    const committed = await this.client.admin.committed(this.group, this.topic(queue));
    const found = committed.find((each) => each.partition === partition);
    if (found === undefined) throw new Error(`Topic "${this.topic(queue)}" has no partition ${partition}`);
    return { offset: found.offset, metadata: found.metadata };
  }

  /** Returns the front and the progress that the group has committed for a partition. */
  async progress(queue = "default", partition = 0): Promise<Progress & { readonly front: number }> {
    const { offset, metadata } = await this.committed(queue, partition);
    const front = offset ?? 0;
    return { front, ...decodeCommitMetadata(workerMetadata(metadata), front) };
  }

  /** Waits until the group has committed this offset. */
  async untilCommitted(offset: number, queue = "default", partition = 0): Promise<void> {
    let now: number | null = null;
    await until(
      async () => (now = (await this.committed(queue, partition)).offset) === offset,
      () => `offset ${offset} of ${queue}/${partition} to be committed, but it was ${now}`,
    );
  }

  /** Allows the errors that match one of these patterns, as "where: class: message". */
  allowErrors(...patterns: readonly RegExp[]): void {
    this.#allowed.push(...patterns);
  }

  /** Closes everything. */
  async close(): Promise<void> {
    for (const process of this.#processes) await process.close();
    await this.client[Symbol.asyncDispose]();
    if (this.file !== null) await Deno.remove(dirname(this.file), { recursive: true });
  }

  /** Throws if a process emitted an `error.occurred` that was not allowed. */
  assertNoOtherErrors(): void {
    const errors = this.#processes.flatMap((process) => process.events("error.occurred"))
      .map(({ where, error }) => `${where}: ${error.errorClass}: ${error.message}`)
      .filter((error) => !this.#allowed.some((pattern) => pattern.test(error)));
    if (errors.length > 0) throw new Error(`Unexpected errors occurred:\n${errors.join("\n")}`);
  }
}

/** The place of a world's records. */
interface Place {
  readonly source: BrokerSource;
  readonly url: string;
  readonly log?: FaultInjectionLog;
  readonly file?: string;
}

function placeOn(name: BrokerUnderTest["name"]): Place {
  if (name === "memory") {
    const log = new FaultInjectionLog();
    return { source: log.source, url: "memory", log };
  }
  if (name === "kafka") return { source: readBrokerSource(KAFKA_URL), url: KAFKA_URL };
  const file = `${Deno.makeTempDirSync({ prefix: "behaviour-" })}/jobs.db`;
  const url = `sqlite:${file}`;
  return { source: readBrokerSource(url), url, file };
}

function positionOf(outcome: AppendOutcome): Position {
  if (!outcome.ok) throw outcome.error;
  return outcome.position;
}
