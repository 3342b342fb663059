/** The errors of the embedded brokers: the same message for the same reason. */
import { BrokerError, RecordRefusedError, RecordTooLargeError, UnknownTopicError, type Written } from "../errors.ts";
import type { AppendOutcome, NewRecord } from "./broker.ts";
import { formatPosition, type Position } from "../support/position.ts";

/**
 * The topic does not exist.
 *
 * @param verb what was to be done, such as `"append to"`
 */
export function unknownTopicError(name: string, verb: string): UnknownTopicError {
  return new UnknownTopicError(`Cannot ${verb} topic "${name}": it does not exist`);
}

/** The topic has no partition of that number. */
export function unknownPartitionError(topic: string, partition: number, count: number): BrokerError {
  return new BrokerError(`Cannot find partition ${partition} of topic "${topic}": it has ${count} partitions, from 0`);
}

/**
 * The record is larger than its topic allows.
 *
 * @param limit the topic's `max.message.bytes`; `null` where it is not known
 */
export function recordTooLargeError(topic: string, bytes: number, limit: number | null): RecordTooLargeError {
  const allowed = limit === null ? 'its "max.message.bytes" is less' : `"max.message.bytes" allows ${limit}`;
  return new RecordTooLargeError(`Cannot append to topic "${topic}": the record has ${bytes} bytes, but ${allowed}`);
}

/** The topic is compacted by key, and the record has none. */
export function keylessError(topic: string): RecordRefusedError {
  return new RecordRefusedError(
    `Cannot append to topic "${topic}": it is compacted by key, and the record has no key`,
  );
}

/** The new number of partitions is not larger than the current one. */
export function notMorePartitionsError(topic: string, count: number, current: number): BrokerError {
  return new BrokerError(`Cannot give topic "${topic}" ${count} partitions: it has ${current}, and can only get more`);
}

/**
 * The offset lies outside of the partition.
 *
 * @param what what was to be done, such as `"skip default/0@41"`
 * @param high the end of the partition
 */
export function outsideOfLogError(what: string, high: number): BrokerError {
  return new BrokerError(`Cannot ${what}: the partition ends at ${high}`);
}

/**
 * The group is already behind the record to skip.
 *
 * @param committed the offset at which the group is
 */
export function alreadySkippedError(group: string, at: Position, committed: number): BrokerError {
  return new BrokerError(
    `Cannot skip ${formatPosition(at)}: group "${group}" is already at offset ${committed}`,
  );
}

/**
 * The group has not come to the record to skip: the records before it would never be performed.
 *
 * @param at the offset at which the group is: the first of those records
 */
export function skipsOthersError(group: string, position: Position, at: number): BrokerError {
  return new BrokerError(
    `Cannot skip ${formatPosition(position)}: group "${group}" is at offset ${at}, and the records before ` +
      `${position.offset} would never be performed; --force passes over them, too`,
  );
}

/** The group has members. */
export function groupHasMembersError(group: string): BrokerError {
  return new BrokerError(`Cannot seek group "${group}": it has members, and must have none`);
}

/** Returns the same failed outcome for each record of a call. */
export function refuseAll(records: readonly NewRecord[], error: Error, written: Written): AppendOutcome[] {
  return records.map(() => ({ ok: false, error, written }));
}
