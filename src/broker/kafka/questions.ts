/**
 * Questions about topics and groups, asked again for a while where a broker is away or a leader or coordinator moves: the
 * administrator's, and those of skipping a record.
 */
import { UnknownTopicError } from "../../errors.ts";
import { sleep } from "../../support/deadline.ts";
import type { TopicPartition } from "../../support/position.ts";
import type { PartitionEnds } from "../broker.ts";
import { byTopic } from "./consumer/by_topic.ts";
import type { Committed } from "./consumer/ownership.ts";
import { brokerError } from "./broker_error.ts";
import { CompleteLeaders } from "./complete_leaders.ts";
import type { Cluster } from "./wire/cluster.ts";
import { Code, ConnectionError, ProtocolError } from "./wire/errors.ts";
import { UnsupportedVersionError } from "./wire/request.ts";
import { describeTopicConfigs, listOffsets, offsetCommit, offsetFetch, Timestamp } from "./wire/requests.ts";

/** The longest time for which a question is asked again, in milliseconds. */
const PATIENCE_MS = 10_000;
/**
 * The same for a question to a leader or a coordinator. A cluster notices after 9 seconds that a broker has died (Kafka's
 * default), and then replaces it.
 */
export const MOVE_PATIENCE_MS = 20_000;
const RETRY_MS = 200;

/** Codes after which the same question may be answered. */
const PASSING = new Set<number>([
  Code.leaderNotAvailable,
  Code.notLeader,
  Code.requestTimedOut,
  Code.replicaNotAvailable,
  Code.coordinatorLoading,
  Code.coordinatorNotAvailable,
  Code.notCoordinator,
  Code.fencedLeaderEpoch,
  Code.unknownLeaderEpoch,
  Code.offsetNotAvailable,
  Code.unstableOffsetCommit,
  Code.throttlingQuotaExceeded,
  // The topic is being created, or was created again.
  Code.unknownTopicOrPartition,
  Code.unknownTopicId,
  Code.inconsistentTopicId,
  Code.kafkaStorageError,
  // The controller has moved.
  41,
]);

/** See the module. */
export class Questions {
  /** The leaders that may be asked for the end of what can be read. */
  readonly completeLeaders: CompleteLeaders = new CompleteLeaders();
  readonly #cluster: Cluster;
  readonly #closing = new AbortController();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Ends the waits. */
  close(): void {
    this.#closing.abort();
  }

  /**
   * Asks until there is an answer.
   *
   * @param what what is done, for the error: `"look at topic \"orders\""`
   * @param patienceMs how long it is asked again, in milliseconds
   * @throws {BrokerError} if there is none in time, or trying again cannot help
   */
  async ask<T>(what: string, question: () => Promise<T>, patienceMs: number = PATIENCE_MS): Promise<T> {
    const endMs = performance.now() + patienceMs;
    while (true) {
      try {
        return await question();
      } catch (error) {
        if (!mayPass(error) || this.#closing.signal.aborted || performance.now() > endMs) {
          throw brokerError(`Cannot ${what}`, error);
        }
        await sleep(RETRY_MS, this.#closing.signal);
      }
    }
  }

  /** Returns the numbers of a topic's partitions; `null` if it does not exist. */
  partitionsOf(topic: string): Promise<number[] | null> {
    return this.ask(`ask for topic "${topic}"`, async () => {
      await this.#cluster.metadata.refresh([topic]);
      const known = this.#cluster.metadata.topic(topic)!;
      if (this.#cluster.metadata.isMissing(topic)) return null;
      if (known.error !== Code.none) throw new ProtocolError("Metadata", known.error);
      return known.partitions.map(({ partition }) => partition);
    });
  }

  /** Returns a topic's configuration, defaults included. */
  configOf(topic: string): Promise<ReadonlyMap<string, string>> {
    return this.ask(`ask for the configuration of topic "${topic}"`, async () => {
      const { resources } = await this.#cluster.ask(describeTopicConfigs([topic]));
      const { errorCode = Code.none, configEntries = [] } = resources[0] ?? {};
      if (errorCode !== Code.none) throw new ProtocolError("DescribeConfigs", errorCode);
      return new Map(configEntries.map(({ configName, configValue }) => [configName, configValue ?? ""]));
    });
  }

  /**
   * Returns the ends of a topic's partitions.
   *
   * @throws {UnknownTopicError} if it does not exist
   */
  async endsOf(topic: string): Promise<PartitionEnds[]> {
    const partitions = await this.existingPartitionsOf(topic, "look at");
    return await this.ask(`look at topic "${topic}"`, async () => {
      await this.#cluster.metadata.refresh([topic]);
      const [low, high] = await Promise.all([
        this.#offsets(topic, partitions, Timestamp.earliest),
        this.#offsets(topic, partitions, Timestamp.latest),
      ]);
      return partitions.map((partition) => ({ partition, low: low.get(partition)!, high: high.get(partition)! }));
    }, MOVE_PATIENCE_MS);
  }

  /**
   * Returns the numbers of a topic's partitions.
   *
   * @param verb for the error, such as `"look at"`
   * @throws {UnknownTopicError} if it does not exist
   */
  async existingPartitionsOf(topic: string, verb: string): Promise<number[]> {
    const partitions = await this.partitionsOf(topic);
    if (partitions === null) throw new UnknownTopicError(`Cannot ${verb} topic "${topic}": it does not exist`);
    return partitions;
  }

  /** Returns what a group has committed, one entry for each partition; `null` for nothing. */
  committed(
    group: string,
    partitions: readonly TopicPartition[],
    patienceMs: number = MOVE_PATIENCE_MS,
  ): Promise<(Committed | null)[]> {
    return this.ask(`ask for the offsets of group "${group}"`, async () => {
      if (partitions.length === 0) return [];
      const request = offsetFetch(group, byTopic(partitions, ({ partition }) => ({ partition })));
      const { errorCode, responses } = await this.#cluster.sendToCoordinator(group, request);
      this.judge(group, "OffsetFetch", errorCode);
      const found = new Map(
        responses.flatMap(({ topic, partitions }) =>
          partitions.map((entry) => [`${entry.partition}/${topic}`, entry] as const)
        ),
      );
      return partitions.map(({ topic, partition }) => {
        const entry = found.get(`${partition}/${topic}`);
        this.judge(group, "OffsetFetch", entry?.errorCode ?? Code.none);
        const offset = Number(entry?.offset ?? -1);
        return offset < 0 ? null : { offset, metadata: entry!.metadata ?? "" };
      });
    }, patienceMs);
  }

  /**
   * Commits for a group without members, or for one member of it in exactly this generation. Tried once.
   *
   * @throws {ProtocolError} if the group refuses it
   */
  async commit(
    group: string,
    marks: readonly (TopicPartition & Committed)[],
    { memberId, generationId } = { memberId: "", generationId: -1 },
  ): Promise<void> {
    const { responses } = await this.#cluster.sendToCoordinator(
      group,
      offsetCommit({
        groupId: group,
        groupGenerationId: generationId,
        memberId,
        topics: byTopic(marks, ({ partition, offset, metadata }) => ({ partition, offset: String(offset), metadata })),
      }),
    );
    for (const { partitions } of responses) {
      for (const { errorCode } of partitions) this.judge(group, "OffsetCommit", errorCode);
    }
  }

  /**
   * Throws for an error code of a coordinator, which is looked up again if it is not the group's any more.
   *
   * @throws {ProtocolError} for any code but 0
   */
  judge(group: string, name: string, code: number): void {
    if (code === Code.none) return;
    if (code === Code.notCoordinator || code === Code.coordinatorNotAvailable) this.#cluster.forgetCoordinator(group);
    throw new ProtocolError(name, code);
  }

  async #offsets(topic: string, partitions: readonly number[], timestamp: number): Promise<Map<number, number>> {
    const byLeader = Map.groupBy(partitions, (partition) => {
      const leader = this.#cluster.leaderOf(topic, partition);
      if (leader === null) throw new ProtocolError(`Leader of ${topic}/${partition}`, Code.leaderNotAvailable);
      return leader;
    });
    const answers = await Promise.all(Array.from(byLeader, async ([leader, ofLeader]) => {
      const entries = ofLeader.map((partition) => ({ partition, timestamp }));
      const request = listOffsets([{ topic, partitions: entries }], "readUncommitted");
      return (await this.#cluster.send(leader, "control", request)).responses.flatMap(({ partitions }) => partitions);
    }));
    return new Map(
      answers.flat().map(({ partition, errorCode, offset }) => {
        if (errorCode !== Code.none) throw new ProtocolError("ListOffsets", errorCode);
        return [partition, Number(offset)];
      }),
    );
  }
}

/** Whether the same question may be answered later. */
function mayPass(error: unknown): boolean {
  if (error instanceof ConnectionError) return !error.isFinal;
  if (error instanceof UnsupportedVersionError) return false;
  return error instanceof ProtocolError && PASSING.has(error.code);
}
