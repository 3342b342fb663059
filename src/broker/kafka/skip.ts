/**
 * Moves a group past one record; a batch that cannot be read is passed over as a whole. A group without members needs no
 * more than a commit. Beside live workers a member is needed that owns the partition: one that joins, claims nothing but it, commits and
 * leaves. The worker that had it loses it in between, so that nothing of its old ownership can set the group back.
 */
import { BrokerError, UnknownTopicError } from "../../errors.ts";
import { waitUntilSettled } from "../../support/deadline.ts";
import { formatPosition, type Position } from "../../support/position.ts";
import type { Commit, DecideSkip } from "../broker.ts";
import { alreadySkippedError, outsideOfLogError, skipsOthersError } from "../refusals.ts";
import { brokerError } from "./broker_error.ts";
import { isLiveGroup } from "./admin.ts";
import type { Generation } from "./consumer/generation.ts";
import { Member } from "./consumer/member.ts";
import { MAX_METADATA_LENGTH, workerMetadata } from "./consumer/ownership.ts";
import { MOVE_PATIENCE_MS, type Questions } from "./questions.ts";
import { findRecordEnd } from "./record_end.ts";
import type { Cluster, Purpose } from "./wire/cluster.ts";
import { Code, ProtocolError } from "./wire/errors.ts";

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
 * @throws {BrokerError} if the record is not there, the group is past it already or has not come to it, or the partition
 * could not be owned within a minute
 */
export async function skipRecord(
  cluster: Cluster,
  questions: Questions,
  group: string,
  position: Position,
  decide: DecideSkip,
): Promise<void> {
  const { topic, partition, offset } = position;
  const what = `skip ${formatPosition(position)}`;
  const partitions = await questions.partitionsOf(topic);
  if (partitions === null) throw new UnknownTopicError(`Cannot ${what}: the topic does not exist`);
  if (!partitions.includes(partition)) {
    throw new BrokerError(`Cannot ${what}: the topic has ${partitions.length} partitions`);
  }
  const { low, high } = (await questions.endsOf(topic)).find((ends) => ends.partition === partition)!;
  // Kafka takes any offset: the group would pass over the record that comes there.
  if (offset >= high) throw outsideOfLogError(what, high);
  const current = async (): Promise<Commit> => {
    const [committed] = await questions.committed(group, [position]);
    if (committed) return { offset: committed.offset, metadata: workerMetadata(committed.metadata) };
    return { offset: low, metadata: "" };
  };
  let committed = await current();
  if (committed.offset > offset) throw alreadySkippedError(group, position, committed.offset);
  const end = await questions.ask(what, () => findRecordEnd(cluster, position), MOVE_PATIENCE_MS);
  const commit = async (generation?: Generation): Promise<boolean> => {
    let maxLength = MAX_METADATA_LENGTH;
    while (true) {
      const decided = decide(committed, end, maxLength);
      if (decided === null) return false;
      try {
        await questions.commit(group, [{ topic, partition, ...decided }], generation);
        return true;
      } catch (error) {
        // A broker may accept less. Nothing shorter is left to try once it is empty.
        if (!isMetadataTooLong(error) || decided.metadata === "") throw error;
        maxLength = Math.floor(decided.metadata.length / 2);
      }
    }
  };
  try {
    // Its owner may have come to it without having committed so yet: the last marks show it.
    if (await commit()) return;
  } catch (error) {
    if (!isLiveGroup(error)) throw error instanceof BrokerError ? error : brokerError(`Cannot ${what}`, error);
  }
  let isDecided = true;
  await commitAsOwner(cluster, group, position, what, async (generation) => {
    committed = await current();
    isDecided = committed.offset > offset || await commit(generation);
  });
  if (!isDecided) throw skipsOthersError(group, position, committed.offset);
}

function isMetadataTooLong(error: unknown): boolean {
  return error instanceof ProtocolError && error.code === Code.offsetMetadataTooLarge;
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
