/** The Kafka of the tests: its address, clients, and the changes that only an administrator can make. */
import process from "node:process";
import kafkajs, { type Admin, type Kafka } from "./kafkajs.ts";
import type { Broker } from "../../../src/broker/broker.ts";
import { KafkaBroker } from "../../../src/broker/kafka/broker.ts";
import type { Generation } from "../../../src/broker/kafka/consumer/generation.ts";
import { Member } from "../../../src/broker/kafka/consumer/member.ts";
import { brokersOfUrl, type KafkaBrokerOptions, kafkaSettings } from "../../../src/broker/kafka/options.ts";
import { Questions } from "../../../src/broker/kafka/questions.ts";
import { commitAsOwner } from "../../../src/broker/kafka/skip.ts";
import { Cluster } from "../../../src/broker/kafka/wire/cluster.ts";
import { leaveGroup } from "../../../src/broker/kafka/wire/requests.ts";
import { Monitor } from "../../../src/monitor/monitor.ts";
import type { Position } from "../../../src/support/position.ts";
import { until } from "../until.ts";

/** The Kafka in `BROKER_URL`, without the scheme; `null` where there is none. */
const url: string | undefined = process.env.BROKER_URL;

/** Whether there is no Kafka, for `Deno.test({ ignore })`. */
export const noKafka: boolean = url === undefined || url === "";

/** The addresses of its brokers. */
export const brokers: readonly string[] = noKafka
  ? ["127.0.0.1:9"]
  : brokersOfUrl(url!.startsWith("kafka://") ? url! : `kafka://${url}`);

/** Opens a broker of this library on it. */
export function openKafka(options: Partial<KafkaBrokerOptions> = {}, monitor = new Monitor()): Broker {
  const settings = kafkaSettings({ brokers, metadataMaxAgeMs: 1000, ...options });
  return new KafkaBroker("kafka:test", settings, { clientId: "test", monitor });
}

/** Opens a client of kafkajs. */
export function bareKafka(): Kafka {
  return new kafkajs.Kafka({ brokers: [...brokers], logLevel: 0 });
}

/** Calls a function with an administrator of kafkajs. */
export async function administer<T>(action: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = bareKafka().admin();
  await admin.connect();
  try {
    return await action(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Deletes a topic and creates it again. Resolves once the broker has the new one: before, it writes to the old log. */
export async function recreateTopic(topic: string, partitions: number): Promise<void> {
  const connection = { clientId: "test", ssl: false, sasl: null, connectionTimeoutMs: 5000 } as const;
  const cluster = new Cluster({ brokers, requestTimeoutMs: 5000, connection });
  const lookUp = async () => {
    await cluster.metadata.refresh([topic]);
    return cluster.metadata.topic(topic)!;
  };
  try {
    const { topicId: old } = await lookUp();
    await administer(async (admin) => {
      await admin.deleteTopics({ topics: [topic] });
      // The name is in use until the last of its logs is closed.
      const topics = [{ topic, numPartitions: partitions }];
      // A wait for its leader that fails would be taken for a topic that was not created.
      while (!await admin.createTopics({ topics, waitForLeaders: false }).catch(() => false)) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    });
    const isThere = async () => {
      const { error, topicId } = await lookUp();
      return error === 0 && topicId !== old && cluster.leaderOf(topic, partitions - 1) !== null;
    };
    await until(isThere, () => `the new topic "${topic}"`);
  } finally {
    cluster.close();
  }
}

/** Changes the configuration of a topic. */
export async function alterTopic(topic: string, config: Record<string, string>): Promise<void> {
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
  const type = kafkajs.ConfigResourceTypes.TOPIC;
  await administer((admin) =>
    admin.alterConfigs({ validateOnly: false, resources: [{ type, name: topic, configEntries }] })
  );
}

/** Deletes the records before an offset. */
export async function deleteRecords({ topic, partition, offset }: Position): Promise<void> {
  await administer(async (admin) => {
    // It looks for the leader in its metadata, which is still empty.
    await admin.fetchTopicMetadata({ topics: [topic] });
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
  });
}

/** Uses up offsets with a transaction that is aborted. */
export async function appendAborted(topic: string, partition: number): Promise<void> {
  const high = () =>
    administer(async (admin) => {
      const offsets = await admin.fetchTopicOffsets(topic);
      return Number(offsets.find((each) => each.partition === partition)!.high);
    });
  const before = await high();
  const producer = bareKafka().producer({
    idempotent: true,
    maxInFlightRequests: 1,
    transactionalId: crypto.randomUUID(),
    createPartitioner: () => () => partition,
  });
  await producer.connect();
  const transaction = await producer.transaction();
  await transaction.send({ topic, messages: [{ value: "aborted" }, { value: "aborted too" }] });
  await transaction.abort();
  await producer.disconnect();
  // The marker is written after the response of the broker.
  while (await high() < before + 3);
}

/** A cluster of its own for one call. */
async function withCluster<T>(action: (cluster: Cluster, questions: Questions) => Promise<T>): Promise<T> {
  const { connectionTimeoutMs, requestTimeoutMs } = kafkaSettings({ brokers });
  const connection = { clientId: "other", ssl: false, sasl: null, connectionTimeoutMs };
  const cluster = new Cluster({ brokers, requestTimeoutMs, connection });
  try {
    return await action(cluster, new Questions(cluster));
  } finally {
    cluster.close();
  }
}

/** Takes a partition from a live group, commits, and leaves again. */
export async function commitAs(group: string, to: Position, metadata: string): Promise<void> {
  await withCluster((cluster, questions) =>
    commitAsOwner(cluster, group, to, "commit as another member", async (generation) => {
      await questions.commit(group, [{ ...to, metadata }], generation);
    })
  );
}

/**
 * Another member joins, commits for a partition that it does not own, which Kafka allows, and leaves. The owner keeps
 * the partition in both rebalances.
 */
export async function commitAsStranger(group: string, itsTopic: string, to: Position, metadata: string): Promise<void> {
  await withCluster(async (cluster, questions) => {
    const alive = Promise.withResolvers<Generation>();
    const options = {
      group,
      topics: [itsTopic],
      sessionTimeoutMs: 2000,
      heartbeatIntervalMs: 400,
      purpose: "group 0" as const,
      metadataMaxAgeMs: 30_000,
    };
    const member = new Member(cluster, options, {
      claim: () => ({ owned: [], sinceMs: 0, exclusive: false }),
      assigned: (_, generation) => alive.resolve(generation),
      failed: alive.reject,
      releasing: () => Promise.resolve(),
      accepted() {},
      suspended() {},
      expelled() {},
      log() {},
    });
    await questions.commit(group, [{ ...to, metadata }], await alive.promise);
    await member.close();
  });
}

/** Removes a member from its group, as the end of its session does. */
export async function removeMember(group: string, clientId: string): Promise<void> {
  const members = await administer((admin) => admin.describeGroups([group]));
  const member = members.groups[0]?.members.find((one) => one.clientId === clientId);
  if (member === undefined) throw new Error(`Expected a member "${clientId}" in group "${group}"`);
  await withCluster((cluster) => cluster.sendToCoordinator(group, leaveGroup(group, member.memberId)));
}
