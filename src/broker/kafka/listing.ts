/**
 * Looks at many topics, or a whole group, in few requests: one for the metadata, two for each leader, one for the coordinator.
 * A part of the cluster that does not respond has a reason in the listing, and holds up no other part.
 */
import { sleep } from "../../support/deadline.ts";
import type { TopicPartition } from "../../support/position.ts";
import type { CommittedOffset, GroupMember, ListedEnds, ListedTopic } from "../broker.ts";
import { byTopic } from "./consumer/by_topic.ts";
import { decodeShare, decodeSubscription } from "./consumer/group_protocol.ts";
import { workerMetadata } from "./consumer/ownership.ts";
import type { Questions } from "./questions.ts";
import type { Cluster } from "./wire/cluster.ts";
import { Code, ProtocolError } from "./wire/errors.ts";
import { describeGroups, listOffsets, Timestamp } from "./wire/requests.ts";

/** The time for which a question is asked again, in milliseconds: a listing is cheap to repeat. */
const PATIENCE_MS = 2000;

/** The time for which partitions are asked for again whose leader moves, or that were just created, in milliseconds. */
const SETTLE_MS = 1000;
const LOOK_MS = 50;

/** Codes of a partition whose leader moves now, or that was just created: its broker does not know it yet. */
const UNSETTLED: readonly number[] = [
  Code.notLeader,
  Code.leaderNotAvailable,
  Code.unknownTopicOrPartition,
  Code.replicaNotAvailable,
  Code.fencedLeaderEpoch,
  Code.unknownLeaderEpoch,
  Code.offsetNotAvailable,
  Code.kafkaStorageError,
];

const NO_LEADER = "it has no leader: the broker that holds it is away";

/** The ends of one partition, or the reason why they are not known. */
type Ends = Omit<ListedEnds, "partition">;

/** The ends of a partition that was asked for, and whether to ask again. */
type Asked = Ends & { readonly isUnsettled: boolean };

/** Lists the ends of topics. See `BrokerAdmin.listEnds`. */
export async function listEnds(
  cluster: Cluster,
  questions: Questions,
  topics: readonly string[],
): Promise<ReadonlyMap<string, ListedTopic | null>> {
  const found = new Map<string, Asked>();
  const endMs = performance.now() + SETTLE_MS;
  for (let wanted = topics; wanted.length > 0;) {
    const asked = await askLeaders(cluster, await refresh(cluster, questions, wanted));
    for (const [key, ends] of asked) found.set(key, ends);
    if (performance.now() >= endMs) break;
    wanted = wanted.filter((topic) => isUnsettled(cluster, topic, found));
    if (wanted.length > 0) await sleep(LOOK_MS);
  }
  return new Map(topics.map((topic) => {
    if (cluster.metadata.isMissing(topic)) return [topic, null];
    const known = cluster.metadata.topic(topic)!;
    const problem = known.error === Code.none ? null : new ProtocolError("Metadata", known.error).message;
    const listed = known.partitions.map(({ partition }): ListedEnds => {
      const { isUnsettled: _, ...ends } = found.get(keyOf({ topic, partition })) ?? unknown(NO_LEADER);
      return { partition, ...ends };
    });
    return [topic, { partitions: listed, problem }];
  }));
}

/** Whether a topic, or a partition of it, is likely to be known in a moment. */
function isUnsettled(cluster: Cluster, topic: string, found: ReadonlyMap<string, Asked>): boolean {
  const { error, partitions } = cluster.metadata.topic(topic)!;
  return error === Code.leaderNotAvailable ||
    partitions.some(({ partition }) => found.get(keyOf({ topic, partition }))?.isUnsettled === true);
}

/** Lists what a group has committed. See `BrokerAdmin.listCommitted`. */
export async function listCommitted(
  cluster: Cluster,
  questions: Questions,
  group: string,
  topics: readonly string[],
): Promise<ReadonlyMap<string, readonly CommittedOffset[] | null>> {
  const partitions = await refresh(cluster, questions, topics);
  const committed = await questions.committed(group, partitions, PATIENCE_MS);
  const found = new Map(
    topics.map((topic): [string, CommittedOffset[] | null] => [topic, cluster.metadata.isMissing(topic) ? null : []]),
  );
  for (const [index, { topic, partition }] of partitions.entries()) {
    const { offset = null, metadata = "" } = committed[index] ?? {};
    found.get(topic)?.push({ partition, offset, metadata: workerMetadata(metadata) });
  }
  return found;
}

/** Lists the members of a group. See `BrokerAdmin.members`. */
export function listMembers(cluster: Cluster, questions: Questions, group: string): Promise<GroupMember[]> {
  return questions.ask(`ask for the members of group "${group}"`, async () => {
    const { groups: [found] } = await cluster.sendToCoordinator(group, describeGroups([group]));
    const { errorCode, state, members } = found!;
    questions.judge(group, "DescribeGroups", errorCode);
    // In other states the coordinator leaves out what a member brought, and what it got.
    const isStable = state === "Stable";
    return members.map(({ memberId, memberMetadata, memberAssignment }) => ({
      id: memberId,
      topics: isStable ? decodeSubscription(memberMetadata).topics : null,
      partitions: isStable ? decodeShare(memberAssignment) : [],
    }));
  }, PATIENCE_MS);
}

/** Asks for the metadata of topics. @returns their partitions */
async function refresh(cluster: Cluster, questions: Questions, topics: readonly string[]): Promise<TopicPartition[]> {
  await questions.ask("look at the topics", () => cluster.metadata.refresh(topics), PATIENCE_MS);
  return topics.flatMap((topic) =>
    (cluster.metadata.topic(topic)?.partitions ?? []).map(({ partition }) => ({ topic, partition }))
  );
}

/** Asks each leader for its partitions. */
async function askLeaders(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
): Promise<Map<string, Asked>> {
  const byLeader = Map.groupBy(partitions, ({ topic, partition }) => cluster.leaderOf(topic, partition));
  const found = await Promise.all(Array.from(byLeader, async ([leader, led]) => {
    if (leader === null) return led.map((at) => [keyOf(at), unknown(NO_LEADER, true)] as const);
    const [low, high] = await Promise.all([
      askLeader(cluster, leader, led, Timestamp.earliest),
      askLeader(cluster, leader, led, Timestamp.latest),
    ]);
    return led.map((at) => {
      const key = keyOf(at);
      return [key, endsOf(low(key), high(key), leader)] as const;
    });
  }));
  return new Map(found.flat());
}

/** An offset, an error code, or the message of a leader that did not respond. */
type Found = { readonly offset: number } | { readonly code: number } | { readonly failure: string };

async function askLeader(
  cluster: Cluster,
  leader: number,
  partitions: readonly TopicPartition[],
  timestamp: number,
): Promise<(key: string) => Found> {
  try {
    const request = listOffsets(byTopic(partitions, ({ partition }) => ({ partition, timestamp })), "readUncommitted");
    const { responses } = await cluster.send(leader, "control", request, cluster.shortTimeoutMs);
    const found = new Map(
      responses.flatMap(({ topic, partitions }) =>
        partitions.map(({ partition, errorCode: code, offset }): [string, Found] => [
          keyOf({ topic, partition }),
          code === Code.none ? { offset: Number(offset) } : { code },
        ])
      ),
    );
    return (key) => found.get(key) ?? { failure: "the response lacks it" };
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    return () => ({ failure });
  }
}

function endsOf(low: Found, high: Found, leader: number): Asked {
  if ("offset" in low && "offset" in high) {
    return { low: low.offset, high: high.offset, problem: null, isUnsettled: false };
  }
  const failed = "offset" in low ? high : low;
  if ("code" in failed) {
    return unknown(new ProtocolError("ListOffsets", failed.code).message, UNSETTLED.includes(failed.code));
  }
  return unknown(`its leader, broker ${leader}, did not respond: ${"failure" in failed ? failed.failure : ""}`);
}

function unknown(problem: string, isUnsettled = false): Asked {
  return { low: null, high: null, problem, isUnsettled };
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${partition}/${topic}`;
}
