/**
 * What a broker's tests give to the conformance suite: how its broker is opened, and how to cause from outside what no
 * client of the seam can cause. Each case uses topics and groups of its own, so that all of them can share one log.
 */
import type { Broker, Capabilities, Consumer } from "../../../src/broker/broker.ts";
import type { Position, TopicPartition } from "../../../src/support/position.ts";

/** A broker under test. */
export interface Harness {
  /** Stands before each case's name. */
  readonly name: string;
  /** What the broker says of itself; also what excuses a case that it cannot pass. */
  readonly capabilities: Capabilities;
  /** The sessions of the consumers, in milliseconds: short, so that one that expires does so within the limit. */
  readonly sessionTimeoutMs: number;
  /** How long a case waits for a condition at most, in milliseconds. Generous: only a failure ever takes so long. */
  readonly limitMs: number;
  /** Another process's client over the same log. The suite disposes of it. */
  open(): Broker;
  /** Deletes a topic and makes it anew, empty. */
  recreateTopic(topic: string, partitions: number): Promise<void>;
  /** Takes away the records before an offset, as retention does. */
  deleteRecords(before: Position): Promise<void>;
  /** Another member takes the partition from a live group, commits this with metadata of its own, and leaves. */
  commitAs(group: string, to: Position, metadata: string): Promise<void>;
  /**
   * The group takes the consumer for dead, and the consumer comes to know of it; resolves at once or later. Left out where
   * that cannot be caused.
   */
  expire?(consumer: Consumer): Promise<void>;
  /** Uses up at least one offset that no consumer sees, such as an aborted transaction's. Left out where there are none. */
  appendControl?(at: TopicPartition): Promise<void>;
}

/** What a case may need. */
export type Need = "sharedGroups" | "expire" | "appendControl";

/** A case that a broker was excused from. */
export interface Skip {
  /** The case. */
  readonly name: string;
  /** The capability, or the member of the harness, that is missing. */
  readonly missing: Need;
}

/** Whether the harness has what a case needs. */
export function has(harness: Harness, need: Need): boolean {
  return need === "sharedGroups" ? harness.capabilities.sharedGroups : harness[need] !== undefined;
}
