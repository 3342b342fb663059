/**
 * The part of the conformance suite that each broker's tests provide: how the broker is opened, and how to cause from
 * outside what no client of the broker interface can cause. Each case has topics and groups of its own, so that all
 * cases can share one log.
 */
import type { Broker, Capabilities, Consumer } from "../../../src/broker/broker.ts";
import type { Position, TopicPartition } from "../../../src/support/position.ts";

/** A broker to test. An optional member that is missing excuses the broker from the cases that need it. */
export interface Harness {
  /** The start of each test's name. */
  readonly name: string;
  /** The abilities of the broker. */
  readonly capabilities: Capabilities;
  /** The session timeout of the consumers, in ms: short, so that a session expires well within `limitMs`. */
  readonly sessionTimeoutMs: number;
  /** The longest wait of a case for a condition, in ms. Only a failure takes so long. */
  readonly limitMs: number;
  /** Opens a client, as another process would. The suite disposes of it. */
  open(): Broker;
  /** Deletes a topic and creates it again, empty. */
  recreateTopic?(topic: string, partitions: number): Promise<void>;
  /** Deletes the records of a partition before an offset, as retention does. */
  deleteRecords?(before: Position): Promise<void>;
  /** Another member takes the partition from a live group, commits with metadata of its own, and leaves. */
  commitAs?(group: string, to: Position, metadata: string): Promise<void>;
  /** The group takes the consumer for dead, and the consumer notices; resolves at once or later. */
  expire?(consumer: Consumer): Promise<void>;
  /** Uses up at least one offset without a record, as an aborted transaction does. */
  appendControl?(at: TopicPartition): Promise<void>;
  /** Makes every record of a partition older, of a broker that keeps tombstones as long as their readers need them. */
  ageRecords?(at: TopicPartition, ms: number): Promise<void>;
}

/** The members of the harness that a case may need. */
export type Need = "recreateTopic" | "deleteRecords" | "commitAs" | "expire" | "appendControl" | "ageRecords";

/** A case from which a broker is excused. */
export interface Skip {
  /** The name of the case. */
  readonly name: string;
  /** The capability, or the member of the harness, that is missing. */
  readonly missing: Need;
}

/** Whether a broker and its harness have what a case needs. */
export function has(harness: Harness, need: Need): boolean {
  return harness[need] !== undefined;
}
