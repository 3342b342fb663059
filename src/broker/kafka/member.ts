/**
 * One member of a consumer group: a kafkajs consumer, what it says in calls of a handler, and the way to end it, whatever
 * the broker does.
 *
 *     starting ──▶ running ◀──▶ (kafkajs joins again, or starts anew, by itself)
 *        └────────────┴──▶ closing ──▶ closed
 */
import { UnknownTopicError } from "../../errors.ts";
import type { ConsumeOptions } from "../broker.ts";
import { type Claim, stickyAssigner } from "./assigner.ts";
import { type ClientFactory, Connections } from "./client.ts";
import { waitUntilSettled } from "../../support/deadline.ts";
import { type Consumer, type EachBatchPayload, loadKafkaJs, type LogEntry, type PartitionAssigner } from "./kafkajs.ts";
import type { ClusterClient } from "./cluster.ts";
import type { MemberInGeneration } from "./commits.ts";
import { isForbidden, isUnknownTopic } from "./failures.ts";
import type { TopicPartition } from "../../support/position.ts";

/** What hears of a member. No call may throw; all but `batch` return at once. */
export interface MemberHandler {
  /** What the member owns, for the group's leader. */
  claim(): Claim;
  /** A request that keeps the session alive was answered. @param sentAt when it was sent, as `Date.now()` */
  answered(sentAt: number): void;
  /** A heartbeat was answered well. */
  alive(member: MemberInGeneration): void;
  /** Partitions are about to move; what is sent now arrives before. */
  rebalancing(): void;
  /** The new share of the member with this id. */
  joined(partitions: readonly TopicPartition[], memberId: string): void;
  batch(payload: EachBatchPayload): Promise<void>;
  /** Offsets up to `next` hold nothing to hand over. */
  nothing(at: TopicPartition, next: string, highWatermark: string): void;
  /** The log does not have the position; the client goes to its beginning. */
  outOfRange(at: TopicPartition): void;
  /** Fetching goes on after it had failed: the log may have become another one meanwhile. */
  interrupted(): void;
  /** The client has left the group and starts anew. */
  restarting(): void;
  /** It ended for good. */
  crashed(error: Error): void;
}

/** Steering what a member fetches. */
export interface Fetching {
  /** Fetches on from this offset. */
  seek(at: TopicPartition, offset: number): void;
  /** Fetches nothing of a partition until it is resumed. */
  pause(at: TopicPartition): void;
  /** Fetches it again. */
  resume(at: TopicPartition): void;
}

/** How long the broker waits for records before it answers: also how soon a pause is lifted and a rebalance noticed. */
const MAX_WAIT_MS = 250;
/** The share of a close's deadline that is kept for cutting off what does not end by itself. */
const CUT_MS = 1000;
/** How long connections may take to end once the client has disconnected, in milliseconds. */
const FORGOTTEN_MS = 100;
const START_WAIT_MS = 500;
const RETRIES = 60;
/** Partitions whose batches may be handed over side by side. */
const CONCURRENCY = 64;
const OUT_OF_RANGE = "Offset out of range, resetting to default offset";

/** See the module. */
export class Member implements Fetching {
  readonly #clients: ClientFactory;
  readonly #cluster: ClusterClient;
  readonly #options: ConsumeOptions;
  readonly #handler: MemberHandler;
  readonly #connections = new Connections(true);
  readonly #closing = Promise.withResolvers<void>();
  #isClosing = false;
  #consumer: Consumer | null = null;
  readonly #running: Promise<void>;

  constructor(clients: ClientFactory, cluster: ClusterClient, options: ConsumeOptions, handler: MemberHandler) {
    this.#clients = clients;
    this.#cluster = cluster;
    this.#options = options;
    this.#handler = handler;
    this.#running = this.#run().catch((error) => {
      if (!this.#isClosing) handler.crashed(error);
    });
  }

  seek({ topic, partition }: TopicPartition, offset: number): void {
    this.#steer((consumer) => consumer.seek({ topic, partition, offset: String(offset) }));
  }

  pause({ topic, partition }: TopicPartition): void {
    this.#steer((consumer) => consumer.pause([{ topic, partitions: [partition] }]));
  }

  resume({ topic, partition }: TopicPartition): void {
    this.#steer((consumer) => consumer.resume([{ topic, partitions: [partition] }]));
  }

  /** Leaves the group and disconnects, within the deadline. */
  async close(deadlineMs: number): Promise<void> {
    const endMs = performance.now() + deadlineMs;
    const leftMs = () => Math.max(endMs - performance.now() - Math.min(CUT_MS, deadlineMs / 2), 0);
    this.#isClosing = true;
    this.#closing.resolve();
    // While the broker is away there is nobody to take leave of.
    if (!this.#connections.established) this.#connections.cut();
    // Who disconnects in the middle of the first join leaves a member behind that keeps its share until its session ends.
    await waitUntilSettled(this.#running, leftMs());
    const consumer = this.#consumer;
    const isDisconnected = consumer === null || await waitUntilSettled(consumer.disconnect(), leftMs());
    // kafkajs forgets some connections of a broker that was away: they would hold the close up to its deadline.
    await this.#connections.closed(isDisconnected ? FORGOTTEN_MS : Math.max((endMs - performance.now()) / 2, 50));
    // What was cut off is about to notice.
    await waitUntilSettled(this.#running, Math.max(endMs - performance.now(), 50));
  }

  async #run(): Promise<void> {
    await this.#untilTopicsKnown();
    const kafkajs = await loadKafkaJs();
    const kafka = await this.#clients.client({
      connections: this.#connections,
      // A broker that is away for a while is waited for inside: who gives up loses his place in the group.
      retries: RETRIES,
      heard: (entry) => this.#hear(entry),
    });
    if (this.#isClosing) return;
    const { group, topics, sessionTimeoutMs, maxFetchBytes } = this.#options;
    const { heartbeatIntervalMs = Math.ceil(sessionTimeoutMs / 5) } = this.#options;
    const consumer = kafka.consumer({
      groupId: group,
      partitionAssigners: [this.#assigner(kafkajs)],
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: Math.max(sessionTimeoutMs, 10_000),
      heartbeatInterval: heartbeatIntervalMs,
      maxBytesPerPartition: maxFetchBytes,
      maxWaitTimeInMs: MAX_WAIT_MS,
      metadataMaxAge: this.#clients.settings.metadataMaxAgeMs,
      allowAutoTopicCreation: false,
      retry: {
        retries: RETRIES,
        initialRetryTime: 100,
        maxRetryTime: 1000,
        restartOnFailure: (error) => Promise.resolve(!this.#isClosing && !isForbidden(error)),
      },
    });
    this.#listen(consumer);
    this.#consumer = consumer;
    await this.#untilDone(async () => {
      await consumer.connect();
      await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    });
    if (this.#isClosing) return;
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: CONCURRENCY,
      eachBatch: (payload) => this.#handler.batch(payload),
    });
  }

  #steer(how: (consumer: Consumer) => void): void {
    try {
      if (this.#consumer !== null) how(this.#consumer);
    } catch {
      // It is starting anew, and has no group until it has joined: then all of this is set again.
    }
  }

  #assigner(kafkajs: Awaited<ReturnType<typeof loadKafkaJs>>): PartitionAssigner {
    return stickyAssigner({
      kafkajs,
      claim: () => this.#handler.claim(),
      partitionsOf: async (topic) => (await this.#cluster.topic(topic))?.size ?? null,
    });
  }

  #listen(consumer: Consumer): void {
    const { events } = consumer;
    const handler = this.#handler;
    consumer.on(events.REQUEST, ({ payload }) => {
      if (payload.apiName === "Heartbeat" || payload.apiName === "SyncGroup") handler.answered(payload.sentAt);
    });
    consumer.on(events.HEARTBEAT, ({ payload }) => {
      handler.alive({ memberId: payload.memberId, generation: payload.groupGenerationId });
    });
    consumer.on(events.REBALANCING, () => handler.rebalancing());
    consumer.on(events.GROUP_JOIN, ({ payload }) => {
      const share = Object.entries(payload.memberAssignment);
      const partitions = share.flatMap(([topic, list]) => list.map((partition) => ({ topic, partition })));
      handler.joined(partitions, payload.memberId);
    });
    this.#listenToFetches(consumer);
    consumer.on(events.END_BATCH_PROCESS, ({ payload }) => {
      const { topic, partition, lastOffset, highWatermark } = payload;
      // Nothing but control records, aborted or compacted ones: no batch is handed out for them.
      if (payload.batchSize === 0) {
        handler.nothing({ topic, partition }, String(BigInt(lastOffset) + 1n), highWatermark);
      }
    });
    consumer.on(events.CRASH, ({ payload }) => {
      if (payload.restart) handler.restarting();
      else if (!this.#isClosing) handler.crashed(payload.error);
    });
  }

  /**
   * kafkajs recovers from a failed fetch by itself and tells nobody. It shows in a fetch that begins a second time without
   * an answer, or in a connection that was made anew.
   */
  #listenToFetches(consumer: Consumer): void {
    const pending = new Set<number>();
    let failed = false;
    let opened: number | null = null;
    consumer.on(consumer.events.FETCH_START, ({ payload: { nodeId } }) => {
      failed ||= pending.has(nodeId);
      pending.add(nodeId);
    });
    // Comes before what was fetched is handed over.
    consumer.on(consumer.events.FETCH, ({ payload: { nodeId } }) => {
      pending.delete(nodeId);
      if (failed || (opened !== null && opened !== this.#connections.opened)) this.#handler.interrupted();
      failed = false;
      opened = this.#connections.opened;
    });
  }

  /** The one thing that kafkajs tells nobody but its log. */
  #hear({ log }: LogEntry): void {
    if (log.message === OUT_OF_RANGE) this.#handler.outOfRange({ topic: log.topic, partition: log.partition });
  }

  /** kafkajs would ask for eight seconds for a topic that is not there. */
  async #untilTopicsKnown(): Promise<void> {
    await this.#untilDone(async () => {
      for (const topic of this.#options.topics) {
        if (await this.#cluster.topic(topic) === null) {
          throw new UnknownTopicError(`Cannot consume topic "${topic}": it does not exist`);
        }
      }
    });
  }

  /** Tries again while the broker is away. @throws what trying again cannot help */
  async #untilDone(action: () => Promise<void>): Promise<void> {
    while (!this.#isClosing) {
      try {
        return await action();
      } catch (error) {
        if (error instanceof UnknownTopicError || isForbidden(error) || isUnknownTopic(error)) throw error;
        await waitUntilSettled(this.#closing.promise, START_WAIT_MS);
      }
    }
  }
}
