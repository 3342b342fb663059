/**
 * Lists the groups that have committed offsets of topics. Each broker knows the groups that it coordinates, and each group has
 * to be asked for its offsets, so that the search has a limit of time and returns what it has found by then.
 */
import { waitUntilSettled } from "../../support/deadline.ts";
import { forEachLimited } from "../../support/for_each_limited.ts";
import type { TopicPartition } from "../../support/position.ts";
import type { Questions } from "./questions.ts";
import type { Cluster } from "./wire/cluster.ts";
import { listGroups } from "./wire/requests.ts";

const LIMIT_MS = 3000;
/** Groups that are asked at a time. */
const CONCURRENCY = 8;

/** Returns the names of the groups of each topic, in alphabetical order, as many as are found in time. */
export async function groupsOf(
  cluster: Cluster,
  questions: Questions,
  topics: readonly string[],
): Promise<Map<string, string[]>> {
  const found = new Map(topics.map((topic): [string, string[]] => [topic, []]));
  const search = searchGroups(cluster, questions, found, performance.now() + LIMIT_MS);
  if (await waitUntilSettled(search, LIMIT_MS)) await search;
  return new Map(Array.from(found, ([topic, groups]) => [topic, groups.toSorted()]));
}

async function searchGroups(
  cluster: Cluster,
  questions: Questions,
  found: ReadonlyMap<string, string[]>,
  endMs: number,
): Promise<void> {
  const partitions = (await Promise.all(Array.from(found.keys(), async (topic): Promise<TopicPartition[]> => {
    const numbers = await questions.partitionsOf(topic);
    return (numbers ?? []).map((partition) => ({ topic, partition }));
  }))).flat();
  const waiting = partitions.length === 0 ? [] : await allGroups(cluster);
  await forEachLimited(waiting, CONCURRENCY, async (group) => {
    if (performance.now() >= endMs) return;
    // A group that may not be read, or whose coordinator does not answer, is left out.
    const committed = await questions.committed(group, partitions).catch(() => []);
    const topics = new Set(partitions.filter((_, at) => committed[at] != null).map(({ topic }) => topic));
    for (const topic of topics) found.get(topic)!.push(group);
  });
}

/** The groups of every broker that responds. It is the coordinator of those: none has to be looked up. */
async function allGroups(cluster: Cluster): Promise<string[]> {
  await cluster.metadata.refresh([]);
  const nodeIds = cluster.nodeIds();
  const answers = await Promise.allSettled(
    nodeIds.map((nodeId) => cluster.send(nodeId, "control", listGroups(), LIMIT_MS)),
  );
  return answers.flatMap((answer, at) => {
    const groups = answer.status === "fulfilled" ? answer.value.groups.map(({ groupId }) => groupId) : [];
    for (const group of groups) cluster.learnCoordinator(group, nodeIds[at]!);
    return groups;
  });
}
