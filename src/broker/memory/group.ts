/**
 * A consumer group of the memory log: its members, their ownerships, and the committed offsets. It lives as long as its
 * log.
 *
 *     stable ── join, leave, new partitions, skip ──▶ requested ── next task ──▶ releasing ── next task ──▶ stable
 *
 * A rebalance takes two tasks, as it takes two round trips elsewhere. In the first one each member learns that
 * partitions may move, and returns its last marks. In the second one the partitions are assigned again. In between
 * commits are refused.
 */
import { assignPartitions } from "../assignment.ts";
import type { CommitOutcome, GroupMember, Mark, Ownership } from "../broker.ts";
import { type Committed, MemoryOwnership } from "./ownership.ts";
import type { MemoryPartition } from "./partition.ts";
import type { TaskQueue } from "./task_queue.ts";
import type { LostReason } from "../../monitor/events.ts";
import { formatPartition, type Position, type TopicPartition } from "../../support/position.ts";

/**
 * The longest metadata of a commit, in characters. The same as on Kafka, so that metadata that fits here also fits
 * there.
 */
export const MAX_COMMIT_METADATA_LENGTH = 4000;

/** Returns the partitions of a topic as they are now; `null` for a topic that does not exist. */
export type FindPartitions = (topic: string) => readonly MemoryPartition[] | null;

/** A consumer, as its group calls it. */
export interface Member {
  /** Its unique id. */
  readonly id: string;
  /** The full names of its topics. */
  readonly topics: readonly string[];
  /** A rebalance has started: returns the last marks of these ownerships. */
  releasing(owned: readonly MemoryOwnership[]): readonly Mark[];
  /** These ownerships have ended. */
  lost(ownerships: readonly MemoryOwnership[], reason: LostReason): void;
  /** The rebalance is over. */
  assigned(added: readonly MemoryOwnership[], continued: readonly MemoryOwnership[]): void;
  /** There may be records to read. */
  wake(): void;
}

/** A group, also one that has no members. */
export class Group {
  readonly #tasks: TaskQueue;
  readonly #findPartitions: FindPartitions;
  readonly #members = new Map<Member, MemoryOwnership[]>();
  /** The committed offsets by partition, as `formatPartition` writes it. */
  protected readonly commits: Map<string, Committed> = new Map();
  #state: "stable" | "requested" | "releasing" = "stable";
  /** The functions to call between the last marks and the new assignment. */
  #interventions: (() => void)[] = [];

  /** Makes a group without members, on the tasks of its log. */
  constructor(tasks: TaskQueue, findPartitions: FindPartitions) {
    this.#tasks = tasks;
    this.#findPartitions = findPartitions;
  }

  /** Whether it has members. */
  get hasMembers(): boolean {
    return this.#members.size > 0;
  }

  /** Describes its members. */
  describeMembers(): GroupMember[] {
    return Array.from(this.#members, ([{ id, topics }, owned]) => ({
      id,
      topics,
      partitions: owned.map(({ topic, partition }) => ({ topic, partition })),
    }));
  }

  /** Adds a member. */
  join(member: Member): void {
    this.#members.set(member, []);
    this.rebalance();
  }

  /** Removes a member: nothing more of it is committed. */
  leave(member: Member): void {
    if (this.#members.delete(member) && this.hasMembers) this.rebalance();
  }

  /** Requests a rebalance. Several requests before it starts are one rebalance. */
  rebalance(): void {
    if (this.#state !== "stable") return;
    this.#state = "requested";
    this.#tasks.add(() => this.#release());
  }

  /** Rebalances if a member consumes this topic, which has got other partitions. */
  changeTopic(topic: string): void {
    for (const member of this.#members.keys()) if (member.topics.includes(topic)) this.rebalance();
  }

  /** Wakes the members that consume this topic. */
  wake(topic: string): void {
    for (const member of this.#members.keys()) if (member.topics.includes(topic)) member.wake();
  }

  /** Whether an offset of a topic is committed. */
  hasCommitted(topic: string, partitions: number): boolean {
    for (let partition = 0; partition < partitions; partition++) if (this.committed({ topic, partition })) return true;
    return false;
  }

  /** Returns what is committed for a partition; `null` for nothing. */
  committed(at: TopicPartition): Committed | null {
    return this.commits.get(formatPartition(at)) ?? null;
  }

  /** Sets the committed offset of a partition. An ownership of it ends at the next rebalance. */
  setCommitted(to: Position, metadata: string): void {
    this.commits.set(formatPartition(to), { offset: to.offset, metadata });
  }

  /**
   * Rebalances, and calls a function between the last marks and the new assignment: as another member would act that
   * owned partitions for a moment.
   *
   * @returns a promise that resolves once the function was called
   */
  intervene(act: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#interventions.push(() => {
        try {
          act();
          resolve();
        } catch (error) {
          reject(error);
        }
      });
      this.rebalance();
    });
  }

  /**
   * Commits marks of a member.
   *
   * @returns one outcome for each mark, in order
   */
  commit(member: Member, marks: readonly Mark[]): CommitOutcome[] {
    return marks.map((mark) => {
      const ownership = this.#find(member, mark.ownership);
      if (ownership === null) return "ended";
      return this.#state === "releasing" ? "refused" : this.commitMark(ownership, mark);
    });
  }

  /** Commits one mark of a live ownership. */
  protected commitMark(ownership: MemoryOwnership, mark: Mark): CommitOutcome {
    const key = formatPartition(ownership);
    const before = this.commits.get(key) ?? null;
    if (before !== null && mark.next < before.offset) return "refused";
    if (mark.metadata.length > MAX_COMMIT_METADATA_LENGTH) return "metadata_too_long";
    const committed = { offset: mark.next, metadata: mark.metadata };
    this.commits.set(key, committed);
    ownership.known = committed;
    return "committed";
  }

  /** Whether an ownership may go on with its member: only if the member itself wrote the committed offset. */
  protected canContinue(ownership: MemoryOwnership): boolean {
    return ownership.known === this.committed(ownership);
  }

  /** Reports to a member which of its ownerships have ended in a rebalance. */
  protected reportLost(member: Member, ended: readonly MemoryOwnership[]): void {
    if (ended.length > 0) member.lost(ended, "revoked");
  }

  /** Returns the partition of an ownership as it is now; `undefined` if it does not exist. */
  protected currentPartition({ topic, partition }: TopicPartition): MemoryPartition | undefined {
    return this.#findPartitions(topic)?.[partition];
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
        if (ownership !== null) this.commitMark(ownership, mark);
      }
    }
    this.#tasks.add(() => this.#assign());
  }

  #assign(): void {
    this.#state = "stable";
    for (const act of this.#interventions.splice(0)) act();
    const plan = this.#plan();
    const members = [...this.#members.keys()];
    const losses = members.map((member) => [member, this.#endOwnerships(member, plan)] as const);
    // All losses before any gain: no partition has two owners, not even during one call.
    for (const [member, ended] of losses) this.reportLost(member, ended);
    for (const member of members) this.#startOwnerships(member, plan.get(member.id)!);
  }

  #plan(): Map<string, TopicPartition[]> {
    const members = [...this.#members];
    const topics = new Set(members.flatMap(([member]) => member.topics));
    const partitions = new Map([...topics].map((topic) => [topic, this.#findPartitions(topic)?.length ?? 0]));
    return assignPartitions(
      members.map(([{ id, topics }, owned]) => ({ id, topics, owned })),
      partitions,
    );
  }

  /**
   * Ends the ownerships of a member that do not continue.
   *
   * @returns those that have ended
   */
  #endOwnerships(member: Member, plan: ReadonlyMap<string, readonly TopicPartition[]>): MemoryOwnership[] {
    const owned = this.#members.get(member)!;
    const planned = new Set(plan.get(member.id)!.map(formatPartition));
    const continues = new Set(
      owned.filter((ownership) => planned.has(formatPartition(ownership)) && this.canContinue(ownership)),
    );
    this.#members.set(member, [...continues]);
    return owned.filter((ownership) => !continues.has(ownership));
  }

  #startOwnerships(member: Member, planned: readonly TopicPartition[]): void {
    const continued = this.#members.get(member);
    // The member may have left while another one was called.
    if (continued === undefined) return;
    const kept = new Set(continued.map(formatPartition));
    const added = planned.filter((at) => !kept.has(formatPartition(at))).map((at) =>
      new MemoryOwnership(at, this.currentPartition(at)!, this.committed(at))
    );
    this.#members.set(member, [...continued, ...added]);
    member.assigned(added, continued);
  }
}
