/**
 * One uninterrupted ownership of a partition, and the proof that it was not interrupted: every commit of it begins with its
 * id, so that the group's committed offset identifies the ownership.
 */
import { RevokedError } from "../../../errors.ts";
import { formatPartition } from "../../../support/position.ts";
import type { Ownership } from "../../broker.ts";

/** A committed offset. */
export interface Committed {
  readonly offset: number;
  readonly metadata: string;
}

/** A commit that was sent. */
export interface SentCommit extends Committed {
  /** Whether the broker acknowledged it. */
  isAcknowledged: boolean;
}

/** Metadata of a commit: a version, the ownership's id, and the worker's part. */
const METADATA = /^aj1:([0-9a-z]{12}):(.*)$/s;
const ID_LENGTH = 12;
const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";
/** Below Kafka's default limit of 4096 characters. */
const MAX_LENGTH = 4000;

/** Characters of metadata that are left for the worker. */
export const MAX_METADATA_LENGTH: number = MAX_LENGTH - "aj1::".length - ID_LENGTH;

/** See the module. */
export class KafkaOwnership implements Ownership {
  readonly id: string = randomId();
  readonly topic: string;
  readonly partition: number;
  readonly committed: Committed | null;
  readonly #atStart: Committed | null;
  readonly #lost = new AbortController();
  /** The last acknowledged commit and those that were sent after it, oldest first. */
  #sent: SentCommit[] = [];
  #lowestOffset: number;

  /** @param committed the group's committed offset when it begins */
  constructor(topic: string, partition: number, committed: Committed | null) {
    this.topic = topic;
    this.partition = partition;
    this.#atStart = committed;
    this.committed = committed && { offset: committed.offset, metadata: workerMetadata(committed.metadata) };
    this.#lowestOffset = committed?.offset ?? 0;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** The lowest offset that may be committed: a group never goes back. */
  get lowestOffset(): number {
    return this.#lowestOffset;
  }

  /** Whether the group has committed anything of it. A topic that is deleted takes that with it. */
  get hasCommitted(): boolean {
    return this.#atStart !== null || this.#sent.some(({ isAcknowledged }) => isAcknowledged);
  }

  /** Ends it. @param reason for the error of `lost` */
  end(reason: string): void {
    this.#lost.abort(new RevokedError(`Partition ${formatPartition(this)} is no longer this worker's: ${reason}`));
  }

  /** Notes a commit that is about to be sent. */
  sending(offset: number, metadata: string): SentCommit {
    const commit = { offset, metadata: `aj1:${this.id}:${metadata}`, isAcknowledged: false };
    this.#sent.push(commit);
    return commit;
  }

  /** Notes its outcome. One of unknown outcome stays among those that the group may have. */
  settle(commit: SentCommit, outcome: "committed" | "refused" | "unknown"): void {
    const at = this.#sent.indexOf(commit);
    if (outcome === "refused" && at >= 0) this.#sent.splice(at, 1);
    if (outcome !== "committed") return;
    commit.isAcknowledged = true;
    this.#lowestOffset = Math.max(this.#lowestOffset, commit.offset);
    if (at > 0) this.#sent.splice(0, at);
  }

  /** Whether the group's committed offset proves that no other member owned the partition since. */
  isProvedBy(committed: Committed | null): boolean {
    if (this.#sent.some((commit) => isSame(commit, committed))) return true;
    return !this.#sent.some(({ isAcknowledged }) => isAcknowledged) && isSame(this.#atStart, committed);
  }
}

/** Returns the worker's part of a commit's metadata; the whole where another client wrote it. */
export function workerMetadata(metadata: string): string {
  return METADATA.exec(metadata)?.[2] ?? metadata;
}

function isSame(a: Committed | null, b: Committed | null): boolean {
  return a === null || b === null ? a === b : a.offset === b.offset && a.metadata === b.metadata;
}

function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(ID_LENGTH));
  return Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join("");
}
