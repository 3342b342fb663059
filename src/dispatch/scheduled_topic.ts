/**
 * The topic in which delayed jobs wait, as the dispatcher uses it. Its partitions and its policy are read once. While it is
 * missing, or jobs would be lost in it, each delayed job is refused, and the next one looks again.
 */
import type { Broker, NewRecord } from "../broker/broker.ts";
import { partitionOfKey } from "../broker/partitioner.ts";
import { InvalidConfigurationError, UnknownTopicError } from "../errors.ts";
import { reasonNotToSchedule } from "../routing/scheduled_topic.ts";
import { cancellationRecord, type CancelOrder, scheduleRecord } from "./schedule.ts";

/** See the module. */
export class ScheduledTopic {
  /** Its full name. */
  readonly topic: string;
  readonly #broker: () => Promise<Broker>;
  #looking: Promise<void> | undefined;
  /** The number of its partitions, or the reason why no job can wait in it. */
  #state: number | Error = new Error("It was not looked at");

  /** @param broker returns the broker once it is ready */
  constructor(topic: string, broker: () => Promise<Broker>) {
    this.topic = topic;
    this.#broker = broker;
  }

  /** Whether jobs can wait in it, as far as is known. */
  get isReady(): boolean {
    return typeof this.#state === "number";
  }

  /** Looks at the topic, unless it is known already. It never rejects: the calls below throw the error. */
  async look(): Promise<void> {
    await (this.#looking ??= this.#describe().then(
      (partitions) => void (this.#state = partitions),
      (error) => {
        this.#state = error;
        this.#looking = undefined;
      },
    ));
  }

  /**
   * Checks that jobs can wait in it, as far as is known.
   *
   * @throws {UnknownTopicError} if it does not exist
   * @throws {InvalidConfigurationError} if jobs would be lost in it
   */
  assertReady(): void {
    if (typeof this.#state !== "number") throw this.#state;
  }

  /**
   * The number of its partitions.
   *
   * @throws see {@linkcode ScheduledTopic.assertReady}
   */
  get partitions(): number {
    if (typeof this.#state === "number") return this.#state;
    throw this.#state;
  }

  /**
   * Returns the record that lets a job wait. All schedules of a job are in one partition.
   *
   * @param record the record that the job's topic gets when it is due
   * @throws see {@linkcode ScheduledTopic.assertReady}
   */
  scheduleRecord(
    record: NewRecord,
    schedule: { readonly jobId: string; readonly dueAtMs: number; readonly targetTopic: string },
  ): NewRecord {
    return { ...scheduleRecord(record, schedule), partition: partitionOfKey(schedule.jobId, this.partitions) };
  }

  /**
   * Returns the records that cancel a job: one for each partition, since other programs may choose partitions otherwise.
   *
   * @throws see {@linkcode ScheduledTopic.assertReady}
   */
  cancellationRecords(jobId: string, order?: CancelOrder): NewRecord[] {
    const { partitions } = this;
    return Array.from({ length: partitions }, (_, partition) => ({ ...cancellationRecord(jobId, order), partition }));
  }

  async #describe(): Promise<number> {
    const { admin } = await this.#broker();
    const found = (await admin.describe([this.topic])).get(this.topic);
    if (found == null) {
      throw new UnknownTopicError(
        `the broker has no topic "${this.topic}", in which delayed jobs wait; create it with "topics apply"`,
      );
    }
    const reason = reasonNotToSchedule(found.config);
    if (reason !== null) throw new InvalidConfigurationError(`No job can wait in topic "${this.topic}": ${reason}`);
    return found.partitions;
  }
}
