/**
 * What comes out of one assigned partition: where it stands, and what a fetched batch means there. It lives from the
 * assignment of the partition to its loss, over rebalances; its ownership may end and begin anew meanwhile.
 */
import type { KafkaMessage } from "./kafkajs.ts";
import type { StoredRecord } from "../broker.ts";
import { safeOffset } from "./cluster.ts";
import { headersFrom } from "./headers.ts";
import type { KafkaOwnership } from "./ownership.ts";
import type { TopicPartition } from "../../support/position.ts";

/** What a batch means for a partition that stands at a certain position. */
export type Reading =
  /** It follows. */
  | "next"
  /** It was fetched before the position was settled: fetch again from there. */
  | "stray"
  /** The log begins later than the position. */
  | "gap"
  /** The log is another one. */
  | "restart";

/** A batch from below the position is fetched again from there; who comes from below again and again is another log. */
const MAX_STRAYS = 3;

/** See the module. */
export class Intake implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  /** `null` until the first proof. */
  ownership: KafkaOwnership | null = null;
  /** Whether the ownership is proved in the current generation. */
  proved = false;
  /** The offset to hand over next; `null` for the log's beginning, wherever that is. */
  position: number | null = null;
  /** Whether the client said that it goes to the log's beginning, since the log does not have the position. */
  wasReset = false;
  /** Whether something went by while the ownership was not proved. */
  missed = false;
  /** Whether the worker wants nothing for now. */
  paused = false;
  /** Whether the client fetches nothing for now. */
  halted = false;
  #strays = 0;
  #resumed: PromiseWithResolvers<void> | null = null;

  constructor({ topic, partition }: TopicPartition) {
    this.topic = topic;
    this.partition = partition;
  }

  /** Begins a new ownership at a position. */
  begin(ownership: KafkaOwnership, position: number | null): void {
    this.ownership = ownership;
    this.position = position;
    this.wasReset = false;
    this.paused = false;
    this.resumed();
  }

  /**
   * Reads a batch's place. Only the client's own reset, after a position that the log does not have, makes it fetch on from
   * anywhere else than where it was.
   */
  read(fetchedFrom: number): Reading {
    const { position } = this;
    if (position === null || fetchedFrom === position) return "next";
    if (fetchedFrom > position) return "gap";
    // The reset is heard of through the client's log, which the environment can turn off.
    return this.wasReset || this.#strays++ >= MAX_STRAYS ? "restart" : "stray";
  }

  /** The batch was taken: the next one follows at this offset. */
  advance(next: number): void {
    this.position = next;
    this.wasReset = false;
    this.#strays = 0;
  }

  /** Waits until the worker resumes it. */
  untilResumed(): Promise<void> {
    return (this.#resumed ??= Promise.withResolvers<void>()).promise;
  }

  /** The worker has resumed it. */
  resumed(): void {
    this.#resumed?.resolve();
    this.#resumed = null;
  }
}

/** The records of the broker interface from what kafkajs decoded. */
export function recordsFrom(messages: readonly KafkaMessage[]): StoredRecord[] {
  return messages.map((message) => ({
    offset: safeOffset(message.offset),
    key: message.key,
    value: message.value,
    headers: headersFrom(message.headers),
    timestampMs: Number(message.timestamp),
  }));
}
