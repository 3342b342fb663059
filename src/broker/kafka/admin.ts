/** What an administrator may do with a Kafka cluster, behind the broker interface. */
import { BrokerError, UnknownTopicError } from "../../errors.ts";
import type { BrokerAdmin } from "../broker.ts";
import type { ClusterClient } from "./cluster.ts";
import { brokerError, protocolError } from "./failures.ts";
import { workerMetadata } from "./ownership.ts";
import { waitUntilSettled } from "../../support/deadline.ts";

/** How long new topics and partitions may take until every broker knows them, in milliseconds. */
const APPEAR_MS = 5000;
const LOOK_MS = 50;
/** The limit of a search for groups, in milliseconds, and how many groups are asked at once. */
const GROUPS_MS = 5000;
const GROUPS_AT_ONCE = 8;
/** "As the broker has it by default". */
const DEFAULT = -1;

/** The administrator's door to a cluster. */
export function kafkaAdmin(cluster: ClusterClient): BrokerAdmin {
  return {
    async describe(topics) {
      return new Map(await Promise.all(topics.map(async (topic) => [topic, await describe(cluster, topic)] as const)));
    },
    async create(topics) {
      if (topics.length === 0) return;
      const names = topics.map(({ name }) => `"${name}"`).join(", ");
      await cluster.control(`create the topics ${names}`, async (controller) => {
        const wanted = topics.map(({ name, partitions, replicationFactor, config }) => ({
          topic: name,
          numPartitions: partitions ?? DEFAULT,
          replicationFactor: replicationFactor ?? DEFAULT,
          configEntries: Object.entries(config ?? {}).map(([name, value]) => ({ name, value })),
        }));
        try {
          await controller.createTopics({ topics: wanted });
        } catch (error) {
          // One that is there stays as it is.
          const others = errorsOf(error).filter((one) => protocolError(one) !== "TOPIC_ALREADY_EXISTS");
          if (others.length > 0) throw others[0];
        }
      });
      for (const { name } of topics) await appeared(cluster, name, 1);
    },
    async addPartitions(topic, count) {
      await existing(cluster, topic, "add partitions to");
      await cluster.control(
        `give topic "${topic}" ${count} partitions`,
        (controller) => controller.createPartitions({ topicPartitions: [{ topic, count }] }),
      );
      await appeared(cluster, topic, count);
    },
    ends: (topic) => cluster.ends(topic),
    async committed(group, topic) {
      const partitions = await existing(cluster, topic, "look at");
      const committed = await cluster.committed(group, partitions.map((partition) => ({ topic, partition })));
      return partitions.map((partition, at) => ({
        partition,
        offset: committed[at]?.offset ?? null,
        metadata: workerMetadata(committed[at]?.metadata ?? ""),
      }));
    },
    groups: (topics) => listGroups(cluster, topics),
    async seek(group, to) {
      try {
        await cluster.commit(group, to.map((position) => ({ ...position, metadata: "" })));
      } catch (error) {
        const members = isLiveGroup(error);
        if (!members) throw brokerError(`Cannot seek group "${group}"`, error);
        throw new BrokerError(`Cannot seek group "${group}": it has members, and must have none`, { cause: error });
      }
    },
  };
}

/** Lists the groups that have committed offsets of topics, as many as are found in time. */
async function listGroups(cluster: ClusterClient, topics: readonly string[]): Promise<Map<string, string[]>> {
  const found = new Map(topics.map((topic): [string, string[]] => [topic, []]));
  const search = searchGroups(cluster, found, performance.now() + GROUPS_MS);
  if (await waitUntilSettled(search, GROUPS_MS)) await search;
  return new Map(Array.from(found, ([topic, groups]) => [topic, groups.toSorted()]));
}

/** Asks several groups at a time: the coordinator of each has to be found first. */
async function searchGroups(
  cluster: ClusterClient,
  found: ReadonlyMap<string, string[]>,
  endMs: number,
): Promise<void> {
  const partitions = (await Promise.all(Array.from(found.keys(), async (topic) => {
    const leaders = await cluster.topic(topic);
    return Array.from(leaders?.keys() ?? [], (partition) => ({ topic, partition }));
  }))).flat();
  const waiting = partitions.length === 0 ? [] : await cluster.groups();
  const ask = async () => {
    for (let group = waiting.shift(); group !== undefined && performance.now() < endMs; group = waiting.shift()) {
      // A group that may not be read, or whose coordinator does not answer, is left out.
      const committed = await cluster.committed(group, partitions).catch(() => []);
      const topics = new Set(partitions.filter((_, at) => committed[at] != null).map(({ topic }) => topic));
      for (const topic of topics) found.get(topic)!.push(group);
    }
  };
  await Promise.all(Array.from({ length: GROUPS_AT_ONCE }, ask));
}

/** Whether a commit without a member was refused since the group has some. */
export function isLiveGroup(error: unknown): boolean {
  return /^(UNKNOWN_MEMBER_ID|ILLEGAL_GENERATION|REBALANCE_IN_PROGRESS)$/.test(protocolError(error) ?? "");
}

async function describe(
  cluster: ClusterClient,
  topic: string,
): Promise<{ partitions: number; config: ReadonlyMap<string, string> } | null> {
  const leaders = await cluster.topic(topic);
  if (leaders === null) return null;
  // A right of its own: who may use a topic need not be allowed to read its configuration.
  const config = await cluster.config(topic).catch(() => new Map<string, string>());
  return { partitions: leaders.size, config };
}

async function existing(cluster: ClusterClient, topic: string, verb: string): Promise<number[]> {
  const leaders = await cluster.topic(topic);
  if (leaders === null) throw new UnknownTopicError(`Cannot ${verb} topic "${topic}": it does not exist`);
  return [...leaders.keys()].sort((a, b) => a - b);
}

async function appeared(cluster: ClusterClient, topic: string, partitions: number): Promise<void> {
  const endMs = performance.now() + APPEAR_MS;
  for (;;) {
    const leaders = await cluster.topic(topic);
    if (leaders !== null && leaders.size >= partitions && ![...leaders.values()].includes(-1)) return;
    if (performance.now() > endMs) {
      throw new BrokerError(`Cannot see topic "${topic}": it was created, but has no leader after ${APPEAR_MS} ms`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

function errorsOf(error: unknown): readonly unknown[] {
  const errors = (error as { errors?: readonly unknown[] }).errors;
  return errors === undefined ? [error] : errors;
}
