/**
 * The records of a producer that have no outcome yet: calls that wait for their topic, and batches in the queues of
 * partitions.
 */
import type { AppendOptions } from "../../broker.ts";
import type { AppendCall } from "./append_call.ts";
import { appendError, unansweredError } from "./append_errors.ts";
import type { Leaders } from "./leaders.ts";
import type { OutgoingBatch } from "./outgoing_batch.ts";
import type { PartitionQueue } from "./partition_queue.ts";
import { TopicProducer } from "./topic_producer.ts";

/** See the module. */
export class Backlog {
  readonly topics: Map<string, TopicProducer> = new Map();
  /** Queues with batches. */
  readonly active: Set<PartitionQueue> = new Set();
  readonly #leaders: Leaders;

  constructor(leaders: Leaders) {
    this.#leaders = leaders;
  }

  /** Whether each record has its outcome. */
  get isEmpty(): boolean {
    return this.active.size === 0 && [...this.topics.values()].every(({ waiting }) => waiting.length === 0);
  }

  /** Returns the topic of a queue. */
  topicOf({ topic }: PartitionQueue): TopicProducer {
    return this.topics.get(topic)!;
  }

  /** Adds the records of a call. */
  add(name: string, call: AppendCall, compression: AppendOptions["compression"] = "none"): void {
    let topic = this.topics.get(name);
    if (topic === undefined) this.topics.set(name, topic = new TopicProducer(name));
    topic.compression = compression;
    // While nothing is known of the topic, whole calls wait, in their order.
    if (topic.queues.length === 0 || topic.missingSinceMs !== null || topic.waiting.length > 0) {
      topic.waiting.push(call);
    } else this.#place(topic, call);
  }

  /** Puts the calls that wait for a topic into its queues. */
  placeWaiting(topic: TopicProducer): void {
    for (const call of topic.waiting.splice(0)) if (!call.isDone) this.#place(topic, call);
  }

  /**
   * Moves records without a key to partitions that can be reached. A batch that may be written stays, and so do records
   * with a key.
   *
   * @returns whether a record was moved
   */
  moveMovable(queue: PartitionQueue): boolean {
    const topic = this.topicOf(queue);
    if (!topic.queues.some((other) => this.#leaders.canReach(other))) return false;
    let isAnyMoved = false;
    for (const batch of [...queue.batches]) {
      if (batch.movable === 0 || batch.isMaybeWritten) continue;
      const [left, movable] = batch.splitMovable();
      queue.replace(batch, left === null ? [] : [left]);
      for (const other of topic.move(movable, (at) => this.#leaders.canReach(at))) this.active.add(other);
      isAnyMoved = true;
    }
    return isAnyMoved;
  }

  /** The queue is the last one to be sent the next time. */
  putLast(queue: PartitionQueue): void {
    this.active.delete(queue);
    this.active.add(queue);
  }

  /** Notes the last problem, for the error of records that are given up later. */
  noteProblem(problem: string): void {
    for (const { head } of this.active) if (head !== undefined) head.problem = problem;
    for (const { waiting } of this.topics.values()) for (const call of waiting) call.problem = problem;
  }

  /** Gives up everything, since trying again cannot help. A batch in flight gets its own response. */
  refuseAll(cause: Error): void {
    for (const queue of [...this.active]) {
      const batches = queue.inFlight?.connection ? queue.batches.slice(1) : [...queue.batches];
      for (const batch of batches) this.giveUp(queue, batch, cause.message, cause);
    }
    for (const { name, waiting } of this.topics.values()) {
      for (const call of waiting.splice(0)) call.refuse(appendError(name, cause.message, cause));
    }
  }

  /** Gives up everything, since nothing is sent any more. */
  abandon(problem: string): void {
    for (const queue of [...this.active]) {
      for (const batch of [...queue.batches]) {
        this.settle(queue, batch, unansweredError(queue.topic, problem, batch.problem));
      }
    }
    for (const { name, waiting } of this.topics.values()) {
      for (const call of waiting.splice(0)) call.refuse(unansweredError(name, problem, call.problem));
    }
  }

  /** Settles the records of the first batch of a queue, which is in the log. @param baseOffset −1 if it is not known */
  acknowledge(queue: PartitionQueue, batch: OutgoingBatch, baseOffset: number): void {
    const { topic, partition } = queue;
    queue.acknowledgeHead();
    for (const [at, { call, index }] of batch.records.entries()) {
      const offset = baseOffset < 0 ? -1 : baseOffset + at;
      call.settle(index, { ok: true, position: { topic, partition, offset } });
    }
  }

  /** Settles the records of a batch as failed. */
  giveUp(queue: PartitionQueue, batch: OutgoingBatch, problem: string, cause?: unknown): void {
    this.settle(queue, batch, appendError(queue.topic, problem, cause));
  }

  /** Settles the records of a batch as failed, with this error. */
  settle(queue: PartitionQueue, batch: OutgoingBatch, error: Error): void {
    const isHead = batch === queue.head;
    if (isHead && queue.inFlight !== null) {
      // Its response is not heeded any more. A request that still waits for its connection is not sent.
      batch.isMaybeWritten ||= queue.inFlight.connection !== null;
      queue.inFlight = null;
    }
    queue.remove(batch);
    queue.notBeforeMs = 0;
    // Its numbers may be taken: under the next epoch it can arrive no more.
    if (isHead && batch.isStamped && batch.isMaybeWritten) queue.raiseEpoch();
    if (queue.batches.length === 0) this.active.delete(queue);
    const written = batch.isMaybeWritten ? "unknown" : "no";
    for (const { call, index } of batch.records) call.settle(index, { ok: false, error, written });
  }

  #place(topic: TopicProducer, call: AppendCall): void {
    for (const queue of topic.place(call, (at) => this.#leaders.canReach(at))) this.active.add(queue);
  }
}
