/** What an administrator may do with the file: topics, offsets, and the commits of groups that have no members. */
import type { BrokerAdmin, Position } from "../broker.ts";
import { groupIsLive, noPartition, outsideOfLog, skippedAlready, skipsMore } from "../refusals.ts";
import type { Connection } from "./connection.ts";
import type { DatabaseFile } from "./file.ts";
import { isLive } from "./leases.ts";
import { committedOf, move } from "./group_offsets.ts";
import { endsOf } from "./records.ts";
import { addPartitions, createTopic, existingTopic, findTopic, type SqliteTopic } from "./topics.ts";

/**
 * The administrator's door of a file.
 *
 * @param changed called when something was written that consumers of this process should see
 */
export function sqliteAdmin(file: DatabaseFile, changed: () => void): BrokerAdmin {
  const write = async (step: (connection: Connection) => void) => {
    await file.write(step, { durability: "durable" });
    changed();
  };
  return {
    describe: (topics) => file.read((connection) => new Map(topics.map((name) => [name, findTopic(connection, name)]))),
    create: (topics) => write((connection) => topics.forEach((topic) => createTopic(connection, topic))),
    addPartitions: (topic, count) => write((connection) => addPartitions(connection, topic, count)),
    ends: (name) =>
      file.read((connection) => {
        const { id, partitions } = existingTopic(connection, name, "look at");
        return span(partitions).map((partition) => ({ partition, ...endsOf(connection, id, partition)! }));
      }),
    committed: (group, name) =>
      file.read((connection) => {
        const { id, partitions } = existingTopic(connection, name, "look at");
        return span(partitions).map((partition) => {
          const committed = committedOf(connection, group, id, partition);
          return { partition, offset: committed?.offset ?? null, metadata: committed?.metadata ?? "" };
        });
      }),
    seek: (group, to) =>
      write((connection) => {
        if (isLive(connection, group)) throw groupIsLive(group);
        for (const position of to) move(connection, group, topicAt(connection, position).id, position);
      }),
  };
}

/**
 * Moves a group past the record that it is at, inside of a transaction, also while a worker lives: its ownership of the
 * partition ends and begins anew.
 *
 * @param otherwise what to do with a group that is before it: pass over all, wait if somebody works in it, or refuse
 * @returns whether it was moved: `false` if it may come to it yet
 * @throws {UnknownTopicError} if there is no such topic
 * @throws {BrokerError} if the group is past it already or has not come to it, or the log ends before it
 */
export function skip(
  connection: Connection,
  group: string,
  position: Position,
  otherwise: "pass" | "wait" | "refuse",
): boolean {
  const { partition, offset } = position;
  const next = { ...position, offset: offset + 1 };
  const { id } = topicAt(connection, next);
  const at = committedOf(connection, group, id, partition)?.offset ?? endsOf(connection, id, partition)!.low;
  if (at > offset) throw skippedAlready(group, position, at);
  if (at < offset && otherwise !== "pass") {
    if (otherwise === "wait" && isLive(connection, group)) return false;
    throw skipsMore(group, position, at);
  }
  move(connection, group, id, next);
  return true;
}

/** The topic of a position at which a group can go on. */
function topicAt(connection: Connection, at: Position): SqliteTopic {
  const topic = existingTopic(connection, at.topic, "find");
  const ends = endsOf(connection, topic.id, at.partition);
  if (ends === undefined) throw noPartition(at.topic, at.partition, topic.partitions);
  if (Number.isSafeInteger(at.offset) && at.offset >= 0 && at.offset <= ends.high) return topic;
  throw outsideOfLog(at, ends.high);
}

function span(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
