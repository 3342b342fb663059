/**
 * Moves a group past one record. A partition without a live owner is moved at once. Else the owner has finished jobs that
 * it has not committed yet, and it could overwrite the commit of the skip; so the skip is a member for a moment:
 *
 * 1. It joins the group, without topics, and asks for the lease of the partition.
 * 2. The owner commits its last marks and hands the lease over. An owner that died is waited for until its session expires.
 * 3. The skip decides on what is committed then, and leaves; the partition is assigned again.
 *
 * A skip that died in between holds the partition until its own session expires.
 */
import { BrokerError } from "../../errors.ts";
import { sleep } from "../../support/deadline.ts";
import { formatPosition, type Position } from "../../support/position.ts";
import type { DecideSkip } from "../broker.ts";
import { alreadySkippedError, skipsOthersError } from "../refusals.ts";
import { partitionAt } from "./admin.ts";
import type { Connection } from "./connection.ts";
import type { DatabaseFile } from "./file.ts";
import { committedOf, MAX_COMMIT_METADATA_LENGTH, move } from "./group_offsets.ts";
import { leaseOf, requestLease } from "./leases.ts";
import { type Candidate, join, membersOf, removeMember } from "./members.ts";
import { Sessions } from "./sessions.ts";

/** The longest time to wait for the owner, in ms. */
const DEADLINE_MS = 60_000;

/** The interval of its checks, in ms. */
const LOOK_EVERY_MS = 20;

/** The session of a skip, and how often it is renewed, in ms. */
const SESSION_MS = 5000;
const RENEW_EVERY_MS = 1000;

/**
 * Moves a group past a record.
 *
 * @param changed called after a write that consumers of this process should see
 * @throws {UnknownTopicError} if the topic does not exist
 * @throws {BrokerError} if the group is past the record or has not come to it, if the log ends before it, or if the owner
 * did not release the partition within a minute
 */
export async function skipRecord(
  file: DatabaseFile,
  group: string,
  position: Position,
  decide: DecideSkip,
  changed: () => void,
): Promise<void> {
  const skip = new Skip(group, position, decide);
  const untilMs = performance.now() + DEADLINE_MS;
  try {
    while (!await file.write((connection) => skip.tryToMove(connection), { durability: "durable" })) {
      changed();
      if (performance.now() >= untilMs) throw notReleasedError(group, position);
      await sleep(LOOK_EVERY_MS);
    }
  } finally {
    // Best effort: else the partition waits until the session of the skip expires.
    if (skip.isMember) await file.write((connection) => skip.leave(connection)).catch(() => {});
    changed();
  }
}

/** One skip. Its methods run inside a transaction. */
class Skip {
  /** Whether it has to leave the group. */
  isMember = false;
  readonly #candidate: Candidate;
  readonly #position: Position;
  readonly #decide: DecideSkip;
  readonly #sessions = new Sessions();
  #renewAtMs = 0;

  constructor(group: string, position: Position, decide: DecideSkip) {
    this.#candidate = { group, id: `skip-${crypto.randomUUID()}`, topics: [], sessionMs: SESSION_MS };
    this.#position = position;
    this.#decide = decide;
  }

  /** @returns whether the group was moved: `false` if the owner was asked to release the partition */
  tryToMove(connection: Connection): boolean {
    const { group, id } = this.#candidate;
    const position = this.#position;
    const end = position.offset + 1;
    const { id: partitionId, ends } = partitionAt(
      connection,
      { ...position, offset: end },
      `skip ${formatPosition(position)}`,
    );
    const committed = committedOf(connection, group, partitionId) ?? { offset: ends.low, metadata: "" };
    if (committed.offset > position.offset) throw alreadySkippedError(group, position, committed.offset);
    this.#sessions.observe(membersOf(connection, group));
    const lease = leaseOf(connection, group, partitionId);
    if (lease !== null && lease.owner !== id && this.#sessions.isLive(lease.owner)) {
      this.#join(connection);
      const { wantedBy } = lease;
      // Another skip of the same partition comes first.
      if (wantedBy === null || !this.#sessions.isLive(wantedBy)) requestLease(connection, group, id, partitionId);
      return false;
    }
    const commit = this.#decide(committed, end, MAX_COMMIT_METADATA_LENGTH);
    if (commit === null) throw skipsOthersError(group, position, committed.offset);
    move(connection, group, partitionId, commit);
    this.leave(connection);
    return true;
  }

  /** Leaves the group, with the lease that it may have. */
  leave(connection: Connection): void {
    removeMember(connection, this.#candidate.group, this.#candidate.id);
  }

  #join(connection: Connection): void {
    if (performance.now() < this.#renewAtMs) return;
    join(connection, this.#candidate);
    this.#renewAtMs = performance.now() + RENEW_EVERY_MS;
    this.isMember = true;
  }
}

function notReleasedError(group: string, position: Position): BrokerError {
  return new BrokerError(
    `Cannot skip ${formatPosition(position)}: a worker of group "${group}" has not released the partition within ` +
      `${DEADLINE_MS} ms; try again, or stop that worker`,
  );
}
