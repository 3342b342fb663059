/**
 * The broker interface, administration: topics, the ends of their partitions, any place of a log, and the committed offsets
 * of groups.
 */
import type { Position, TopicPartition } from "../support/position.ts";
import type { StoredRecord } from "./record.ts";

/** A topic as it is. */
export interface TopicDescription {
  /** The number of its partitions. */
  readonly partitions: number;
  /** Its configuration by Kafka's names, such as `"max.message.bytes"`. */
  readonly config: ReadonlyMap<string, string>;
}

/** A topic to create. */
export interface NewTopic {
  /** Its full name. */
  name: string;
  /** The number of its partitions. @default the broker's default; 1 for an embedded broker */
  partitions?: number;
  /** The number of copies of each partition. An embedded broker ignores it. @default the broker's default */
  replicationFactor?: number;
  /**
   * Its configuration by Kafka's names. With `"cleanup.policy": "compact"` a later record of a key removes the earlier ones:
   * each record must have a key.
   *
   * @default the broker's defaults
   */
  config?: Readonly<Record<string, string>>;
}

/** The ends of a partition's log. It is empty if both are the same. */
export interface PartitionEnds {
  /** The partition's number. */
  partition: number;
  /** The offset of the first record that is still there. */
  low: number;
  /** The offset that the next record will get. */
  high: number;
}

/** The ends of a partition, as far as they can be known now. */
export interface ListedEnds {
  /** The partition's number. */
  readonly partition: number;
  /** The offset of the first record that is still there; `null` if it is not known. */
  readonly low: number | null;
  /** The offset that the next record will get; `null` if it is not known. */
  readonly high: number | null;
  /** The reason why they are not known, such as `"it has no leader"`; `null` if they are. */
  readonly problem: string | null;
}

/** The partitions of a topic, as far as they can be known now. */
export interface ListedTopic {
  /** Its partitions, by number. */
  readonly partitions: readonly ListedEnds[];
  /** The reason why the topic cannot be looked at, although it may exist; `null` for none. */
  readonly problem: string | null;
}

/** The first record of a partition from a position on. */
export interface ListedHead {
  /** Its offset. If there is none, the position up to which there is none: the end of the log, or of what can be read of it. */
  readonly offset: number;
  /** The time of its append, in ms since 1970; `null` if there is none. */
  readonly timestampMs: number | null;
}

/** A member of a group. */
export interface GroupMember {
  /** Its id, unique in the group. */
  readonly id: string;
  /** The full names of the topics that it reads; `null` while the group assigns its partitions: it is not known then. */
  readonly topics: readonly string[] | null;
  /** The partitions that it owns. */
  readonly partitions: readonly TopicPartition[];
}

/** The commit of a group for a partition. */
export interface CommittedOffset {
  /** The partition's number. */
  partition: number;
  /** The offset of the next record to perform; `null` if nothing is committed. */
  offset: number | null;
  /** The metadata of the commit; `""` for none. */
  metadata: string;
}

/** Options of reading a place of a log. */
export interface ReadOptions {
  /** The offset to start at. Below the first offset that is still there, reading starts at that one. */
  readonly from: number;
  /** The offset to stop at: no record from it on is returned. @default the end of the log */
  readonly to?: number;
  /**
   * The most bytes of the log to read at once, with the values also where they are left out. The call blocks the event loop
   * for as long as it takes to decode so much: some milliseconds a MiB. A single larger record is still returned.
   */
  readonly maxBytes: number;
  /**
   * Whether the records have their values. `false` saves their memory: a value is `""` then, but that of a tombstone is
   * still `null` (and that of a record that is `unreadable`). A fault of the value alone may not be noticed.
   *
   * @default true
   */
  readonly values?: boolean;
  /** Ends the call early. */
  readonly signal?: AbortSignal;
}

/** A place of a partition's log. */
export interface LogPage {
  /**
   * The records, in the order of their offsets; only those that are committed. A record that cannot be read is `unreadable`,
   * as a consumer gets it. May be empty although more follow. A string of a small record may keep up to 2 KiB beside it
   * alive: copy what is kept for long.
   */
  readonly records: readonly StoredRecord[];
  /**
   * The position to continue at. It lies beyond control records, and aborted and compacted records. Everything has been read
   * once it is not less than `lastStable`, or `to`. It is never less than `from`, also if that lies beyond the end.
   */
  readonly next: number;
  /** The offset of the first record that is still there. Compaction does not change it. */
  readonly low: number;
  /** The offset that the next record will get. */
  readonly high: number;
  /** The end of what can be read: less than `high` while a transaction is open, and the same where there is none. */
  readonly lastStable: number;
}

/** The administration of a broker. Each call connects by itself, and rejects with a `BrokerError` if it cannot. */
export interface BrokerAdmin {
  /**
   * Describes topics.
   *
   * @returns an entry for each name; `null` for a topic that does not exist
   */
  describe(topics: readonly string[]): Promise<ReadonlyMap<string, TopicDescription | null>>;

  /** Creates topics. A topic that exists stays as it is. */
  create(topics: readonly NewTopic[]): Promise<void>;

  /**
   * Gives a topic more partitions.
   *
   * @param count the new number of partitions
   * @throws {UnknownTopicError} if the topic does not exist
   * @throws {BrokerError} if it has as many partitions already
   */
  addPartitions(topic: string, count: number): Promise<void>;

  /**
   * Reads the ends of each partition of a topic.
   *
   * @throws {UnknownTopicError} if the topic does not exist
   */
  ends(topic: string): Promise<readonly PartitionEnds[]>;

  /**
   * Reads the ends of many topics, in few requests. A partition whose leader is away, or does not respond, has
   * a `problem` after a second or a few, and the others are known.
   *
   * @returns an entry for each name; `null` for a topic that does not exist
   */
  listEnds(topics: readonly string[]): Promise<ReadonlyMap<string, ListedTopic | null>>;

  /**
   * Reads the first record of many partitions from a position on, in few requests. It needs no group, as `read`.
   *
   * @param positions one of each partition at most
   * @returns an entry for each position, in their order; `null` for a partition that does not exist, or that cannot be read
   *   within a second or a few
   * @throws the reason of the signal
   */
  listHeads(positions: readonly Position[], signal?: AbortSignal): Promise<readonly (ListedHead | null)[]>;

  /**
   * Reads a place of a log. It needs no group, and no group notices it.
   *
   * Calls that continue at `next` see each record that stays in the log. A record of a compacted topic that is deleted between
   * two calls may have been seen without its tombstone being seen: an embedded broker removes a tombstone once each consumer
   * of its partition has received it.
   *
   * @param partition its number, from 0
   * @throws {UnknownTopicError} if the topic does not exist
   * @throws {BrokerError} if the partition does not exist, or cannot be read in time
   * @throws the reason of the signal
   */
  read(topic: string, partition: number, options: ReadOptions): Promise<LogPage>;

  /**
   * Reads what a group has committed for each partition of a topic. A group that does not exist has committed nothing.
   *
   * @throws {UnknownTopicError} if the topic does not exist
   */
  committed(group: string, topic: string): Promise<readonly CommittedOffset[]>;

  /**
   * Reads what a group has committed for each partition of many topics, in few requests.
   *
   * @returns an entry for each name; `null` for a topic that does not exist
   */
  listCommitted(
    group: string,
    topics: readonly string[],
  ): Promise<ReadonlyMap<string, readonly CommittedOffset[] | null>>;

  /**
   * Lists the live members of a group. One that has died without leaving counts as live until its session has expired.
   *
   * @returns none for a group that does not exist
   */
  members(group: string): Promise<readonly GroupMember[]>;

  /**
   * Lists the groups that have committed an offset of a topic. It takes a few seconds at most: of a cluster with thousands
   * of groups, some may be missing.
   *
   * @returns an entry for each topic, with the names in alphabetical order; none for a topic that does not exist
   */
  groups(topics: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;

  /**
   * Moves a group that has no members, forwards or backwards.
   *
   * @param to the next record to perform, for each partition to move
   * @throws {BrokerError} if the group has members, or if a partition ends before the offset
   */
  seek(group: string, to: readonly Position[]): Promise<void>;
}
