/**
 * The broker interface, consumers: a member of a group that receives records of the partitions that it owns.
 *
 * 1. The caller starts it (`broker.consume`) and gives it a {@linkcode ConsumerSink}.
 * 2. The consumer joins the group, calls `assigned` with its ownerships, then `membership(true)`, and `records` as they
 *    come.
 * 3. The caller pauses and resumes partitions, and commits marks.
 * 4. At a rebalance the consumer calls `releasing`, `lost` for what it loses, and `assigned` for what it gets.
 * 5. `close` ends every ownership and leaves the group.
 *
 * The broker has the fetch position, the membership, the committed offsets, and applies pauses again after a rejoin.
 * The caller has the records that wait, run and are finished, and writes the metadata of a commit.
 */
import type { LostReason } from "../monitor/events.ts";
import type { TopicPartition } from "../support/position.ts";
import type { StoredRecord } from "./record.ts";

/** Options of a consumer. */
export interface ConsumeOptions {
  /** The name of its group. */
  readonly group: string;
  /** The full names of the topics. Members of one group may have different topics. */
  readonly topics: readonly string[];
  /** After so long without a heartbeat the group takes the consumer for dead, in ms. */
  readonly sessionTimeoutMs: number;
  /** The time between heartbeats, in ms. @default a fifth of `sessionTimeoutMs` */
  readonly heartbeatIntervalMs?: number;
  /**
   * The most bytes of one fetch of the log, over all partitions. A single larger record is still delivered. An embedded
   * broker reads one partition at a time, and may read less of it at once.
   */
  readonly maxFetchBytes: number;
  /**
   * The largest record that the broker must unpack, in bytes. A larger one may be delivered as unreadable, without key and
   * value.
   *
   * @default chosen by the broker
   */
  readonly maxRecordBytes?: number;
  /** Whether a topic may be missing at the start: it is reported only once it existed and was deleted. @default false */
  readonly mayBeMissing?: boolean;
}

/**
 * One uninterrupted ownership of a partition: the fencing token of all that the caller does with it. The broker makes a
 * new object for each ownership.
 *
 * An ownership continues over a rebalance only if the group's committed offset is proved to be this ownership's own:
 * its last acknowledged commit, or a later one whose outcome is unknown, or, if it sent none, what was committed at its
 * start. As the proof a broker may put `id` before the metadata of each commit; it removes it again when it reads the
 * commit.
 */
export interface Ownership extends TopicPartition {
  /** A unique string. */
  readonly id: string;
  /**
   * The commit of the group when the ownership started; `null` for nothing. `offset` is the next record to
   * perform.
   */
  readonly committed: { readonly offset: number; readonly metadata: string } | null;
  /** Aborts when the ownership ends, before the sink's `lost` is called. */
  readonly lost: AbortSignal;
}

/** Records of one partition, in the order of their offsets. */
export interface RecordBatch {
  /** May be empty: the offsets up to `next` hold no record for the caller. */
  readonly records: readonly StoredRecord[];
  /** The position after this batch. It lies beyond control records, and aborted and compacted records. */
  readonly next: number;
  /** The end of the partition as known with this batch: the offset that the next record will get. */
  readonly highWatermark: number;
}

/** A position to commit. */
export interface Mark {
  /** The ownership under which the records were received. */
  readonly ownership: Ownership;
  /** The offset of the next record to perform: every record before it is finished. */
  readonly next: number;
  /** ASCII, at most `maxCommitMetadataLength` characters. */
  readonly metadata: string;
}

/**
 * The outcome of one mark. `"committed"`: written. `"refused"`: not written, but the ownership may go on: send it
 * again. `"metadata_too_long"`: not written, since the broker accepts less metadata: send it again with less. `"ended"`: not
 * sent, the ownership has ended. `"unknown"`: it may be written.
 */
export type CommitOutcome = "committed" | "refused" | "metadata_too_long" | "ended" | "unknown";

/** Options of a commit. */
export interface CommitOptions {
  /**
   * The longest time to wait for the broker, in ms; after it the outcome is `"unknown"`.
   *
   * @default no limit of its own
   */
  readonly deadlineMs?: number;
}

/**
 * The caller's side of a consumer. The consumer calls it synchronously, but never from within a call of `append`,
 * `consume`, `pause`, `resume` or `commit`. The methods return at once and never throw.
 */
export interface ConsumerSink {
  /**
   * The consumer's partitions have changed. Every ownership that ended was passed to `lost` before.
   *
   * @param added the new ownerships
   * @param continued the ownerships that go on
   */
  assigned(added: readonly Ownership[], continued: readonly Ownership[]): void;

  /** Records of a live ownership. */
  records(ownership: Ownership, batch: RecordBatch): void;

  /**
   * A rebalance has started: the last moment to commit before partitions may move. A hint, which may not come.
   *
   * @param ownerships all ownerships of the consumer
   * @returns the marks to commit at once. Their outcome is not reported: the caller keeps them until `assigned` or
   * `lost`
   */
  releasing(ownerships: readonly Ownership[]): readonly Mark[];

  /** These ownerships have ended: from now on none of their records may be marked, committed or dead-lettered. */
  lost(ownerships: readonly Ownership[], reason: LostReason): void;

  /** Records that were not yet delivered were deleted by retention: the offsets `from` up to, but without, `to`. */
  expired(ownership: Ownership, from: number, to: number): void;

  /**
   * The membership of the group has changed.
   *
   * @param isMember `false` once the session may have expired or the ownerships are not proved: no job may start until
   * it is `true` again
   */
  membership(isMember: boolean): void;

  /**
   * The session stays lost although the broker responds. The consumer goes on trying; `membership(true)` follows once it is
   * valid again. Called repeatedly as long as it lasts, by brokers where it can happen.
   *
   * @param lostMs time since it was lost, in ms
   */
  stalled?(lostMs: number): void;

  /** The consumer has failed and will not recover by itself. */
  failed(error: Error): void;
}

/** A member of a group. Disposing of it closes it within a second or so. */
export interface Consumer extends AsyncDisposable {
  /**
   * Resolves at the first assignment, also an empty one; rejects if none can come. It never causes an unhandled
   * rejection.
   */
  readonly joined: Promise<void>;

  /**
   * The time until which the session is known to be valid, on the clock of `performance.now()`, in ms; `Infinity` if
   * sessions do not expire, 0 before the first assignment. The caller reads it before it starts or marks a job: a job
   * that blocks the event loop past its session also blocks the timer behind `membership(false)`, so that only a clock
   * can tell in time.
   */
  readonly sessionValidUntilMs: number;

  /**
   * Delivers nothing of this ownership until `resume`. Calling it twice, or after the ownership has ended, does
   * nothing.
   */
  pause(ownership: Ownership): void;

  /** Ends a pause. Calling it twice, or after the ownership has ended, does nothing. */
  resume(ownership: Ownership): void;

  /**
   * Commits marks. It never rejects, and never moves a group backwards.
   *
   * @returns one outcome for each mark, in order
   */
  commit(marks: readonly Mark[], options?: CommitOptions): Promise<readonly CommitOutcome[]>;

  /**
   * Ends every ownership (with the reason `"closed"`) and leaves the group. The caller commits first. Afterwards
   * nothing of the sink is called.
   *
   * @param deadlineMs it resolves after so long at the latest, in ms, even if the broker does not respond
   */
  close(deadlineMs: number): Promise<void>;
}
