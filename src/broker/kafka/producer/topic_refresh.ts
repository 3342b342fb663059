/**
 * Keeps the topics of a producer up to date: their partitions and leaders, their limits, and whether they exist. It asks
 * the cluster while something is out of date and records wait, more and more slowly.
 */
import { UnknownTopicError } from "../../../errors.ts";
import { sleep } from "../../../support/deadline.ts";
import type { Cluster } from "../wire/cluster.ts";
import { Code } from "../wire/errors.ts";
import { describeTopicConfigs } from "../wire/requests.ts";
import type { AppendCall } from "./append_call.ts";
import { isHopeless, unansweredError } from "./append_errors.ts";
import type { Backlog } from "./backlog.ts";
import type { ProducerOptions } from "./options.ts";
import type { TopicProducer } from "./topic_producer.ts";

/** Time for which a topic must be missing before its records are refused, in milliseconds: metadata travels. */
const MISSING_MS = 1000;
const FIRST_REFRESH_MS = 50;
/** Time in which a new leader is noticed, while one is looked for. */
const MAX_REFRESH_MS = 250;

/** See the module. */
export class TopicRefresh {
  readonly #cluster: Cluster;
  readonly #backlog: Backlog;
  readonly #options: ProducerOptions;
  readonly #signal: AbortSignal;
  readonly #changed: () => void;
  #isRunning = false;
  #waitMs = FIRST_REFRESH_MS;
  #refreshedMs = -Infinity;

  /** @param changed called after each response */
  constructor(
    cluster: Cluster,
    backlog: Backlog,
    options: ProducerOptions,
    signal: AbortSignal,
    changed: () => void,
  ) {
    this.#cluster = cluster;
    this.#backlog = backlog;
    this.#options = options;
    this.#signal = signal;
    this.#changed = changed;
  }

  /** Whether the last refresh is too long ago, or out of date. */
  isStale(nowMs: number): boolean {
    return nowMs - this.#refreshedMs > this.#options.metadataMaxAgeMs;
  }

  /** The last refresh is out of date: a broker has reported, or shown, that something changed. */
  invalidate(): void {
    this.#refreshedMs = -Infinity;
    this.#cluster.doubt();
  }

  /** Nothing is out of date: the next refresh, whenever it is, follows soon after its cause. */
  resetWait(): void {
    this.#waitMs = FIRST_REFRESH_MS;
  }

  /** Refreshes all topics, unless it is doing so. */
  async run(): Promise<void> {
    if (this.#isRunning || this.#signal.aborted) return;
    this.#isRunning = true;
    if (this.#waitMs > FIRST_REFRESH_MS) this.#cluster.doubt();
    try {
      const askedMs = performance.now();
      await this.#cluster.metadata.refresh(this.#backlog.topics.keys());
      this.#refreshedMs = askedMs;
      for (const topic of this.#backlog.topics.values()) await this.#learn(topic);
    } catch (error) {
      this.#backlog.noteProblem((error as Error).message);
      if (isHopeless(error)) this.#backlog.refuseAll(error);
    }
    this.#changed();
    await sleep(this.#waitMs, this.#signal);
    this.#waitMs = Math.min(this.#waitMs * 2, MAX_REFRESH_MS);
    this.#isRunning = false;
    this.#changed();
  }

  /** Ends calls that wait for their topic in vain. @returns whether the topic must be asked for */
  checkWaiting(topic: TopicProducer, nowMs: number): boolean {
    const { name, missingSinceMs } = topic;
    const isGone = (call: AppendCall): boolean =>
      // Asked for after the call was made: a topic that was created just before it is found.
      missingSinceMs !== null && nowMs - missingSinceMs > MISSING_MS && this.#refreshedMs > call.sinceMs;
    topic.waiting = topic.waiting.filter((call) => {
      if (isGone(call)) {
        call.refuse(new UnknownTopicError(`Cannot append to topic "${name}": it does not exist`));
      } else if (nowMs >= call.endMs) {
        const problem = `the cluster did not answer within ${this.#options.deliveryTimeoutMs} ms`;
        call.refuse(unansweredError(name, problem, call.problem));
      }
      return !call.isDone;
    });
    if (topic.waiting.length > 0) return true;
    // A name that never was a topic: not kept, and not asked for again. One that was has epochs to keep.
    if (missingSinceMs !== null && topic.queues.length === 0) this.#backlog.topics.delete(name);
    return false;
  }

  /** Asks for the largest batch that a topic takes. It never rejects. */
  async askLimit(topic: TopicProducer): Promise<void> {
    topic.limitAskedMs = performance.now();
    try {
      const { resources } = await this.#cluster.ask(describeTopicConfigs([topic.name]));
      const entry = resources[0]?.configEntries.find(({ configName }) => configName === "max.message.bytes");
      const bytes = Number(entry?.configValue);
      if (Number.isSafeInteger(bytes) && bytes > 0) topic.maxBatchBytes = bytes;
    } catch {
      // A right of its own: a client may write to a topic and not read its configuration.
    }
  }

  /** Takes over the state of a topic in the metadata. */
  async #learn(topic: TopicProducer): Promise<void> {
    const known = this.#cluster.metadata.topic(topic.name);
    if (known === undefined) return;
    if (this.#cluster.metadata.isMissing(topic.name)) {
      topic.missingSinceMs ??= performance.now();
      if (performance.now() - topic.missingSinceMs > MISSING_MS) this.#refuseQueued(topic);
      return;
    }
    if (known.error !== Code.none) return;
    // Another log may begin to count from 0: never under an epoch that was used in the old one.
    if (topic.missingSinceMs !== null) {
      for (const queue of topic.queues) if (!queue.head?.isStamped) queue.raiseEpoch();
    }
    topic.missingSinceMs = null;
    topic.setPartitionCount(known.partitions.length);
    if (performance.now() - topic.limitAskedMs > this.#options.metadataMaxAgeMs) await this.askLimit(topic);
    this.#backlog.placeWaiting(topic);
  }

  #refuseQueued(topic: TopicProducer): void {
    for (const queue of topic.queues) {
      if (queue.inFlight !== null) continue;
      for (const batch of [...queue.batches]) this.#backlog.giveUp(queue, batch, "the topic does not exist");
    }
  }
}
