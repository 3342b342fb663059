/**
 * Moves a group past one record; a batch that cannot be read is passed over as a whole. A group without members needs no
 * more than a commit. Beside live workers a member is needed that owns the partition: one that joins, claims nothing but it, commits and
 * leaves. The worker that had it loses it in between, so that nothing of its old ownership can set the group back.
 */
import { BrokerError, UnknownTopicError } from "../../errors.ts";
import { waitUntilSettled } from "../../support/deadline.ts";
import { formatPosition, type Position } from "../../support/position.ts";
import type { SkipOptions } from "../broker.ts";
import { alreadySkippedError, skipsOthersError } from "../refusals.ts";
import { brokerError } from "./broker_error.ts";
import { isLiveGroup } from "./admin.ts";
import type { Generation } from "./consumer/generation.ts";
import { Member } from "./consumer/member.ts";
import type { Questions } from "./questions.ts";
import { findRecordEnd } from "./record_end.ts";
import type { Cluster, Purpose } from "./wire/cluster.ts";

const DEADLINE_MS = 60_000;
const CLOSE_MS = 2000;
const SESSION_MS = 10_000;
const HEARTBEAT_MS = 200;
const METADATA_MAX_AGE_MS = 30_000;
/** No consumer has the number 0. */
const PURPOSE: Purpose = "group 0";

/**
 * Moves a group past a record.
 *
 * @throws {UnknownTopicError} if there is no such topic
 * @throws {BrokerError} if the group is past it already or has not come to it, or the partition could not be owned within
 * a minute
 */
export async function skipRecord(
  cluster: Cluster,
  questions: Questions,
  group: string,
  position: Position,
  { force = false }: SkipOptions = {},
): Promise<void> {
  const { topic, partition, offset } = position;
  const what = `skip ${formatPosition(position)}`;
  const partitions = await questions.partitionsOf(topic);
  if (partitions === null) throw new UnknownTopicError(`Cannot ${what}: the topic does not exist`);
  if (!partitions.includes(partition)) {
    throw new BrokerError(`Cannot ${what}: the topic has ${partitions.length} partitions`);
  }
  const current = async (): Promise<number> => {
    const [committed] = await questions.committed(group, [position]);
    if (committed) return committed.offset;
    return (await questions.endsOf(topic)).find((ends) => ends.partition === partition)!.low;
  };
  let at = await current();
  if (at > offset) throw alreadySkippedError(group, position, at);
  const end = await questions.ask(what, () => findRecordEnd(cluster, position));
  const mark = { topic, partition, offset: end, metadata: "" };
  try {
    // Its owner may have come to it without having committed so yet: the last marks show it.
    if (at === offset || force) return await questions.commit(group, [mark]);
  } catch (error) {
    if (!isLiveGroup(error)) throw brokerError(`Cannot ${what}`, error);
  }
  await commitAsOwner(cluster, group, mark, what, async (generation) => {
    at = await current();
    if (at === offset || (force && at < offset)) await questions.commit(group, [mark], generation);
  });
  if (at < offset && !force) throw skipsOthersError(group, position, at);
}

/**
 * Joins a live group for a moment, as the owner of the partition while it commits.
 *
 * @param what what this is for, in a message
 * @param commit commits, once the partition is owned and its owner has given its last marks
 * @throws {BrokerError} if the partition could not be owned within a minute
 */
export async function commitAsOwner(
  cluster: Cluster,
  group: string,
  mark: Position,
  what: string,
  commit: (generation: Generation) => Promise<void>,
): Promise<void> {
  const done = Promise.withResolvers<void>();
  done.promise.catch(() => {});
  const options = {
    group,
    topics: [mark.topic],
    sessionTimeoutMs: SESSION_MS,
    heartbeatIntervalMs: HEARTBEAT_MS,
    purpose: PURPOSE,
    metadataMaxAgeMs: METADATA_MAX_AGE_MS,
  };
  const member = new Member(cluster, options, {
    claim: () => ({ owned: [mark], sinceMs: Date.now(), exclusive: true }),
    assigned: (partitions, generation) => {
      if (!partitions.some(({ topic, partition }) => topic === mark.topic && partition === mark.partition)) return;
      commit(generation).then(done.resolve, (error) => {
        // The group has moved on: the next generation is asked.
        if (!isLiveGroup(error)) done.reject(error);
      });
    },
    failed: done.reject,
    releasing: () => Promise.resolve(),
    accepted() {},
    suspended() {},
    expelled() {},
    log() {},
  });
  try {
    if (!await waitUntilSettled(done.promise, DEADLINE_MS)) {
      throw new BrokerError(`Cannot ${what}: the partition could not be owned within ${DEADLINE_MS} ms`);
    }
    await done.promise;
  } catch (error) {
    throw brokerError(`Cannot ${what}`, error);
  } finally {
    await waitUntilSettled(member.close(), CLOSE_MS);
  }
}
