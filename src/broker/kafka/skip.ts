/**
 * Moving a group past one record. A group without members is simply told; beside live workers a member is needed that owns
 * the partition: one that joins, claims nothing but it, commits and leaves. The worker that had it loses it meanwhile, so
 * that nothing of its old ownership can set the group back.
 */
import { BrokerError, UnknownTopicError } from "../../errors.ts";
import type { SkipOptions } from "../broker.ts";
import { alreadySkippedError, skipsOthersError } from "../refusals.ts";
import { isLiveGroup } from "./admin.ts";
import { stickyAssigner } from "./assigner.ts";
import { type ClientFactory, Connections } from "./client.ts";
import { waitUntilSettled } from "../../support/deadline.ts";
import { loadKafkaJs } from "./kafkajs.ts";
import type { ClusterClient } from "./cluster.ts";
import { brokerError } from "./failures.ts";
import type { Position } from "../../support/position.ts";

const DEADLINE_MS = 60_000;
const CLOSE_MS = 2000;
const SESSION_MS = 10_000;
const HEARTBEAT_MS = 200;
const MAX_WAIT_MS = 100;

/**
 * Moves a group past a record.
 *
 * @throws {UnknownTopicError} if there is no such topic
 * @throws {BrokerError} if the group is past it already or has not come to it, or the partition could not be had within
 * a minute
 */
export async function skipRecord(
  clients: ClientFactory,
  cluster: ClusterClient,
  group: string,
  position: Position,
  { force = false }: SkipOptions = {},
): Promise<void> {
  const { topic, partition, offset } = position;
  const what = `skip offset ${offset} of partition ${partition} of topic "${topic}"`;
  const leaders = await cluster.topic(topic);
  if (leaders === null) throw new UnknownTopicError(`Cannot ${what}: the topic does not exist`);
  if (!leaders.has(partition)) throw new BrokerError(`Cannot ${what}: the topic has ${leaders.size} partitions`);
  const current = async () => await committedOffset(cluster, group, position) ?? await lowOf(cluster, position);
  let at = await current();
  if (at > offset) throw alreadySkippedError(group, position, at);
  const mark = { topic, partition, offset: offset + 1, metadata: "" };
  try {
    // Its owner may have come to it without having committed so yet: the last marks tell.
    if (at === offset || force) return await cluster.commit(group, [mark]);
  } catch (error) {
    if (!isLiveGroup(error)) throw brokerError(`Cannot ${what}`, error);
  }
  const isRight = async () => {
    at = await current();
    return at === offset || (force && at < offset);
  };
  await commitAsOwner(clients, cluster, group, mark, isRight, what);
  if (at < offset && !force) throw skipsOthersError(group, position, at);
}

/**
 * Becomes a member of a live group for a moment, owns the partition, and commits.
 *
 * @param mark what to commit
 * @param isRight asked once the partition is owned, and its owner has given its last marks: whether to commit
 * @param what what this is for, in a message
 */
export async function commitAsOwner(
  clients: ClientFactory,
  cluster: ClusterClient,
  group: string,
  mark: Position & { metadata: string },
  isRight: () => Promise<boolean>,
  what: string,
): Promise<void> {
  const connections = new Connections(true);
  const done = Promise.withResolvers<void>();
  const kafkajs = await loadKafkaJs();
  const kafka = await clients.client({ connections, retries: 5 });
  const consumer = kafka.consumer({
    groupId: group,
    partitionAssigners: [stickyAssigner({
      kafkajs,
      claim: () => ({ owned: [mark], sinceMs: Date.now(), exclusive: true }),
      partitionsOf: async (topic) => (await cluster.topic(topic))?.size ?? null,
    })],
    sessionTimeout: SESSION_MS,
    heartbeatInterval: HEARTBEAT_MS,
    maxWaitTimeInMs: MAX_WAIT_MS,
    allowAutoTopicCreation: false,
    retry: { retries: 5, initialRetryTime: 100, maxRetryTime: 1000, restartOnFailure: () => Promise.resolve(false) },
  });
  let owner = false;
  let asking = false;
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    const share = payload.memberAssignment[mark.topic] ?? [];
    owner = share.includes(mark.partition);
    // It fetches nothing: it is here to commit.
    consumer.pause([{ topic: mark.topic, partitions: share }]);
  });
  // The first event that says which generation this is.
  consumer.on(consumer.events.HEARTBEAT, async ({ payload: { memberId, groupGenerationId } }) => {
    if (!owner || asking) return;
    asking = true;
    try {
      if (await isRight()) {
        await cluster.commit(group, [mark], { memberId, generation: groupGenerationId });
      }
      done.resolve();
    } catch (error) {
      if (!isLiveGroup(error)) done.reject(error);
    } finally {
      asking = false;
    }
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => done.reject(payload.error));
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [mark.topic], fromBeginning: true });
    await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: () => Promise.resolve() });
    const inTime = await waitUntilSettled(done.promise, DEADLINE_MS);
    if (!inTime) throw new BrokerError(`the partition could not be had within ${DEADLINE_MS} ms`);
    await done.promise;
  } catch (error) {
    throw brokerError(`Cannot ${what}`, error);
  } finally {
    await waitUntilSettled(consumer.disconnect(), CLOSE_MS);
    await connections.closed(CLOSE_MS);
  }
}

async function committedOffset(cluster: ClusterClient, group: string, position: Position): Promise<number | null> {
  const [committed] = await cluster.committed(group, [position]);
  return committed?.offset ?? null;
}

async function lowOf(cluster: ClusterClient, { topic, partition }: Position): Promise<number> {
  return (await cluster.ends(topic)).find((ends) => ends.partition === partition)!.low;
}
