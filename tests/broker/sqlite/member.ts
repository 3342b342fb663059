/** A client of the file with one consumer and a record of its sink's calls, as one process would have them. */
import type { Broker, ConsumeOptions, Consumer } from "../../../src/broker/broker.ts";
import { Recorder } from "../conformance/recorder.ts";
import { openBroker } from "./harness.ts";

/** The limit of each wait, in milliseconds. */
const LIMIT_MS = 10_000;

/** The default topic and group of a member. */
export const TOPIC = "jobs";
export const GROUP = "shop";

/** A client with one consumer. */
export class Member implements AsyncDisposable {
  readonly broker: Broker;
  readonly consumer: Consumer;
  readonly recorder = new Recorder(LIMIT_MS);

  constructor(path: string, options: Partial<ConsumeOptions> = {}, broker: Broker = openBroker(path)) {
    this.broker = broker;
    const defaults = { group: GROUP, topics: [TOPIC], sessionTimeoutMs: 2000, maxFetchBytes: 1_000_000 };
    this.consumer = broker.consume({ ...defaults, ...options }, this.recorder);
  }

  /** Waits until it owns so many partitions. */
  owns(partitions: number): Promise<void> {
    return this.recorder.until(`it owns ${partitions} partitions`, () => this.recorder.live.size === partitions);
  }

  /** Waits until it was handed so many records. */
  received(records: number): Promise<void> {
    return this.recorder.until(`it has ${records} records`, () => this.recorder.received.length === records);
  }

  /** Commits for what it owns of a partition. */
  async commit(next: number, partition = 0): Promise<string> {
    const ownership = this.recorder.own(partition);
    return (await this.consumer.commit([{ ownership, next, metadata: "" }]))[0]!;
  }

  /** Ends; a rule of the broker interface that was broken fails the test. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.broker[Symbol.asyncDispose]();
    const { breaches } = this.recorder;
    if (breaches.length > 0) throw new Error(`Rules were broken: ${breaches.join("; ")}`);
  }
}

/** Makes the topic with a client of its own. */
export async function makeTopic(path: string, partitions = 1, config: Readonly<Record<string, string>> = {}) {
  await using broker = openBroker(path);
  await broker.admin.create([{ name: TOPIC, partitions, config }]);
}

/** Appends so many records with a client of its own; each must be written. */
export async function fill(path: string, records: number, value = "x") {
  await using broker = openBroker(path);
  for (const outcome of await broker.append(TOPIC, Array.from({ length: records }, () => ({ value })))) {
    if (!outcome.ok) throw outcome.error;
  }
}
