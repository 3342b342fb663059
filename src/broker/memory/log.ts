/**
 * The memory log: topics, partitions and groups of one process. Every broker that is opened over it sees the same records;
 * it lives as long as somebody refers to it, and nothing survives the process.
 *
 * It is also the surface on which tests cause what a real broker does by itself: sessions that expire, records that
 * retention takes, topics that are made anew, a broker that is away.
 */
import { BrokerError, type Written } from "../../errors.ts";
import type { AppendOutcome, Consumer, NewRecord } from "../broker.ts";
import { partitionOfKey } from "../partitioner.ts";
import type { MemoryConsumer } from "./consumer.ts";
import { Group } from "./group.ts";
import { MemoryPartition } from "./partition.ts";
import { copyRecord, DEFAULT_MAX_MESSAGE_BYTES, sizeOf } from "../record.ts";
import {
  notMorePartitionsError,
  outsideOfLogError,
  recordTooLargeError,
  refuseAll,
  unknownPartitionError,
  unknownTopicError,
} from "../refusals.ts";
import { TaskQueue } from "./task_queue.ts";
import type { Position, TopicPartition } from "../../support/position.ts";

/** A topic as it is now. */
export interface MemoryTopic {
  readonly name: string;
  readonly config: ReadonlyMap<string, string>;
  readonly partitions: readonly MemoryPartition[];
}

/** How appends to a topic fail, until told otherwise. */
export interface AppendFault {
  /** What the outcomes say. */
  readonly error: Error;
  /** What the outcomes say about the log. */
  readonly written: Written;
  /** Whether the records are in the log all the same. Only with `written: "unknown"`. @default false */
  readonly stored?: boolean;
}

interface Topic {
  readonly config: Map<string, string>;
  readonly partitions: MemoryPartition[];
  /** Counts the records without a key, which go to each partition in turn. */
  spread: number;
}

/** See the module. */
export class MemoryLog {
  /** The name that is shown, such as `"memory:"`. */
  readonly name: string;
  /** When it acts. */
  readonly tasks: TaskQueue = new TaskQueue();
  readonly #topics = new Map<string, Topic>();
  readonly #groups = new Map<string, Group>();
  readonly #faults = new Map<string, AppendFault>();
  readonly #consumers = new Set<MemoryConsumer>();

  /**
   * An empty log.
   *
   * @param name the name that is shown
   */
  constructor(name = "memory:") {
    this.name = name;
  }

  /** A topic, or `null`. */
  topic(name: string): MemoryTopic | null {
    const topic = this.#topics.get(name);
    return topic === undefined ? null : { name, config: topic.config, partitions: topic.partitions };
  }

  /** A group; it begins to exist when it is asked for. */
  group(name: string): Group {
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = new Group(name, this.tasks, (topic) => this.#topics.get(topic)?.partitions ?? null);
      this.#groups.set(name, group);
    }
    return group;
  }

  /** Makes a topic. One that is there stays as it is. */
  createTopic(name: string, partitions: number, config: Readonly<Record<string, string>> = {}): void {
    if (this.#topics.has(name)) return;
    this.#topics.set(name, {
      config: new Map([["max.message.bytes", String(DEFAULT_MAX_MESSAGE_BYTES)], ...Object.entries(config)]),
      partitions: Array.from({ length: partitions }, () => new MemoryPartition()),
      spread: 0,
    });
    this.#topicChanged(name);
  }

  /**
   * Gives a topic more partitions.
   *
   * @throws {UnknownTopicError} if it does not exist
   * @throws {BrokerError} if it has as many already
   */
  addPartitions(name: string, count: number): void {
    const topic = this.#topics.get(name);
    if (topic === undefined) throw unknownTopicError(name, "add partitions to");
    if (count <= topic.partitions.length) {
      throw notMorePartitionsError(name, count, topic.partitions.length);
    }
    while (topic.partitions.length < count) topic.partitions.push(new MemoryPartition());
    this.#topicChanged(name);
  }

  /** Appends at once: one outcome a record, in order. */
  append(name: string, records: readonly NewRecord[]): AppendOutcome[] {
    const topic = this.#topics.get(name);
    if (topic === undefined) return refuseAll(records, unknownTopicError(name, "append to"), "no");
    const fault = this.#faults.get(name);
    if (fault !== undefined && !fault.stored) return refuseAll(records, fault.error, fault.written);
    const timestampMs = Date.now();
    const outcomes = records.map((record) => appendOne(name, topic, record, timestampMs));
    this.#wake(name);
    return fault === undefined ? outcomes : refuseAll(records, fault.error, fault.written);
  }

  /** Keeps a consumer for {@linkcode goOffline} to find. */
  register(consumer: MemoryConsumer): void {
    this.#consumers.add(consumer);
  }

  /** Lets it go. */
  unregister(consumer: MemoryConsumer): void {
    this.#consumers.delete(consumer);
  }

  // Faults.

  /** Deletes a topic with its records and all that was committed of it. */
  deleteTopic(name: string): void {
    for (const partition of this.#topics.get(name)?.partitions ?? []) partition.discard();
    this.#topics.delete(name);
    for (const group of this.#groups.values()) group.forget(name);
  }

  /** Deletes a topic and makes it anew. */
  recreateTopic(name: string, partitions: number): void {
    this.deleteTopic(name);
    this.createTopic(name, partitions);
  }

  /** Takes away the records before an offset, as retention does. */
  deleteRecords(before: Position): void {
    this.#partition(before).deleteBefore(before.offset);
  }

  /** Uses up offsets that no consumer sees, as aborted transactions do. */
  appendControl(at: TopicPartition, count: number): void {
    this.#partition(at).appendControl(count);
    this.#wake(at.topic);
  }

  /** Lets every append to a topic fail; `null` ends that. */
  failAppends(topic: string, fault: AppendFault | null): void {
    if (fault === null) this.#faults.delete(topic);
    else this.#faults.set(topic, fault);
  }

  /** Ends the ownership of a partition; a new one begins, with the same member unless others have too few. */
  revoke(group: string, at: TopicPartition): void {
    this.group(group).revoke(at);
  }

  /** Another member takes the partition, commits, and leaves again. */
  commitAs(group: string, to: Position, metadata: string): Promise<void> {
    const members = this.group(group);
    return members.intervene(() => members.write(to, metadata));
  }

  /** The consumer's session expires, and it notices at once. */
  expire(consumer: Consumer): void {
    this.block(consumer);
    this.unblock(consumer);
  }

  /** The consumer's process stands still past its session: the others take over, and it has not noticed. */
  block(consumer: Consumer): void {
    this.#consumer(consumer).block();
  }

  /** It goes on, notices, loses everything, and joins again. */
  unblock(consumer: Consumer): void {
    this.#consumer(consumer).unblock();
  }

  /** The consumer fails for good. */
  fail(consumer: Consumer, error: Error): void {
    this.#consumer(consumer).fail(error);
  }

  /** The log cannot be reached: appends and commits wait, sessions run out, nothing is handed over. */
  goOffline(): void {
    this.tasks.leave();
    for (const consumer of this.#consumers) consumer.logLeft();
  }

  /** It can be reached again. */
  goOnline(): void {
    this.tasks.comeBack();
    for (const consumer of this.#consumers) consumer.logCameBack();
  }

  /** The first offset of a partition that is still there. */
  low(at: TopicPartition): number {
    return this.#partition(at).low;
  }

  /** Refuses a position that no group can go on at. */
  assertWithin(at: Position): void {
    const { high } = this.#partition(at);
    if (Number.isSafeInteger(at.offset) && at.offset >= 0 && at.offset <= high) return;
    throw outsideOfLogError(at, high);
  }

  #consumer(consumer: Consumer): MemoryConsumer {
    for (const known of this.#consumers) if (known === consumer) return known;
    throw new BrokerError("Cannot find the consumer: it was closed, or it belongs to another log");
  }

  #partition(at: TopicPartition): MemoryPartition {
    const topic = this.#topics.get(at.topic);
    if (topic === undefined) throw unknownTopicError(at.topic, "find");
    const partition = topic.partitions[at.partition];
    if (partition === undefined) throw unknownPartitionError(at.topic, at.partition, topic.partitions.length);
    return partition;
  }

  #topicChanged(topic: string): void {
    for (const group of this.#groups.values()) group.topicChanged(topic);
  }

  #wake(topic: string): void {
    for (const group of this.#groups.values()) group.wake(topic);
  }
}

function appendOne(name: string, topic: Topic, record: NewRecord, timestampMs: number): AppendOutcome {
  const count = topic.partitions.length;
  const limit = Number(topic.config.get("max.message.bytes"));
  const ready = copyRecord(record, timestampMs);
  const partition = record.partition ??
    (ready.key === null ? topic.spread++ % count : partitionOfKey(ready.key, count));
  const into = topic.partitions[partition];
  if (into === undefined) return { ok: false, error: unknownPartitionError(name, partition, count), written: "no" };
  const bytes = sizeOf(ready);
  if (bytes > limit) return { ok: false, error: recordTooLargeError(name, bytes, limit), written: "no" };
  return { ok: true, position: { topic: name, partition, offset: into.append(ready) } };
}
