/** Administration of a Kafka cluster, as the broker interface has it. */
import { BrokerError } from "../../errors.ts";
import type { BrokerAdmin, NewTopic, TopicDescription } from "../broker.ts";
import { groupHasMembersError } from "../refusals.ts";
import { brokerError } from "./broker_error.ts";
import { workerMetadata } from "./consumer/ownership.ts";
import { groupsOf } from "./groups.ts";
import { listHeads } from "./heads.ts";
import { listCommitted, listEnds, listMembers } from "./listing.ts";
import type { Questions } from "./questions.ts";
import { readLog } from "./read_log.ts";
import type { Cluster } from "./wire/cluster.ts";
import { Code, ProtocolError } from "./wire/errors.ts";
import type { Request } from "./wire/request.ts";
import { createPartitions, createTopics } from "./wire/requests.ts";

/** The longest time until new topics and partitions have leaders, in milliseconds. */
const APPEAR_MS = 5000;
const LOOK_MS = 50;
/** "As the cluster has it by default". */
const DEFAULT = -1;

/** Returns the administration of a cluster. */
export function kafkaAdmin(cluster: Cluster, questions: Questions): BrokerAdmin {
  return {
    async describe(topics) {
      const found = topics.map(async (topic) => [topic, await describe(questions, topic)] as const);
      return new Map(await Promise.all(found));
    },
    async create(topics) {
      if (topics.length === 0) return;
      const names = topics.map(({ name }) => `"${name}"`).join(", ");
      const request = createTopics(topics.map(toCreate), cluster.requestTimeoutMs);
      await control(cluster, questions, `create the topics ${names}`, request);
      for (const { name } of topics) await untilLed(cluster, questions, name, 1);
    },
    async addPartitions(topic, count) {
      await questions.existingPartitionsOf(topic, "add partitions to");
      const request = createPartitions([{ topic, count }], cluster.requestTimeoutMs);
      await control(cluster, questions, `give topic "${topic}" ${count} partitions`, request);
      await untilLed(cluster, questions, topic, count);
    },
    ends: (topic) => questions.endsOf(topic),
    listHeads: (positions, signal) => listHeads(cluster, questions, positions, signal),
    read: (topic, partition, options) => readLog(cluster, questions, { topic, partition }, options),
    async committed(group, topic) {
      const partitions = await questions.existingPartitionsOf(topic, "look at");
      const committed = await questions.committed(group, partitions.map((partition) => ({ topic, partition })));
      return partitions.map((partition, at) => ({
        partition,
        offset: committed[at]?.offset ?? null,
        metadata: workerMetadata(committed[at]?.metadata ?? ""),
      }));
    },
    listEnds: (topics) => listEnds(cluster, questions, topics),
    listCommitted: (group, topics) => listCommitted(cluster, questions, group, topics),
    members: (group) => listMembers(cluster, questions, group),
    groups: (topics) => groupsOf(cluster, questions, topics),
    async seek(group, to) {
      try {
        await questions.commit(group, to.map((position) => ({ ...position, metadata: "" })));
      } catch (error) {
        if (isLiveGroup(error)) throw groupHasMembersError(group);
        throw brokerError(`Cannot seek group "${group}"`, error);
      }
    },
  };
}

/** Whether a commit without a member was refused because the group has some. */
export function isLiveGroup(error: unknown): boolean {
  const codes: number[] = [Code.unknownMemberId, Code.illegalGeneration, Code.rebalanceInProgress];
  return error instanceof ProtocolError && codes.includes(error.code);
}

async function describe(questions: Questions, topic: string): Promise<TopicDescription | null> {
  const partitions = await questions.partitionsOf(topic);
  if (partitions === null) return null;
  // A right of its own: a client may use a topic and not read its configuration.
  const config = await questions.configOf(topic).catch(() => new Map<string, string>());
  return { partitions: partitions.length, config };
}

function toCreate({ name, partitions = DEFAULT, replicationFactor = DEFAULT, config = {} }: NewTopic) {
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
  return { topic: name, numPartitions: partitions, replicationFactor, configEntries };
}

type TopicErrors = {
  readonly topicErrors: readonly {
    readonly topic: string;
    readonly errorCode: number;
    readonly errorMessage: string | null;
  }[];
};

/** Sends a request to the controller. A topic that exists already stays as it is. */
async function control(
  cluster: Cluster,
  questions: Questions,
  what: string,
  request: Request<TopicErrors>,
): Promise<void> {
  await questions.ask(what, async () => {
    await cluster.metadata.refresh([]);
    const { topicErrors } = await cluster.send(cluster.controllerId, "control", request);
    const isError = ({ errorCode }: { readonly errorCode: number }) =>
      errorCode !== Code.none && errorCode !== Code.topicAlreadyExists;
    const failed = topicErrors.find(isError);
    if (failed === undefined) return;
    const { topic, errorCode, errorMessage } = failed;
    const cause = new ProtocolError(request.name, errorCode);
    // The broker's sentence is more useful than the name of a code.
    if (errorMessage) throw new BrokerError(`Cannot ${what}: topic "${topic}": ${errorMessage}`, { cause });
    throw cause;
  });
}

async function untilLed(cluster: Cluster, questions: Questions, topic: string, count: number): Promise<void> {
  const endMs = performance.now() + APPEAR_MS;
  while (true) {
    const partitions = await questions.partitionsOf(topic) ?? [];
    if (partitions.length >= count && partitions.every((partition) => cluster.leaderOf(topic, partition) !== null)) {
      return;
    }
    if (performance.now() > endMs) {
      throw new BrokerError(`Cannot see topic "${topic}": it was created, but has no leader after ${APPEAR_MS} ms`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
