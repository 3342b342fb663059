/**
 * The seam: a partitioned log with consumer groups. It knows records and offsets, never jobs. Interfaces only.
 *
 * Whose is what. The broker's: fetch position, membership, generations, committed offsets, applying a pause again after a rejoin.
 * The worker's: what is taken, running, finished, and what the commit's metadata says.
 */

import type { Monitor } from "../monitor/monitor.ts";

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface Position extends TopicPartition {
  readonly offset: number;
}

/** A list, never an object: names may repeat (who reads one takes the last), may be called `constructor`, values may be null. */
export type Headers = readonly (readonly [name: string, value: Uint8Array | null])[];

export interface NewRecord {
  readonly partition?: number;
  readonly key?: Uint8Array | string | null;
  readonly value: Uint8Array | string | null;
  readonly headers?: Headers;
}

/** Keys and values are texts or bytes, as the broker keeps them; a text stands for its bytes in UTF-8. */
export interface StoredRecord {
  readonly offset: number;
  readonly key: Uint8Array | string | null;
  readonly value: Uint8Array | string | null;
  readonly headers: Headers;
  readonly timestampMs: number;
  /** The reason why the broker cannot read it as it was stored: it is poison. Absent for a record that is sound. */
  readonly unreadable?: string;
}

/** `unknown`: it may be in the log. */
export type AppendOutcome =
  | { readonly ok: true; readonly position: Position }
  | { readonly ok: false; readonly error: Error; readonly written: "no" | "unknown" };

export interface Capabilities {
  /** `commit(…, { append })` is one step. memory, sqlite: true. kafkajs: false (its transactions are not fenced by generation). */
  readonly atomicAppendAndCommit: boolean;
  /** The broker itself refuses a former owner's commit. memory, sqlite: true. kafkajs: false, the adapter checks. */
  readonly fencedCommits: boolean;
  /** Several consumers of one group share the partitions. sqlite: false (one worker holds all). */
  readonly sharedGroups: boolean;
  /** What an acknowledged record survives. */
  readonly durability: "none" | "process" | "power";
  /** In characters; the codec writes ASCII only. */
  readonly maxCommitMetadataLength: number;
}

/** Disposing of it settles every call that is pending (an append as `unknown`) and returns within seconds. */
export interface Broker extends AsyncDisposable {
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly admin: BrokerAdmin;
  /** Resolves once the broker answers. Other calls connect by themselves; this one says early that it cannot be done. */
  connect(signal?: AbortSignal): Promise<void>;

  /**
   * Appends to one topic, in order per partition. Never rejects: one outcome a record, so that one bad record harms no
   * other. The caller keeps one call in flight a topic. Sending again, halving and throwing a producer away are the
   * broker's business; a keyless record gets its partition here.
   */
  append(
    topic: string,
    records: readonly NewRecord[],
    options?: { readonly durability?: "buffered" | "durable" },
  ): Promise<readonly AppendOutcome[]>;

  /** Synchronous, so that it can be paused or closed while the first join is pending. */
  consume(options: ConsumeOptions, sink: ConsumerSink): Consumer;

  /**
   * Moves a group past the record that it is at, also while its workers live: their ownership of that partition ends and
   * begins anew. Refused where it is at an earlier one, unless it is forced to: the records between are passed over, too.
   */
  skip(group: string, position: Position, options?: SkipOptions): Promise<void>;
}

/** How a record is passed over. */
export interface SkipOptions {
  /** Pass over what stands before it as well, where the group has not come to it. @default false */
  readonly force?: boolean;
}

/**
 * Where an App's records live, before anything is connected: what `kafka({ … })` and `memory()` answer, and what a
 * `broker: "kafka://…"` is read into.
 */
export interface BrokerSource {
  /** Safe to show: it never has a secret in it. */
  readonly name: string;
  /** It runs in the process and has no operator: its topics are made at first use. @default false */
  readonly embedded?: boolean;
  /** What its process must be allowed, where that is guarded: in Deno. @default nothing */
  readonly permissions?: BrokerPermissions;
  /**
   * Loads the broker's code and makes one: whoever never enqueues or performs does not pay for it. Nothing is connected.
   *
   * @internal
   */
  open(context: BrokerContext): Promise<Broker>;
}

/** What a broker touches outside of the process. */
export interface BrokerPermissions {
  /** What it connects to, each as `host:port`. */
  readonly net?: readonly string[];
  /** The environment variables that it looks at. */
  readonly env?: readonly string[];
  /** The files that it reads. */
  readonly read?: readonly string[];
  /** The files that it writes. */
  readonly write?: readonly string[];
}

export interface BrokerContext {
  readonly clientId: string;
  readonly monitor: Monitor;
}

export interface ConsumeOptions {
  readonly group: string;
  readonly topics: readonly string[];
  readonly sessionTimeoutMs: number;
  /** @default a fifth of the session */
  readonly heartbeatIntervalMs?: number;
  readonly maxFetchBytes: number;
}

/**
 * One uninterrupted ownership of a partition: the fencing token. A new object for every ownership. It is continued over
 * a rebalance only if what the group has committed is our last acknowledged commit, or one sent after it whose outcome is
 * unknown, or, if none was sent, what it was at the start. The adapter puts `id` before the worker's metadata in each
 * commit and takes it off again: that is the proof.
 */
export interface Ownership extends TopicPartition {
  readonly id: string;
  readonly committed: { readonly offset: number; readonly metadata: string } | null;
  readonly lost: AbortSignal;
}

/** `next`: the position after this hand-over, beyond control, aborted and compacted records. `records` may be empty. */
export interface RecordBatch {
  readonly records: readonly StoredRecord[];
  readonly next: number;
  readonly highWatermark: number;
}

export interface Mark {
  readonly ownership: Ownership;
  readonly next: number;
  readonly metadata: string;
}

/**
 * Called by the broker, synchronously, never inside a call of `append`, `consume`, `pause`, `resume` or `commit`; returns
 * at once and never throws.
 */
export interface ConsumerSink {
  assigned(added: readonly Ownership[], continued: readonly Ownership[]): void;
  records(ownership: Ownership, batch: RecordBatch): void;
  /**
   * The last call before partitions may move (a hint: it may not come). The marks returned are committed at once; the
   * outcome is not reported: keep them until `assigned` or `lost`.
   */
  releasing(ownerships: readonly Ownership[]): readonly Mark[];
  /** After this nothing of them is marked, committed or dead-lettered. Comes at once; `assigned` after the proof. */
  lost(ownerships: readonly Ownership[], reason: "revoked" | "unknown" | "restarted" | "closed"): void;
  /** Retention took `from` … `to`. */
  gone(ownership: Ownership, from: number, to: number): void;
  /** False once the session may have expired, or ownership is not proved yet: start no job until it is true again. */
  membership(held: boolean): void;
  /** It will not come back by itself. */
  failed(error: Error): void;
}

export interface Consumer extends AsyncDisposable {
  /** Resolves at the first assignment (also an empty one); rejects if that can never come. Never unhandled. */
  readonly joined: Promise<void>;
  /**
   * Until when (on the clock of `performance.now()`) the session is known to be good; `Infinity` where there are none, 0
   * before the first join. Asked before each start of a job and each mark: a job that blocks the event loop past its
   * session also blocks the timer behind `membership(false)`, so that a call cannot tell in time; a clock can.
   */
  readonly heldUntilMs: number;
  /** Idempotent; applied again after a rejoin. */
  pause(ownership: Ownership): void;
  resume(ownership: Ownership): void;
  /**
   * `refused`: not written, the ownership may go on, send again. `unknown`: it may be written. `ended`: nothing was sent.
   * (later) an `append` beside it where `atomicAppendAndCommit`.
   */
  commit(
    marks: readonly Mark[],
    options?: { readonly deadlineMs?: number },
  ): Promise<readonly ("committed" | "refused" | "ended" | "unknown")[]>;
  /** Leaves the group within the deadline, whatever the broker does. Commit first. */
  close(deadlineMs: number): Promise<void>;
}

export interface BrokerAdmin {
  describe(topics: readonly string[]): Promise<
    ReadonlyMap<string, { readonly partitions: number; readonly config: ReadonlyMap<string, string> } | null>
  >;
  /** Without `partitions`: the broker's default, 1 where it has none. A topic that is there stays as it is. */
  create(
    topics: readonly {
      name: string;
      partitions?: number;
      replicationFactor?: number;
      config?: Readonly<Record<string, string>>;
    }[],
  ): Promise<void>;
  addPartitions(topic: string, count: number): Promise<void>;
  ends(topic: string): Promise<readonly { partition: number; low: number; high: number }[]>;
  committed(group: string, topic: string): Promise<
    readonly { partition: number; offset: number | null; metadata: string }[]
  >;
  /** Moves a group that has no members. */
  seek(group: string, to: readonly Position[]): Promise<void>;
}
