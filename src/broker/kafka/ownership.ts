/**
 * One uninterrupted ownership of a partition, and the proof that it was not interrupted: every commit of it begins with its
 * id, so that what the group has committed tells whose commit it is.
 */
import { RevokedError } from "../../errors.ts";
import type { Ownership } from "../broker.ts";
import type { Committed } from "./cluster.ts";

/** The metadata of a commit: a version, the ownership's id, and what the worker wrote. */
const METADATA = /^aj1:([0-9a-z]{12}):(.*)$/s;
const ID_LENGTH = 12;
const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";
/** Kafka's default limit is 4096 characters. */
const MAX_LENGTH = 4000;

/** How many characters of metadata are left for the worker. */
export const MAX_METADATA_LENGTH: number = MAX_LENGTH - "aj1::".length - ID_LENGTH;

/** A commit that was sent. */
export interface SentCommit extends Committed {
  /** Whether the broker acknowledged it. */
  acknowledged: boolean;
}

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
  #floor: number;
  /** The group's offset was reset under this ownership, by the client that it uses. */
  #reset = false;

  /** @param committed what the group has committed at its beginning, as it stands on the broker */
  constructor(topic: string, partition: number, committed: Committed | null) {
    this.topic = topic;
    this.partition = partition;
    this.#atStart = committed;
    this.committed = committed && { offset: committed.offset, metadata: workerMetadata(committed.metadata) };
    this.#floor = committed?.offset ?? 0;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** The lowest offset that may be committed: what the group has. */
  get floor(): number {
    return this.#floor;
  }

  /** Whether it has ended. */
  get ended(): boolean {
    return this.#lost.signal.aborted;
  }

  /** Ends it. */
  end(reason: string): void {
    this.#lost.abort(
      new RevokedError(`Partition ${this.partition} of topic "${this.topic}" is no longer this worker's: ${reason}`),
    );
  }

  /** Notes a commit that is about to be sent. Metadata that is too long is left away: the offset matters more. */
  sending(offset: number, metadata: string): SentCommit {
    const kept = metadata.length > MAX_METADATA_LENGTH ? "" : metadata;
    const commit = { offset, metadata: `aj1:${this.id}:${kept}`, acknowledged: false };
    this.#sent.push(commit);
    return commit;
  }

  /** Its outcome; after `unknown` it stays among what the group may have. */
  sent(commit: SentCommit, outcome: "committed" | "refused" | "unknown"): void {
    const at = this.#sent.indexOf(commit);
    if (outcome === "refused" && at >= 0) this.#sent.splice(at, 1);
    if (outcome !== "committed") return;
    commit.acknowledged = true;
    this.#floor = Math.max(this.#floor, commit.offset);
    this.#reset = false;
    if (at > 0) this.#sent.splice(0, at);
  }

  /** What the group should have committed of this ownership, as the worker gave it; `null` for nothing. */
  get last(): Committed | null {
    const sent = this.#sent.at(-1);
    return sent === undefined ? this.committed : { offset: sent.offset, metadata: workerMetadata(sent.metadata) };
  }

  /** The client set the group's offset back to "the beginning", since the log begins later than it stood. */
  reset(): void {
    this.#reset = true;
  }

  /** Whether the group has committed anything of it, or had at its beginning. A topic that is deleted takes that with it. */
  get hasCommitted(): boolean {
    return this.#atStart !== null || this.#sent.some((commit) => commit.acknowledged);
  }

  /** Whether what the group has committed now proves that nobody else owned the partition meanwhile. */
  provedBy(committed: Committed | null): boolean {
    if (this.#reset && committed === null) return true;
    if (this.#sent.some((commit) => same(commit, committed))) return true;
    return !this.#sent.some((commit) => commit.acknowledged) && same(this.#atStart, committed);
  }
}

/** What the worker wrote into a commit's metadata; what others wrote is answered as it stands. */
export function workerMetadata(metadata: string): string {
  return METADATA.exec(metadata)?.[2] ?? metadata;
}

function same(a: Committed | null, b: Committed | null): boolean {
  return a === null || b === null ? a === b : a.offset === b.offset && a.metadata === b.metadata;
}

function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(ID_LENGTH));
  return Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join("");
}
