/** Administration of the file: topics, offsets, and the committed offsets of groups without live consumers. */
import { formatPosition, type Position, type TopicPartition } from "../../support/position.ts";
import type { BrokerAdmin } from "../broker.ts";
import { groupHasMembersError, outsideOfLogError, unknownPartitionError } from "../refusals.ts";
import type { Connection } from "./connection.ts";
import type { DatabaseFile } from "./file.ts";
import { committedOf, committedOfAll, groupsOf, move } from "./group_offsets.ts";
import { type Ends, endsOf, endsOfAll } from "./log_end.ts";
import { hasLiveMember, liveMembersOf } from "./members.ts";
import { headsOf } from "./heads.ts";
import { read } from "./records.ts";
import { addPartitions, createTopic, existingTopic, findTopic, partitionIdOf } from "./topics.ts";

/**
 * The broker's admin calls on a file.
 *
 * @param changed called after a write that consumers of this process should see
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
      file.read((connection) =>
        partitionsOf(connection, name).map(({ partition, id }) => ({ partition, ...endsOf(connection, id)! }))
      ),
    listEnds: (topics) =>
      file.read((connection) => {
        const ends = endsOfAll(connection, topics);
        return new Map(topics.map((name) => {
          if (findTopic(connection, name) === null) return [name, null];
          const partitions = (ends.get(name) ?? []).map((end) => ({ ...end, problem: null }));
          return [name, { partitions, problem: null }];
        }));
      }),
    async listHeads(positions, signal) {
      signal?.throwIfAborted();
      return await file.read((connection) => headsOf(connection, positions), signal === undefined ? {} : { signal });
    },
    async read(topic, partition, { from, to = Infinity, maxBytes, values = true, signal }) {
      signal?.throwIfAborted();
      return await file.read((connection) => {
        const { id, ends: { low, high } } = existingPartition(connection, { topic, partition });
        const start = Math.max(from, low);
        const end = Math.min(high, to);
        const { records, next } = read(connection, id, start, end, maxBytes, values) ?? { records: [], next: start };
        return { records, next, low, high, lastStable: high };
      }, signal === undefined ? {} : { signal });
    },
    committed: (group, name) =>
      file.read((connection) =>
        partitionsOf(connection, name).map(({ partition, id }) => {
          const committed = committedOf(connection, group, id);
          return { partition, offset: committed?.offset ?? null, metadata: committed?.metadata ?? "" };
        })
      ),
    listCommitted: (group, topics) =>
      file.read((connection) => {
        const commits = committedOfAll(connection, group, topics);
        return new Map(topics.map((name) => [name, commits.get(name) ?? null]));
      }),
    members: (group) => file.read((connection) => liveMembersOf(connection, group)),
    groups: (topics) => file.read((connection) => new Map(topics.map((name) => [name, groupsOf(connection, name)]))),
    seek: (group, to) =>
      write((connection) => {
        if (hasLiveMember(connection, group)) throw groupHasMembersError(group);
        for (const position of to) move(connection, group, partitionAt(connection, position).id, position);
      }),
  };
}

/**
 * The partition of a position at which a group can go on.
 *
 * @param what what was to be done, for the error
 */
export function partitionAt(
  connection: Connection,
  at: Position,
  what: string = `move a group to ${formatPosition(at)}`,
): { readonly id: number; readonly ends: Ends } {
  const found = existingPartition(connection, at);
  const { high } = found.ends;
  if (Number.isSafeInteger(at.offset) && at.offset >= 0 && at.offset <= high) return found;
  throw outsideOfLogError(what, high);
}

/** A partition that must exist. */
function existingPartition(connection: Connection, at: TopicPartition): { readonly id: number; readonly ends: Ends } {
  const topic = existingTopic(connection, at.topic, "find");
  const id = partitionIdOf(connection, topic.id, at.partition);
  if (id === undefined) throw unknownPartitionError(at.topic, at.partition, topic.partitions);
  return { id, ends: endsOf(connection, id)! };
}

/** Every partition of a topic that must exist. */
function partitionsOf(connection: Connection, name: string): { readonly partition: number; readonly id: number }[] {
  const topic = existingTopic(connection, name, "look at");
  return connection.all<readonly [partition: number, id: number]>(
    "SELECT partition, id FROM partitions WHERE topic_id = ? ORDER BY partition",
    topic.id,
  ).map(([partition, id]) => ({ partition, id }));
}
