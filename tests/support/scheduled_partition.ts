/**
 * A partition of delayed jobs without a worker: its log is in memory, and the test sees each append, decides its outcome, and
 * hands over what is in the log.
 */
import type { AppendOutcome, Broker, NewRecord, Ownership } from "../../src/broker/broker.ts";
import type { Job } from "../../src/job/job.ts";
import { Monitor } from "../../src/monitor/monitor.ts";
import type { EventMap, EventName } from "../../src/monitor/events.ts";
import type { RecurringDefinition } from "../../src/recurring/definition.ts";
import { ReleaseLimit } from "../../src/scheduler/release_limit.ts";
import { ScheduledPartition } from "../../src/scheduler/scheduled_partition.ts";
import type { Clock } from "../../src/support/clock.ts";
import { WaitGroup } from "../../src/support/wait_group.ts";
import type { GroupContext } from "../../src/worker/partition/context.ts";
import { FaultInjectionLog } from "./fault_injection_log.ts";
import { ManualClock } from "./manual_clock.ts";

/** The topic in which the jobs wait. */
export const SCHEDULED = "scheduled";

/** An append of the partition. */
export interface SeenAppend {
  readonly topic: string;
  readonly record: NewRecord;
  /** Settles it, if it is held. Without an error it is written. */
  settle(error?: Error): void;
}

/** See the module. */
export class PartitionUnderTest implements AsyncDisposable {
  readonly clock: Clock;
  readonly monitor = new Monitor();
  /** Every append, in order. */
  readonly appends: SeenAppend[] = [];
  /** Whether an append waits for `settle`. */
  holds: (topic: string, record: NewRecord) => boolean = () => false;
  /** Called before each read of the log beside the consumer. */
  beforeRead: () => void | Promise<void> = () => {};
  readonly partition: ScheduledPartition;
  readonly #broker: Broker;
  #read = 0;

  private constructor(broker: Broker, clock: Clock, recurring: readonly RecurringDefinition[]) {
    this.clock = clock;
    this.#broker = broker;
    const { admin } = broker;
    const context = {
      topic: SCHEDULED,
      clock,
      maxDelayMs: 1e12,
      monitor: this.monitor,
      admin: {
        ends: admin.ends.bind(admin),
        committed: admin.committed.bind(admin),
        read: async (...args: Parameters<typeof admin.read>) => {
          await this.beforeRead();
          return await admin.read(...args);
        },
      },
      append: (topic: string, record: NewRecord) => this.#append(topic, record),
      findTarget: (topic: string) => topic.startsWith("target") ? { deadLetterTopic: null } : undefined,
      limit: new ReleaseLimit(),
      maxStandstillMs: () => 12 * 3_600_000,
      maxValueBytes: () => 1_000_000,
      recurring: {
        definitions: recurring,
        targetOf: () => ({ jobClass: "NoteJob", topic: "target", record: { value: "{}" } }),
        groupOf: () => "group",
        describe: () => "",
        enqueue: (job: Job) => Promise.resolve(job),
      },
    };
    const ownership: Ownership = {
      id: "1",
      topic: SCHEDULED,
      partition: 0,
      committed: null,
      lost: new AbortController().signal,
    };
    const group: Partial<Record<keyof GroupContext, unknown>> = {
      group: "group",
      consumer: { pause() {}, resume() {} },
      startCondition: { canCommit: () => true },
      committer: { schedule() {}, cancel() {} },
      settling: new WaitGroup(),
    };
    this.partition = new ScheduledPartition(ownership, context, group as GroupContext);
  }

  /** Makes a partition with a log of some records; without one it is ready. */
  static async open(
    clock: Clock = new ManualClock(),
    recurring: readonly RecurringDefinition[] = [],
    records: readonly NewRecord[] = [],
  ): Promise<PartitionUnderTest> {
    const broker = new FaultInjectionLog().open();
    await broker.admin.create([{ name: SCHEDULED, config: { "cleanup.policy": "compact" } }, { name: "target" }]);
    await broker.append(SCHEDULED, records);
    return new PartitionUnderTest(broker, clock, recurring);
  }

  /** Collects the events of a name. */
  events<N extends EventName>(name: N): EventMap[N][] {
    const events: EventMap[N][] = [];
    this.monitor.on(name, (event) => void events.push(event));
    return events;
  }

  /** Writes records to the log, as other programs do. */
  async write(...records: NewRecord[]): Promise<void> {
    await this.#broker.append(SCHEDULED, records);
  }

  /** Hands over what is in the log and was not handed over. */
  async deliver(): Promise<void> {
    const page = await this.#broker.admin.read(SCHEDULED, 0, { from: this.#read, maxBytes: 1_000_000 });
    this.#read = page.next;
    this.partition.add({ records: page.records, next: page.next, highWatermark: page.high });
  }

  /** Passes over what is in the log and was not handed over, as if it was removed before. */
  async passOver(): Promise<void> {
    this.#read = (await this.#broker.admin.read(SCHEDULED, 0, { from: this.#read, maxBytes: 1_000_000 })).next;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.partition.lose("closed");
    await this.#broker[Symbol.asyncDispose]();
  }

  #append(topic: string, record: NewRecord): Promise<AppendOutcome> {
    const { promise, resolve } = Promise.withResolvers<AppendOutcome>();
    const settle = async (error?: Error) => {
      if (error !== undefined) return resolve({ ok: false, error, written: "no" });
      const [outcome] = await this.#broker.append(topic, [record]);
      resolve(outcome!);
    };
    this.appends.push({ topic, record, settle });
    if (!this.holds(topic, record)) void settle();
    return promise;
  }
}
