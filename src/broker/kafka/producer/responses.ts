/** The end of a Produce request: each partition is acknowledged, sent again later, or given up, as its code demands. */
import { RecordRefusedError } from "../../../errors.ts";
import { recordTooLargeError } from "../../refusals.ts";
import { Code, ConnectionError, errorName, ProtocolError } from "../wire/errors.ts";
import type { ProduceResponse } from "../wire/produce_request.ts";
import { isHopeless } from "./append_errors.ts";
import type { Backlog } from "./backlog.ts";
import { ACK_TIMEOUT_MS } from "./options.ts";
import type { OutgoingBatch } from "./outgoing_batch.ts";
import type { PartitionQueue } from "./partition_queue.ts";
import { reactionTo } from "./reactions.ts";
import type { TopicRefresh } from "./topic_refresh.ts";

/** See the module. */
export class Responses {
  readonly #backlog: Backlog;
  readonly #topics: TopicRefresh;
  readonly #signal: AbortSignal;
  readonly #changed: () => void;

  /** @param changed called when something else than a response has changed */
  constructor(backlog: Backlog, topics: TopicRefresh, signal: AbortSignal, changed: () => void) {
    this.#backlog = backlog;
    this.#topics = topics;
    this.#signal = signal;
    this.#changed = changed;
  }

  /** The request of these queues has failed. */
  failed(queues: readonly PartitionQueue[], error: unknown): void {
    const isSent = error instanceof ConnectionError && error.isSent;
    this.#topics.invalidate();
    for (const queue of queues) {
      queue.inFlight = null;
      const { head } = queue;
      if (head === undefined || this.#signal.aborted) continue;
      head.isMaybeWritten ||= isSent;
      head.problem = error instanceof Error ? error.message : String(error);
      if (isHopeless(error)) this.#backlog.giveUp(queue, head, head.problem, error);
      else queue.loseLeader();
    }
  }

  /** The request of these queues has its response. */
  received(queues: readonly PartitionQueue[], { partitions }: ProduceResponse): void {
    const waiting = new Map(queues.map((queue) => [`${queue.partition}/${queue.topic}`, queue]));
    for (const { topic, partition, error, baseOffset } of partitions) {
      const key = `${partition}/${topic}`;
      const queue = waiting.get(key);
      if (queue === undefined) continue;
      waiting.delete(key);
      if (performance.now() - queue.inFlight!.sentMs < ACK_TIMEOUT_MS) queue.isLagging = false;
      queue.inFlight = null;
      queue.hasLostLeader = false;
      if (queue.head !== undefined && !this.#signal.aborted) this.#react(queue, queue.head, error, baseOffset);
    }
    // A partition that the response leaves out.
    for (const queue of waiting.values()) {
      queue.inFlight = null;
      if (queue.head === undefined) continue;
      queue.head.isMaybeWritten = true;
      queue.notBeforeMs = performance.now() + queue.head.nextRetryMs();
    }
  }

  #react(queue: PartitionQueue, batch: OutgoingBatch, code: number, baseOffset: number): void {
    if (code === Code.none) return this.#backlog.acknowledge(queue, batch, baseOffset);
    if (code === Code.duplicateSequenceNumber) return this.#backlog.acknowledge(queue, batch, -1);
    const { action, isMaybeWritten } = reactionTo(code);
    batch.problem = errorName(code);
    batch.isMaybeWritten ||= isMaybeWritten;
    switch (action) {
      case "refuse":
        return this.#backlog.giveUp(queue, batch, batch.problem, new ProtocolError("Produce", code));
      case "halve":
        return this.#halve(queue, batch, code);
      case "epoch":
        queue.raiseEpoch();
        break;
      case "lag":
        queue.isLagging = true;
        break;
      case "refresh":
        this.#topics.invalidate();
        return queue.loseLeader();
    }
    queue.notBeforeMs = performance.now() + batch.nextRetryMs();
  }

  /** One record is to blame: the others go out without it. */
  #halve(queue: PartitionQueue, batch: OutgoingBatch, code: number): void {
    const topic = this.#backlog.topicOf(queue);
    // The limit may have been changed.
    topic.limitAskedMs = -Infinity;
    this.#topics.invalidate();
    if (batch.records.length > 1 && !batch.isMaybeWritten) {
      queue.replace(batch, batch.halves());
      return;
    }
    const isTooLarge = code === Code.messageTooLarge || code === Code.recordListTooLarge;
    if (!isTooLarge) {
      const problem = `Cannot append to topic "${queue.topic}": ${batch.problem}`;
      const cause = new ProtocolError("Produce", code);
      return this.#backlog.settle(queue, batch, new RecordRefusedError(problem, { cause }));
    }
    const bytes = batch.bytes.size;
    void this.#topics.askLimit(topic).then(() => {
      if (!queue.batches.includes(batch)) return;
      // A limit that would allow the batch is out of date: the broker has refused it.
      const limit = topic.maxBatchBytes < bytes ? topic.maxBatchBytes : null;
      this.#backlog.settle(queue, batch, recordTooLargeError(queue.topic, bytes, limit));
      this.#changed();
    });
    queue.notBeforeMs = Infinity;
  }
}
