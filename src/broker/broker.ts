/**
 * The broker interface: a partitioned log with consumer groups. It knows records and offsets, never jobs. Each broker
 * (memory, SQLite, Kafka) implements it; the dispatcher, the worker and the command line use nothing else.
 *
 * This file has the broker itself; `record.ts` has the records, `consumer.ts` the consumers, `admin.ts` the
 * administration. All of them are exported from here as well. Types only: importing this file loads no broker.
 */
import type { Monitor } from "../monitor/monitor.ts";
import type { Position } from "../support/position.ts";
import type { BrokerAdmin } from "./admin.ts";
import type { ConsumeOptions, Consumer, ConsumerSink } from "./consumer.ts";
import type { NewRecord } from "./record.ts";

export type {
  BrokerAdmin,
  CommittedOffset,
  GroupMember,
  ListedEnds,
  ListedHead,
  ListedTopic,
  LogPage,
  NewTopic,
  PartitionEnds,
  ReadOptions,
  TopicDescription,
} from "./admin.ts";
export type {
  CommitOptions,
  CommitOutcome,
  ConsumeOptions,
  Consumer,
  ConsumerSink,
  Mark,
  Ownership,
  RecordBatch,
} from "./consumer.ts";
export type { Headers, NewRecord, StoredRecord } from "./record.ts";

/**
 * The outcome of one appended record. `written: "no"`: the record is certainly not in the log. `written: "unknown"`: it
 * may be in the log, since the acknowledgement was lost.
 */
export type AppendOutcome =
  | { readonly ok: true; readonly position: Position }
  | { readonly ok: false; readonly error: Error; readonly written: "no" | "unknown" };

/** Options of an append. */
export interface AppendOptions {
  /**
   * When a record counts as written: `"buffered"` survives the end of the process, `"durable"` also a power failure. A
   * broker for which both are the same ignores it.
   *
   * @default "buffered"
   */
  readonly durability?: "buffered" | "durable";
  /**
   * The compression of the batches in which the records travel and are stored. A broker that stores records one by one
   * ignores it.
   *
   * @default "none"
   */
  readonly compression?: "none" | "gzip" | "zstd";
  /**
   * Called with the outcome of a record as soon as it is known, which may be long before the others: a partition may wait
   * for its replicas. A broker that knows all outcomes at the same time need not call it.
   *
   * @default none: the outcomes are returned
   */
  readonly settled?: (index: number, outcome: AppendOutcome) => void;
}

/** The differences between brokers that the caller must know. */
export interface Capabilities {
  /** Whether the broker forgets what a group has committed, so that nothing committed may not mean that the group is new. */
  readonly offsetsExpire: boolean;
  /** The longest metadata of a commit, in characters. The worker writes ASCII only. */
  readonly maxCommitMetadataLength: number;
  /**
   * Whether several appends to one topic may be in flight at once. The broker then keeps the order of their records, and a
   * partition that cannot be written holds up no other.
   *
   * @default false
   */
  readonly concurrentAppends?: boolean;
}

/**
 * A client of a log. It connects by itself when it is first used, and lives until it is disposed of. Disposing settles
 * each pending call within seconds (an append as `unknown`) and closes the consumers.
 */
export interface Broker extends AsyncDisposable {
  /** The name that messages show, such as `"kafka://a.example:9092"`. It has no secret in it. */
  readonly name: string;
  /** The abilities of this broker. */
  readonly capabilities: Capabilities;
  /** Topics, offsets and committed offsets. */
  readonly admin: BrokerAdmin;

  /**
   * Connects now, so that a broker that cannot be reached is reported early.
   *
   * @param signal aborts the wait
   * @throws {BrokerError} if the broker cannot be reached
   */
  connect(signal?: AbortSignal): Promise<void>;

  /**
   * Appends records to one topic; the records of a partition keep their order. The broker chooses partitions, retries,
   * splits batches and replaces failed producers. Unless
   * the broker allows `concurrentAppends`, the caller has at most one call in flight for each topic.
   *
   * @param topic the full name of the topic
   * @returns one outcome for each record, in order. The call never rejects: one record that fails does not fail the
   * others
   */
  append(topic: string, records: readonly NewRecord[], options?: AppendOptions): Promise<readonly AppendOutcome[]>;

  /**
   * Starts a consumer of a group. It returns at once, so that the caller can pause or close the consumer while it
   * joins.
   *
   * @param sink receives the calls of the consumer
   */
  consume(options: ConsumeOptions, sink: ConsumerSink): Consumer;

  /**
   * Moves a group past one record, also while the group has members: the ownership of that partition ends, and a new
   * one starts with what is committed here.
   *
   * @param position the record to pass over
   * @param decide returns what is committed
   * @throws {BrokerError} if the group is already behind the record, or if it has not come to the record; whatever `decide`
   * throws
   */
  skip(group: string, position: Position, decide: DecideSkip): Promise<void>;
}

/** A commit of a group. */
export interface Commit {
  /** The offset of the next record to perform. */
  readonly offset: number;
  /** The progress beyond it: see `Mark`. */
  readonly metadata: string;
}

/**
 * Decides what a skip commits.
 *
 * @param committed the group's commit, at the record or before it; the start of the log where there is none
 * @param end the position after the record
 * @param maxLength the longest metadata that the broker accepts, in characters
 * @returns `null` if the group must come to the record first: a live worker may be about to commit that
 */
export type DecideSkip = (committed: Commit, end: number, maxLength: number) => Commit | null;

/**
 * The place of an App's records, before anything is connected: the result of `kafka({ … })`, `sqlite(…)` and
 * `memory()`. The string `broker: "kafka://…"` becomes one, too.
 */
export interface BrokerSource {
  /** The name that messages show. It has no secret in it. */
  readonly name: string;
  /**
   * Whether the broker runs in this process, without an operator: its topics are created at their first use.
   *
   * @default false
   */
  readonly embedded?: boolean;
  /** The permissions that the process needs under a runtime that asks for them, such as Deno. @default none */
  readonly permissions?: BrokerPermissions;
  /**
   * Loads the code of the broker and makes a client. A program that neither enqueues nor performs never calls it.
   * Nothing is connected yet.
   *
   * @internal
   */
  open(context: BrokerContext): Promise<Broker>;
}

/** The access that a broker needs outside of the process. */
export interface BrokerPermissions {
  /** The addresses that it connects to, each as `host:port`. @default none */
  readonly net?: readonly string[];
  /** The files that it reads. @default none */
  readonly read?: readonly string[];
  /** The files that it writes. @default none */
  readonly write?: readonly string[];
}

/** The values that an App passes to the broker that it opens. */
export interface BrokerContext {
  /** The name under which the broker's server knows this client. */
  readonly clientId: string;
  /** Receives the broker's events. */
  readonly monitor: Monitor;
}
