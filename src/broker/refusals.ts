/** What the embedded brokers say where they refuse: the same words for the same reason. */
import { BrokerError, RecordTooLargeError, UnknownTopicError, type Written } from "../errors.ts";
import type { AppendOutcome, NewRecord } from "./broker.ts";
import type { Position } from "../support/position.ts";

/** The topic does not exist. @param verb what was to be done: `append to` */
export function unknownTopic(name: string, verb: string): UnknownTopicError {
  return new UnknownTopicError(`Cannot ${verb} topic "${name}": it does not exist`);
}

/** The topic has no such partition. */
export function noPartition(topic: string, partition: number, count: number): BrokerError {
  return new BrokerError(`Cannot find partition ${partition} of topic "${topic}": it has ${count} partitions, from 0`);
}

/** The record is larger than its topic allows. */
export function tooLarge(topic: string, bytes: number, limit: number): RecordTooLargeError {
  return new RecordTooLargeError(
    `Cannot append to topic "${topic}": the record has ${bytes} bytes, but "max.message.bytes" allows ${limit}`,
  );
}

/** A topic can only get more partitions. */
export function notMorePartitions(topic: string, count: number, current: number): BrokerError {
  return new BrokerError(`Cannot give topic "${topic}" ${count} partitions: it has ${current}, and can only get more`);
}

/** The group cannot go on there. @param high where the partition ends */
export function outsideOfLog(at: Position, high: number): BrokerError {
  return new BrokerError(
    `Cannot move a group to offset ${at.offset} of partition ${at.partition} of topic "${at.topic}": it ends at ${high}`,
  );
}

/** The group has passed the record that was to be skipped. */
export function skippedAlready(group: string, at: Position, committed: number): BrokerError {
  return new BrokerError(
    `Cannot skip offset ${at.offset} of partition ${at.partition} of topic "${at.topic}": ` +
      `group "${group}" is at ${committed} already`,
  );
}

/** The records before the one that was to be skipped would go unperformed. @param at the first of them */
export function skipsMore(group: string, position: Position, at: number): BrokerError {
  return new BrokerError(
    `Cannot skip offset ${position.offset} of partition ${position.partition} of topic "${position.topic}": ` +
      `group "${group}" is at ${at}, and what stands before it would never be performed (--force does so)`,
  );
}

/** Somebody works in the group. */
export function groupIsLive(group: string): BrokerError {
  return new BrokerError(`Cannot seek group "${group}": it has members, and must have none`);
}

/** The same for every record of a call. */
export function refuseAll(records: readonly NewRecord[], error: Error, written: Written): AppendOutcome[] {
  return records.map(() => ({ ok: false, error, written }));
}
