/**
 * The partitions of a consumer over all generations of its group.
 *
 *     assigned ──▶ lost: moved away, or another member's in between ──▶ assigned: new and continued ──▶ handing over
 *         ▲                                                                                               │
 *         └──────────────── the group gets a new generation: frozen, last marks ◀─────────────────────────┘
 *
 * An ownership goes on over a rebalance only if the group's committed offset proves that no other member had the partition.
 * Nothing of an ownership that is not proved in the present generation is handed over or committed.
 */
import type { ConsumerSink, Mark, Ownership } from "../../broker.ts";
import type { TopicPartition } from "../../../support/position.ts";
import type { Claim } from "./assigner.ts";
import { FetchedPartition } from "./fetched_partition.ts";
import type { Fetcher } from "./fetcher.ts";
import type { AssignedPartition } from "./generation.ts";
import { type Committed, KafkaOwnership } from "./ownership.ts";

/** Why an ownership ends. */
export type LostReason = Parameters<ConsumerSink["lost"]>[1];

const REASONS: Readonly<Record<LostReason, string>> = {
  revoked: "it was assigned to another one",
  unknown: "another one may have had it in between",
  recreated: "the topic was deleted and created again",
  closed: "the consumer was closed",
};

interface Owned {
  readonly ownership: KafkaOwnership;
  readonly fetched: FetchedPartition;
}

/** The parts of the consumer that an assignment uses. */
export interface AssignmentContext {
  readonly sink: ConsumerSink;
  readonly fetcher: Fetcher;
  /** Returns the id of a topic, as far as it is known. */
  topicIdOf(topic: string): string | undefined;
}

/** See the module. */
export class Assignment {
  readonly #context: AssignmentContext;
  readonly #owned = new Map<string, Owned>();
  readonly #byFetched = new Map<FetchedPartition, Owned>();
  #sinceMs = 0;
  #isProved = false;

  constructor(context: AssignmentContext) {
    this.#context = context;
  }

  /** Whether the present share is proved. */
  get isProved(): boolean {
    return this.#isProved;
  }

  /** The partitions that the member claims when it joins. */
  claim(): Claim {
    return { owned: this.#ownerships(), sinceMs: this.#sinceMs, exclusive: false };
  }

  /** The partition of an ownership; `null` if it has ended. */
  fetched(ownership: Ownership): FetchedPartition | null {
    const owned = this.#owned.get(keyOf(ownership));
    return owned?.ownership === ownership ? owned.fetched : null;
  }

  /** The ownership of a partition that is fetched; `null` if it has ended. */
  ownership(fetched: FetchedPartition): KafkaOwnership | null {
    return this.#byFetched.get(fetched)?.ownership ?? null;
  }

  /** Returns the fate of a mark now: it can be sent, it is refused, or its ownership has ended. */
  check({ ownership, next }: Mark): "send" | "refused" | "ended" {
    if (this.fetched(ownership) === null) return "ended";
    return this.#isProved && next >= (ownership as KafkaOwnership).lowestOffset ? "send" : "refused";
  }

  /** The group gets a new generation. @returns the last marks */
  release(): readonly Mark[] {
    if (!this.#isProved) return [];
    this.#context.fetcher.freeze();
    const marks = this.#context.sink.releasing(this.#ownerships()).filter((mark) => this.check(mark) === "send");
    this.#isProved = false;
    return marks;
  }

  /** The share of the new generation, with what the group has committed. */
  assign(partitions: readonly AssignedPartition[]): void {
    const { sink, fetcher } = this.#context;
    const wanted = new Set(partitions.map(keyOf));
    this.#end([...this.#owned.values()].filter(({ ownership }) => !wanted.has(keyOf(ownership))), "revoked");
    const added: KafkaOwnership[] = [];
    const continued: KafkaOwnership[] = [];
    const interrupted: Record<"unknown" | "recreated", Owned[]> = { unknown: [], recreated: [] };
    const fresh: [at: TopicPartition, committed: Committed | null][] = [];
    for (const at of partitions) {
      const owned = this.#owned.get(keyOf(at));
      if (owned !== undefined && owned.ownership.isProvedBy(at.committed) && !this.#isRecreated(owned)) {
        continued.push(owned.ownership);
        continue;
      }
      if (owned !== undefined) {
        // Kafka forgets the offsets of a topic that is deleted.
        const isGone = at.committed === null && owned.ownership.hasCommitted;
        interrupted[isGone || this.#isRecreated(owned) ? "recreated" : "unknown"].push(owned);
      }
      fresh.push([at, at.committed]);
    }
    this.#end(interrupted.unknown, "unknown");
    this.#end(interrupted.recreated, "recreated");
    for (const [at, committed] of fresh) added.push(this.#begin(at, committed));
    this.#sinceMs = Date.now();
    this.#isProved = true;
    sink.assigned(added, continued);
    for (const ownership of added) {
      const owned = this.#owned.get(keyOf(ownership));
      if (owned?.ownership === ownership) fetcher.add(owned.fetched);
    }
    fetcher.thaw();
  }

  /** Topics may have been deleted and created again: ends what belongs to a log that is gone. */
  checkTopics(): void {
    if (!this.#isProved) return;
    for (const owned of [...this.#owned.values()]) if (this.#isRecreated(owned)) this.restart(owned.fetched);
  }

  /** The log is another one than it was: a new ownership begins at its start. */
  restart(fetched: FetchedPartition): void {
    const owned = this.#byFetched.get(fetched);
    if (owned === undefined) return;
    this.#end([owned], "recreated");
    const ownership = this.#begin(owned.ownership, null);
    this.#context.sink.assigned([ownership], []);
    this.#context.fetcher.add(this.#owned.get(keyOf(ownership))!.fetched);
  }

  /** Ends everything. */
  endAll(reason: LostReason): void {
    this.#isProved = false;
    this.#end([...this.#owned.values()], reason);
  }

  #ownerships(): KafkaOwnership[] {
    return Array.from(this.#owned.values(), ({ ownership }) => ownership);
  }

  #isRecreated({ ownership, fetched: { topicId } }: Owned): boolean {
    const now = this.#context.topicIdOf(ownership.topic);
    return topicId !== undefined && now !== undefined && now !== topicId;
  }

  #begin({ topic, partition }: TopicPartition, committed: Committed | null): KafkaOwnership {
    const ownership = new KafkaOwnership(topic, partition, committed);
    const fetched = new FetchedPartition(ownership, committed?.offset ?? null, this.#context.topicIdOf(topic));
    const owned = { ownership, fetched };
    this.#owned.set(keyOf(ownership), owned);
    this.#byFetched.set(fetched, owned);
    return ownership;
  }

  #end(list: readonly Owned[], reason: LostReason): void {
    if (list.length === 0) return;
    for (const { ownership, fetched } of list) {
      this.#owned.delete(keyOf(ownership));
      this.#byFetched.delete(fetched);
      this.#context.fetcher.remove(fetched);
      ownership.end(REASONS[reason]);
    }
    this.#context.sink.lost(list.map(({ ownership }) => ownership), reason);
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${partition}/${topic}`;
}
