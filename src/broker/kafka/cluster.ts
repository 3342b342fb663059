/**
 * Questions to the cluster: which partitions a topic has, what a group has committed, where a log begins and ends. On
 * kafkajs' inner `Cluster`, since its administrator remembers every topic that it was ever asked for, and one of them that
 * is missing then spoils all later answers. It connects when it is first asked, and anew after a lost connection.
 */
import { BrokerError, UnknownTopicError } from "../../errors.ts";
import { type ClientFactory, Connections, holding } from "./client.ts";
import { waitUntilSettled } from "../../support/deadline.ts";
import { loadCluster } from "./kafkajs.ts";
import type { RawBroker, RawCluster } from "./raw_cluster.ts";
import { brokerError, isForbidden, isUnknownTopic, protocolError } from "./failures.ts";
import type { TopicPartition } from "../../support/position.ts";

/** What a group has committed for a partition. */
export interface Committed {
  readonly offset: number;
  readonly metadata: string;
}

const ATTEMPTS = 4;
const RETRY_MS = 200;
const CLOSE_MS = 1000;
const TOPIC_RESOURCE = 2;
const LATEST = -1;
const EARLIEST = -2;
/** A simple consumer's: it commits for a group that has no members. */
const NO_GENERATION = -1;

/** See the module. */
export class ClusterClient {
  readonly #clients: ClientFactory;
  readonly #connections = new Connections(false);
  #cluster: Promise<RawCluster> | null = null;
  readonly #pending = new Set<Promise<unknown>>();
  readonly #closing = Promise.withResolvers<void>();
  #closed = false;

  constructor(clients: ClientFactory) {
    this.#clients = clients;
  }

  /**
   * Connects.
   *
   * @throws {BrokerError} if no broker answers, or if they refuse the client
   */
  async connect(): Promise<void> {
    await this.#ask("reach Kafka", (cluster) => cluster.brokerPool.findConnectedBroker());
  }

  /** The leader of each partition of a topic, or `null` if the topic does not exist. */
  topic(name: string): Promise<ReadonlyMap<number, number> | null> {
    return this.#ask(`ask for topic "${name}"`, async (cluster) => {
      const broker = await cluster.brokerPool.findConnectedBroker();
      try {
        const { topicMetadata } = await broker.metadata([name]);
        const partitions = topicMetadata[0]?.partitionMetadata ?? [];
        return new Map(partitions.map(({ partitionId, leader }) => [partitionId, leader]));
      } catch (error) {
        if (isUnknownTopic(error)) return null;
        throw error;
      }
    });
  }

  /** A topic's configuration, defaults included. */
  config(topic: string): Promise<ReadonlyMap<string, string>> {
    return this.#ask(`ask for the configuration of topic "${topic}"`, async (cluster) => {
      const broker = await cluster.brokerPool.findConnectedBroker();
      const { resources } = await broker.describeConfigs({ resources: [{ type: TOPIC_RESOURCE, name: topic }] });
      const entries = resources[0]?.configEntries ?? [];
      return new Map(entries.map(({ configName, configValue }) => [configName, configValue ?? ""]));
    });
  }

  /**
   * Where the logs of a topic begin and end.
   *
   * @throws {UnknownTopicError} if the topic does not exist
   */
  async ends(topic: string): Promise<{ partition: number; low: number; high: number }[]> {
    const leaders = await this.topic(topic);
    if (leaders === null) throw new UnknownTopicError(`Cannot look at topic "${topic}": it does not exist`);
    return await this.#ask(`look at topic "${topic}"`, async (cluster) => {
      const [low, high] = await Promise.all([
        offsets(cluster, topic, leaders, EARLIEST),
        offsets(cluster, topic, leaders, LATEST),
      ]);
      const partitions = [...leaders.keys()].sort((a, b) => a - b);
      return partitions.map((partition) => ({ partition, low: low.get(partition)!, high: high.get(partition)! }));
    });
  }

  /**
   * What a group has committed.
   *
   * @returns one entry a partition, in their order; `null` where nothing is committed
   */
  committed(group: string, partitions: readonly TopicPartition[]): Promise<(Committed | null)[]> {
    return this.#ask(`ask for the offsets of group "${group}"`, async (cluster) => {
      if (partitions.length === 0) return [];
      const coordinator = await cluster.findGroupCoordinator({ groupId: group });
      const { responses } = await coordinator.offsetFetch({
        groupId: group,
        topics: byTopic(partitions, ({ partition }) => ({ partition })),
      });
      const found = new Map(
        responses.flatMap(({ topic, partitions }) =>
          partitions.map(({ partition, offset, metadata }) =>
            [`${partition}/${topic}`, { offset: safeOffset(offset), metadata: metadata ?? "" }] as const
          )
        ),
      );
      return partitions.map(({ topic, partition }) => {
        const committed = found.get(`${partition}/${topic}`);
        // Negative is none, also where a reset wrote the number of "earliest".
        return committed === undefined || committed.offset < 0 ? null : committed;
      });
    });
  }

  /** Lists the groups of every broker that answers: each knows those that it coordinates. */
  groups(): Promise<string[]> {
    return this.#ask("list the consumer groups", async (cluster) => {
      await cluster.brokerPool.refreshMetadata([]);
      const nodes = Object.keys(cluster.brokerPool.brokers).map(Number);
      const lists = await Promise.allSettled(nodes.map(async (nodeId) => {
        const { groups } = await (await cluster.findBroker({ nodeId })).listGroups();
        return groups.map(({ groupId }) => groupId);
      }));
      return lists.flatMap((list) => list.status === "fulfilled" ? list.value : []);
    });
  }

  /** Commits for a member of a group, in exactly this generation; without one, for a group that has no members. Tried once. */
  async commit(
    group: string,
    marks: readonly (TopicPartition & Committed)[],
    member?: { readonly memberId: string; readonly generation: number },
  ): Promise<void> {
    await this.#pendingWhile(async () => {
      const cluster = await this.#connected();
      const coordinator = await cluster.findGroupCoordinator({ groupId: group });
      await coordinator.offsetCommit({
        groupId: group,
        groupGenerationId: member?.generation ?? NO_GENERATION,
        memberId: member?.memberId ?? "",
        topics: commitTopics(marks),
      });
    });
  }

  /** Takes a member out of its group, whoever it is. */
  leave(group: string, memberId: string): Promise<void> {
    return this.#ask(`leave group "${group}"`, async (cluster) => {
      const coordinator = await cluster.findGroupCoordinator({ groupId: group });
      await coordinator.leaveGroup({ groupId: group, memberId });
    });
  }

  /** Lets the cluster's controller do something. */
  control<T>(what: string, action: (controller: RawBroker) => Promise<T>): Promise<T> {
    return this.#ask(what, async (cluster) => {
      await cluster.brokerPool.refreshMetadata([]);
      return await action(await cluster.findControllerBroker());
    });
  }

  /** Disconnects, within seconds. What is pending, or asked later, is refused. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#closing.resolve();
    const cluster = this.#cluster;
    this.#cluster = null;
    if (this.#pending.size > 0) this.#connections.cut();
    if (cluster !== null) await waitUntilSettled(cluster.then((connected) => connected.disconnect()), CLOSE_MS);
    await this.#connections.closed(CLOSE_MS);
    await waitUntilSettled(Promise.allSettled(this.#pending), CLOSE_MS);
  }

  #ask<T>(what: string, question: (cluster: RawCluster) => Promise<T>): Promise<T> {
    return this.#pendingWhile(() => this.#answer(what, question));
  }

  async #pendingWhile<T>(work: () => Promise<T>): Promise<T> {
    const pending = holding(work);
    this.#pending.add(pending);
    try {
      return await pending;
    } finally {
      this.#pending.delete(pending);
    }
  }

  async #answer<T>(what: string, question: (cluster: RawCluster) => Promise<T>): Promise<T> {
    for (let attempt = 1;; attempt++) {
      if (this.#closed) throw new BrokerError(`Cannot ${what}: the broker was disposed of`);
      const connecting = this.#cluster ??= this.#connect();
      try {
        return await question(await connecting);
      } catch (error) {
        const refused = protocolError(error);
        // Without an answer the connections are suspect: the next attempt begins with the brokers that were named.
        if (refused === null || refused === "NOT_COORDINATOR_FOR_GROUP") this.#forget(connecting);
        if (this.#closed) continue;
        const final = isForbidden(error) || isUnknownTopic(error) || error instanceof RangeError;
        if (final || attempt >= ATTEMPTS || isDefinite(refused)) throw brokerError(`Cannot ${what}`, error);
        await waitUntilSettled(this.#closing.promise, RETRY_MS * attempt);
      }
    }
  }

  async #connected(): Promise<RawCluster> {
    if (this.#closed) throw new BrokerError("Cannot reach Kafka: the broker was disposed of");
    return await (this.#cluster ??= this.#connect());
  }

  #forget(connecting: Promise<RawCluster>): void {
    if (this.#cluster === connecting) this.#cluster = null;
    connecting.then((cluster) => cluster.disconnect()).catch(() => {});
  }

  async #connect(): Promise<RawCluster> {
    const [Cluster, kafka] = await Promise.all([
      loadCluster(),
      this.#clients.client({ connections: this.#connections }),
    ]);
    const cluster = new Cluster({
      ...this.#clients.config({ connections: this.#connections }),
      logger: kafka.logger(),
      enforceRequestTimeout: true,
      metadataMaxAge: this.#clients.settings.metadataMaxAgeMs,
      allowAutoTopicCreation: false,
      maxInFlightRequests: null,
    }) as RawCluster;
    try {
      await cluster.brokerPool.connect();
      await cluster.brokerPool.refreshMetadata([]);
    } catch (error) {
      await cluster.disconnect().catch(() => {});
      throw error;
    }
    return cluster;
  }
}

/** The body of an offset commit. */
export function commitTopics(
  marks: readonly (TopicPartition & Committed)[],
): { topic: string; partitions: { partition: number; offset: string; metadata: string }[] }[] {
  return byTopic(marks, ({ partition, offset, metadata }) => ({ partition, offset: String(offset), metadata }));
}

/**
 * An offset as a number.
 *
 * @throws {RangeError} beyond 2^53, where numbers are no longer exact
 */
export function safeOffset(text: string): number {
  const offset = Number(text);
  if (Number.isSafeInteger(offset)) return offset;
  throw new RangeError(`Cannot read offset ${text}: it is beyond ${Number.MAX_SAFE_INTEGER}`);
}

function byTopic<P extends TopicPartition, T>(
  partitions: readonly P[],
  entry: (partition: P) => T,
): { topic: string; partitions: T[] }[] {
  const topics = Map.groupBy(partitions, ({ topic }) => topic);
  return [...topics].map(([topic, list]) => ({ topic, partitions: list.map(entry) }));
}

async function offsets(
  cluster: RawCluster,
  topic: string,
  leaders: ReadonlyMap<number, number>,
  timestamp: number,
): Promise<Map<number, number>> {
  const byLeader = Map.groupBy(leaders.keys(), (partition) => leaders.get(partition)!);
  const answers = await Promise.all([...byLeader].map(async ([nodeId, partitions]) => {
    const broker = await cluster.findBroker({ nodeId });
    const { responses } = await broker.listOffsets({
      replicaId: -1,
      isolationLevel: 0,
      topics: [{ topic, partitions: partitions.map((partition) => ({ partition, timestamp })) }],
    });
    return responses[0]!.partitions;
  }));
  return new Map(answers.flat().map(({ partition, offset }) => [partition, safeOffset(offset)]));
}

/** Whether the broker said no for good: what it will say again. */
function isDefinite(type: string | null): boolean {
  return type !== null && /^(INVALID_|POLICY_|TOPIC_ALREADY|UNKNOWN_MEMBER|UNSUPPORTED|CLUSTER_|GROUP_ID)/.test(type);
}
