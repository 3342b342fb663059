/**
 * A consumer group: its members, who owns what, and what is committed. It lives as long as its log, since its commits do.
 *
 *     stable ── join, leave, expiry, new partitions, skip ──▶ releasing ── next turn ──▶ stable
 *
 * A rebalance takes two turns, as it takes two round trips elsewhere: in the first every member is told that partitions may
 * move and gives its last marks; in the second the partitions are shared out anew. In between, commits are refused.
 */
import { assignPartitions } from "../assignment.ts";
import type { CommitOutcome, Mark, Ownership } from "../broker.ts";
import { type Committed, MemoryOwnership } from "./ownership.ts";
import type { MemoryPartition } from "./partition.ts";
import type { TaskQueue } from "./task_queue.ts";
import type { LostReason } from "../../monitor/events.ts";
import type { Position, TopicPartition } from "../../support/position.ts";

/** The longest metadata that a commit may carry, in characters: Kafka's, so that what fits here fits there. */
export const MAX_COMMIT_METADATA_LENGTH = 4000;

/** A consumer as its group sees it. */
export interface Member {
  readonly id: string;
  readonly topics: readonly string[];
  /** Partitions may move: the last marks of these ownerships. */
  releasing(owned: readonly MemoryOwnership[]): readonly Mark[];
  /** These have ended. */
  lost(ownerships: readonly MemoryOwnership[], reason: LostReason): void;
  /** The new share. */
  assigned(added: readonly MemoryOwnership[], continued: readonly MemoryOwnership[]): void;
  /** There may be something to read. */
  wake(): void;
}

/** See the module. */
export class Group {
  readonly #name: string;
  readonly #turns: TaskQueue;
  readonly #partitionsOf: (topic: string) => readonly MemoryPartition[] | null;
  readonly #members = new Map<Member, MemoryOwnership[]>();
  readonly #committed = new Map<string, Committed>();
  #state: "stable" | "asked" | "releasing" = "stable";
  /** What others write between the last marks and the new shares. */
  #writes: (() => void)[] = [];
  readonly #revoked = new Set<string>();

  /**
   * @param name the group's name
   * @param turns the log's turns
   * @param partitionsOf a topic's partitions as they are now, `null` for a topic that does not exist
   */
  constructor(name: string, turns: TaskQueue, partitionsOf: (topic: string) => readonly MemoryPartition[] | null) {
    this.#name = name;
    this.#turns = turns;
    this.#partitionsOf = partitionsOf;
  }

  /** The group's name. */
  get name(): string {
    return this.#name;
  }

  /** Whether it has members. */
  get live(): boolean {
    return this.#members.size > 0;
  }

  /** Takes a member in. */
  join(member: Member): void {
    this.#members.set(member, []);
    this.rebalance();
  }

  /** Lets a member go, whether it left or its session expired: nothing more of it is written. */
  leave(member: Member): void {
    if (this.#members.delete(member) && this.live) this.rebalance();
  }

  /** Asks for a rebalance; several that are asked for together are one. */
  rebalance(): void {
    if (this.#state !== "stable") return;
    this.#state = "asked";
    this.#turns.run(() => this.#release());
  }

  /** The same, where a member consumes this topic. */
  topicChanged(topic: string): void {
    for (const member of this.#members.keys()) if (member.topics.includes(topic)) this.rebalance();
  }

  /** The ownership of this partition ends, and a new one begins, with the same member unless others have too few. */
  revoke(at: TopicPartition): void {
    this.#revoked.add(keyOf(at));
    this.rebalance();
  }

  /** Wakes the members that consume this topic. */
  wake(topic: string): void {
    for (const member of this.#members.keys()) if (member.topics.includes(topic)) member.wake();
  }

  /** What is committed for a partition. */
  committed(at: TopicPartition): Committed | null {
    return this.#committed.get(keyOf(at)) ?? null;
  }

  /** Forgets the commits of a topic that is deleted. */
  forget(topic: string): void {
    for (const key of this.#committed.keys()) if (topicOf(key) === topic) this.#committed.delete(key);
  }

  /** Sets the committed offset, whoever owns the partition. */
  write(to: Position, metadata: string): void {
    this.#committed.set(keyOf(to), { offset: to.offset, metadata });
  }

  /** Writes in the middle of a rebalance, as another member would that owned the partition for a moment. */
  intervene(write: () => void): Promise<void> {
    return new Promise((resolve) => {
      this.#writes.push(() => {
        write();
        resolve();
      });
      this.rebalance();
    });
  }

  /** Commits for a member. */
  commit(member: Member, marks: readonly Mark[]): CommitOutcome[] {
    return marks.map((mark) => {
      const ownership = this.#find(member, mark.ownership);
      if (ownership === null) return "ended";
      return this.#state === "releasing" ? "refused" : this.#commit(ownership, mark);
    });
  }

  #commit(ownership: MemoryOwnership, mark: Mark): CommitOutcome {
    const current = this.#partitionsOf(ownership.topic)?.[ownership.partition];
    if (current === undefined) return "refused";
    if (current !== ownership.source) return "ended";
    const key = keyOf(ownership);
    const before = this.#committed.get(key) ?? null;
    if (before !== null && mark.next < before.offset) return "refused";
    // Too much of it is left away, as on Kafka: the offset matters more.
    const metadata = mark.metadata.length > MAX_COMMIT_METADATA_LENGTH ? "" : mark.metadata;
    const committed = { offset: mark.next, metadata };
    this.#committed.set(key, committed);
    ownership.known = committed;
    return "committed";
  }

  #find(member: Member, ownership: Ownership): MemoryOwnership | null {
    return this.#members.get(member)?.find((owned) => owned === ownership) ?? null;
  }

  #release(): void {
    this.#state = "releasing";
    for (const [member, owned] of [...this.#members]) {
      if (owned.length === 0) continue;
      for (const mark of member.releasing([...owned])) {
        const ownership = this.#find(member, mark.ownership);
        if (ownership !== null) this.#commit(ownership, mark);
      }
    }
    this.#turns.run(() => this.#assign());
  }

  #assign(): void {
    this.#state = "stable";
    for (const write of this.#writes.splice(0)) write();
    const plan = this.#plan();
    const members = [...this.#members.keys()];
    const ends = members.map((member) => [member, this.#takeAway(member, plan)] as const);
    this.#revoked.clear();
    // All losses before any gain: no partition has two owners, not even for one call.
    for (const [member, ended] of ends) {
      for (const reason of ["revoked", "recreated"] as const) {
        const ownerships = ended.filter((ownership) => this.#reason(ownership) === reason);
        if (ownerships.length > 0) member.lost(ownerships, reason);
      }
    }
    for (const member of members) this.#give(member, plan.get(member.id)!);
  }

  #plan(): Map<string, TopicPartition[]> {
    const members = [...this.#members];
    const topics = new Set(members.flatMap(([member]) => member.topics));
    const partitions = new Map([...topics].map((topic) => [topic, this.#partitionsOf(topic)?.length ?? 0]));
    return assignPartitions(
      members.map(([{ id, topics }, owned]) => ({ id, topics, owned })),
      partitions,
    );
  }

  /** Keeps what goes on: planned for the same member, not revoked, and committed by nobody else. Answers the rest. */
  #takeAway(member: Member, plan: ReadonlyMap<string, readonly TopicPartition[]>): MemoryOwnership[] {
    const owned = this.#members.get(member)!;
    const planned = new Set(plan.get(member.id)!.map(keyOf));
    const goesOn = (ownership: MemoryOwnership) => {
      const current = this.#partitionsOf(ownership.topic)?.[ownership.partition];
      const key = keyOf(ownership);
      return current === ownership.source && planned.has(key) && !this.#revoked.has(key) &&
        ownership.known === this.committed(ownership);
    };
    this.#members.set(member, owned.filter(goesOn));
    return owned.filter((ownership) => !goesOn(ownership));
  }

  #reason(ownership: MemoryOwnership): LostReason {
    const current = this.#partitionsOf(ownership.topic)?.[ownership.partition];
    return current === undefined || current === ownership.source ? "revoked" : "recreated";
  }

  #give(member: Member, planned: readonly TopicPartition[]): void {
    const continued = this.#members.get(member);
    // It may have left while another one was told.
    if (continued === undefined) return;
    const kept = new Set(continued.map(keyOf));
    const added = planned.filter((at) => !kept.has(keyOf(at))).map((at) => {
      const source = this.#partitionsOf(at.topic)![at.partition]!;
      return new MemoryOwnership(at.topic, at.partition, source, this.committed(at));
    });
    this.#members.set(member, [...continued, ...added]);
    member.assigned(added, continued);
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${partition}/${topic}`;
}

function topicOf(key: string): string {
  return key.slice(key.indexOf("/") + 1);
}
