/**
 * A memory log in which a test causes what happens to real brokers: it goes offline, takes partitions away from their
 * owners, and deletes old records. Clients of it are opened with {@linkcode FaultyBroker}.
 *
 * A record without a key goes to partition 0 first, so that a test has the same partitions each time.
 */
import { Group } from "../broker/memory/group.ts";
import { MemoryLog } from "../broker/memory/log.ts";
import type { MemoryOwnership } from "../broker/memory/ownership.ts";
import { MemoryPartition } from "../broker/memory/partition.ts";
import { TaskQueue } from "../broker/memory/task_queue.ts";
import { formatPartition, type Position, type TopicPartition } from "../support/position.ts";

/** A consumer, to which its log reports interruptions. */
export interface OfflineListener {
  /** The log went offline. */
  wentOffline(): void;
  /** The log came online. */
  cameOnline(): void;
}

/** A log that a test can disturb. */
export class FaultyLog extends MemoryLog {
  declare readonly tasks: InterruptibleTasks;
  /** The consumers that are open. */
  readonly consumers: Set<OfflineListener> = new Set();

  /** Makes an empty log, which is online. */
  constructor() {
    super("memory:", new InterruptibleTasks());
  }

  /** Interrupts the log: appends and commits wait, nothing is delivered, and the sessions of the consumers run out. */
  goOffline(): void {
    this.tasks.interrupt();
    for (const consumer of this.consumers) consumer.wentOffline();
  }

  /** Ends the interruption: everything that waits goes on, in order. */
  goOnline(): void {
    this.tasks.resume();
    for (const consumer of this.consumers) consumer.cameOnline();
  }

  /**
   * Ends the ownership of a partition. A new one starts, with the same member unless others have too few partitions.
   */
  revoke(group: string, at: TopicPartition): void {
    this.group(group).revoke(at);
  }

  /** Deletes the records of a partition before an offset, as retention does. */
  deleteRecords(before: Position): void {
    this.partition(before).deleteBefore(before.offset);
  }

  override group(name: string): FaultyGroup {
    return super.group(name) as FaultyGroup;
  }

  override partition(at: TopicPartition): FaultyPartition {
    return super.partition(at) as FaultyPartition;
  }

  protected override createGroup(): Group {
    return new FaultyGroup(this.tasks, (topic) => this.topic(topic)?.partitions ?? null);
  }

  protected override createPartition(isCompacted: boolean): MemoryPartition {
    return new FaultyPartition(isCompacted);
  }

  protected override chooseFirstPartition(): number {
    return 0;
  }
}

/** The tasks of a log that can be interrupted: meanwhile they wait, in order. */
export class InterruptibleTasks extends TaskQueue {
  #waiting: (() => void)[] = [];
  #resumed: PromiseWithResolvers<void> | null = null;

  /** Whether the log is online. */
  get isOnline(): boolean {
    return this.#resumed === null;
  }

  override add(task: () => void): void {
    super.add(() => {
      if (this.isOnline) task();
      else this.#waiting.push(task);
    });
  }

  /** Holds every task from now on. */
  interrupt(): void {
    this.#resumed ??= Promise.withResolvers<void>();
  }

  /** Runs the tasks that wait. */
  resume(): void {
    this.#resumed?.resolve();
    this.#resumed = null;
    for (const task of this.#waiting.splice(0)) this.add(task);
  }

  /**
   * Waits until the log is online.
   *
   * @param abandoned ends the wait as well
   * @returns whether the log is online
   */
  async online(abandoned: Promise<unknown>): Promise<boolean> {
    let isWaiting = true;
    const end = abandoned.then(() => isWaiting = false);
    // In a loop: the log may go offline again before this function goes on.
    while (isWaiting && this.#resumed !== null) await Promise.race([this.#resumed.promise, end]);
    return isWaiting;
  }
}

/** A partition of which the oldest records can be deleted. */
export class FaultyPartition extends MemoryPartition {
  #low = 0;

  override get low(): number {
    return this.#low;
  }

  /** Deletes the records before an offset, as retention does. */
  deleteBefore(offset: number): void {
    this.#low = Math.max(this.#low, Math.min(offset, this.nextOffset));
    this.records.removeBefore(this.#low);
  }
}

/** A group of which ownerships can be ended. */
export class FaultyGroup extends Group {
  readonly #revoked = new Set<string>();

  /** Ends the ownership of a partition, in a rebalance. */
  revoke(at: TopicPartition): void {
    const key = formatPartition(at);
    void this.intervene(() => this.#revoked.add(key)).then(() => this.#revoked.delete(key));
  }

  protected override canContinue(ownership: MemoryOwnership): boolean {
    return !this.#revoked.has(formatPartition(ownership)) && super.canContinue(ownership);
  }
}
