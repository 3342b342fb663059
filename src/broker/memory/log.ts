/**
 * The memory log: the topics, partitions and groups of one process. Each client that is opened on it sees the same
 * records. It lives as long as there is a reference to it; nothing survives the process.
 */
import type { AppendOutcome, NewRecord } from "../broker.ts";
import { hasCleanupPolicy } from "../cleanup_policy.ts";
import { partitionOfKey } from "../partitioner.ts";
import { copyRecord, DEFAULT_MAX_MESSAGE_BYTES, sizeOf } from "../record.ts";
import {
  keylessError,
  notMorePartitionsError,
  outsideOfLogError,
  recordTooLargeError,
  refuseAll,
  unknownPartitionError,
  unknownTopicError,
} from "../refusals.ts";
import { formatPosition, type Position, type TopicPartition } from "../../support/position.ts";
import { Group } from "./group.ts";
import { MemoryPartition } from "./partition.ts";
import { TaskQueue } from "./task_queue.ts";

/** A topic as it is now. */
export interface MemoryTopic {
  /** Its configuration by Kafka's names. */
  readonly config: ReadonlyMap<string, string>;
  /** Its partitions, by number. */
  readonly partitions: readonly MemoryPartition[];
}

interface Topic {
  readonly config: Map<string, string>;
  readonly partitions: MemoryPartition[];
  /** Counts the records without a key: each one goes to the next partition. */
  keyless: number;
}

/** A log in memory. */
export class MemoryLog {
  /** The name that messages show, such as `"memory:"`. */
  readonly name: string;
  /** The tasks that it runs by itself. */
  readonly tasks: TaskQueue;
  /** The topics by name. */
  protected readonly topics: Map<string, Topic> = new Map();
  /** The groups by name. */
  protected readonly groups: Map<string, Group> = new Map();

  /**
   * Makes an empty log.
   *
   * @param name the name that messages show
   */
  constructor(name = "memory:", tasks: TaskQueue = new TaskQueue()) {
    this.name = name;
    this.tasks = tasks;
  }

  /** Returns a topic; `null` if it does not exist. */
  topic(name: string): MemoryTopic | null {
    return this.topics.get(name) ?? null;
  }

  /** Lists the groups that have committed an offset of a topic. */
  groupsOf(topic: string): string[] {
    const partitions = this.topics.get(topic)?.partitions.length ?? 0;
    const groups = Array.from(this.groups).filter(([, group]) => group.hasCommitted(topic, partitions));
    return groups.map(([name]) => name);
  }

  /** Returns a group. It is made when it is first asked for. */
  group(name: string): Group {
    let group = this.groups.get(name);
    if (group === undefined) this.groups.set(name, group = this.createGroup());
    return group;
  }

  /** Creates a topic. One that exists stays as it is. */
  createTopic(name: string, partitions: number, config: Readonly<Record<string, string>> = {}): void {
    if (this.topics.has(name)) return;
    this.topics.set(name, {
      config: new Map([["max.message.bytes", String(DEFAULT_MAX_MESSAGE_BYTES)], ...Object.entries(config)]),
      partitions: [],
      keyless: this.chooseFirstPartition(partitions),
    });
    this.addPartitions(name, partitions);
  }

  /**
   * Gives a topic more partitions.
   *
   * @param count the new number of partitions
   * @throws {UnknownTopicError} if the topic does not exist
   * @throws {BrokerError} if it has as many partitions already
   */
  addPartitions(name: string, count: number): void {
    const topic = this.topics.get(name);
    if (topic === undefined) throw unknownTopicError(name, "add partitions to");
    if (count <= topic.partitions.length) throw notMorePartitionsError(name, count, topic.partitions.length);
    const isCompacted = hasCleanupPolicy(topic.config, "compact");
    while (topic.partitions.length < count) topic.partitions.push(this.createPartition(isCompacted));
    this.#changeTopic(name);
  }

  /**
   * Appends records, at once.
   *
   * @returns one outcome for each record, in order
   */
  append(name: string, records: readonly NewRecord[]): AppendOutcome[] {
    const topic = this.topics.get(name);
    if (topic === undefined) return refuseAll(records, unknownTopicError(name, "append to"), "no");
    const timestampMs = Date.now();
    const outcomes = records.map((record) => appendOne(name, topic, record, timestampMs));
    this.wake(name);
    return outcomes;
  }

  /**
   * Returns a partition.
   *
   * @throws {UnknownTopicError} if the topic does not exist
   * @throws {BrokerError} if the topic has no such partition
   */
  partition(at: TopicPartition): MemoryPartition {
    const topic = this.topics.get(at.topic);
    if (topic === undefined) throw unknownTopicError(at.topic, "find");
    const partition = topic.partitions[at.partition];
    if (partition === undefined) throw unknownPartitionError(at.topic, at.partition, topic.partitions.length);
    return partition;
  }

  /**
   * Checks that a group can be moved to a position.
   *
   * @param what what was to be done, for the error
   * @throws {BrokerError} if the position lies outside of the partition
   */
  assertContains(position: Position, what: string = `move a group to ${formatPosition(position)}`): void {
    const { high } = this.partition(position);
    const { offset } = position;
    if (!Number.isSafeInteger(offset) || offset < 0 || offset > high) throw outsideOfLogError(what, high);
  }

  /** Makes a group. */
  protected createGroup(): Group {
    return new Group(this.tasks, (topic) => this.topics.get(topic)?.partitions ?? null);
  }

  /** Makes a partition. */
  protected createPartition(isCompacted: boolean): MemoryPartition {
    return new MemoryPartition(isCompacted);
  }

  /**
   * Chooses the partition of the first record without a key: any, so that many short-lived processes do not all begin
   * with the same one.
   */
  protected chooseFirstPartition(partitions: number): number {
    return Math.floor(Math.random() * partitions);
  }

  /** Wakes the consumers of a topic. */
  protected wake(topic: string): void {
    for (const group of this.groups.values()) group.wake(topic);
  }

  #changeTopic(topic: string): void {
    for (const group of this.groups.values()) group.changeTopic(topic);
  }
}

function appendOne(name: string, topic: Topic, record: NewRecord, timestampMs: number): AppendOutcome {
  const count = topic.partitions.length;
  const limit = Number(topic.config.get("max.message.bytes"));
  const copy = copyRecord(record, timestampMs);
  const number = record.partition ??
    (copy.key === null ? topic.keyless++ % count : partitionOfKey(copy.key, count));
  const partition = topic.partitions[number];
  if (partition === undefined) return { ok: false, error: unknownPartitionError(name, number, count), written: "no" };
  if (partition.isCompacted && copy.key === null) return { ok: false, error: keylessError(name), written: "no" };
  const bytes = sizeOf(copy);
  if (bytes > limit) return { ok: false, error: recordTooLargeError(name, bytes, limit), written: "no" };
  return { ok: true, position: { topic: name, partition: number, offset: partition.append(copy) } };
}
