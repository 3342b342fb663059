/**
 * The log of the test kit with the faults that only the tests of this project need: topics that are deleted and created
 * again, appends that fail, consumers that are suspended, fail, or lose a partition to another member.
 */
import type {
  AppendOutcome,
  BrokerSource,
  CommitOutcome,
  ConsumeOptions,
  Consumer,
  ConsumerSink,
  Mark,
  NewRecord,
} from "../../src/broker/broker.ts";
import type { Group, Member } from "../../src/broker/memory/group.ts";
import type { MemoryOwnership } from "../../src/broker/memory/ownership.ts";
import { refuseAll } from "../../src/broker/refusals.ts";
import type { Written } from "../../src/errors.ts";
import type { Position, TopicPartition } from "../../src/support/position.ts";
import { FaultyBroker, FaultyConsumer } from "../../src/testing/faulty_broker.ts";
import { FaultyGroup, FaultyLog, FaultyPartition } from "../../src/testing/faulty_log.ts";

/** The failure of the appends to a topic. */
export interface AppendFault {
  /** The error of the outcomes. */
  readonly error: Error;
  /** The field `written` of the outcomes. */
  readonly written: Written;
  /** Whether the records are in the log nevertheless. Only with `written: "unknown"`. @default false */
  readonly stored?: boolean;
}

/** See the module. */
export class FaultInjectionLog extends FaultyLog {
  readonly #appendFaults = new Map<string, AppendFault>();

  /** The log as the `broker` of an App. */
  get source(): BrokerSource {
    return { name: this.name, embedded: true, open: () => Promise.resolve(this.open()) };
  }

  /** Opens a client. */
  open(): FaultyBroker {
    return new FaultInjectionBroker(this);
  }

  override append(topic: string, records: readonly NewRecord[]): AppendOutcome[] {
    const fault = this.#appendFaults.get(topic);
    if (fault === undefined) return super.append(topic, records);
    if (fault.stored) super.append(topic, records);
    return refuseAll(records, fault.error, fault.written);
  }

  /** Makes each append to a topic fail; `null` ends that. */
  failAppends(topic: string, fault: AppendFault | null): void {
    if (fault === null) this.#appendFaults.delete(topic);
    else this.#appendFaults.set(topic, fault);
  }

  /** Deletes a topic with its records and its committed offsets. */
  deleteTopic(name: string): void {
    for (const partition of this.topic(name)?.partitions ?? []) (partition as FaultInjectionPartition).discard();
    this.topics.delete(name);
    for (const group of this.groups.values()) (group as FaultInjectionGroup).deleteCommits(name);
  }

  /** Deletes a topic and creates it again, empty. */
  recreateTopic(name: string, partitions: number): void {
    this.deleteTopic(name);
    this.createTopic(name, partitions);
  }

  /** Uses up offsets without a record, as a transaction's control records and aborted records do. */
  appendControl(at: TopicPartition, count: number): void {
    (this.partition(at) as FaultInjectionPartition).skipOffsets(count);
    this.wake(at.topic);
  }

  /** Makes every record of a partition older. */
  ageRecords(at: TopicPartition, ms: number): void {
    (this.partition(at) as FaultInjectionPartition).age(ms);
  }

  /** Another member takes the partition, commits, and leaves again. */
  commitAs(group: string, to: Position, metadata: string): Promise<void> {
    const members = this.group(group);
    return members.intervene(() => members.setCommitted(to, metadata));
  }

  /** The session of a consumer expires, and the consumer notices at once. */
  expire(consumer: Consumer): void {
    this.block(consumer);
    this.unblock(consumer);
  }

  /** The process of a consumer is suspended beyond its session: others take over, and the consumer has not noticed. */
  block(consumer: Consumer): void {
    this.#find(consumer).block();
  }

  /** The process of a blocked consumer goes on: the consumer loses everything and joins again. */
  unblock(consumer: Consumer): void {
    this.#find(consumer).unblock();
  }

  /** A consumer fails for good. */
  fail(consumer: Consumer, error: Error): void {
    this.#find(consumer).fail(error);
  }

  protected override createGroup(): Group {
    return new FaultInjectionGroup(this.tasks, (topic) => this.topic(topic)?.partitions ?? null);
  }

  protected override createPartition(isCompacted: boolean): FaultInjectionPartition {
    return new FaultInjectionPartition(isCompacted);
  }

  #find(consumer: Consumer): FaultInjectionConsumer {
    if (consumer instanceof FaultInjectionConsumer && this.consumers.has(consumer)) return consumer;
    throw new Error("Cannot find the consumer: it was closed, or it belongs to another log");
  }
}

class FaultInjectionBroker extends FaultyBroker {
  protected override createConsumer(options: ConsumeOptions, sink: ConsumerSink): FaultInjectionConsumer {
    return this.register(new FaultInjectionConsumer(this.log, options, sink));
  }
}

class FaultInjectionConsumer extends FaultyConsumer {
  #isBlocked = false;

  block(): void {
    if (!this.hasJoined) return;
    this.#isBlocked = true;
    this.leave();
  }

  unblock(): void {
    if (!this.#isBlocked) return;
    this.#isBlocked = false;
    this.tasks.add(() => {
      this.setMember(false);
      this.loseAll("unknown");
      this.join();
    });
  }

  fail(error: Error): void {
    void this.end("unknown", error);
  }
}

class FaultInjectionGroup extends FaultyGroup {
  deleteCommits(topic: string): void {
    for (const key of this.commits.keys()) if (key.startsWith(`${topic}/`)) this.commits.delete(key);
  }

  protected override commitMark(ownership: MemoryOwnership, mark: Mark): CommitOutcome {
    const current = this.currentPartition(ownership);
    if (current === undefined) return "refused";
    return current === ownership.source ? super.commitMark(ownership, mark) : "ended";
  }

  protected override canContinue(ownership: MemoryOwnership): boolean {
    return this.currentPartition(ownership) === ownership.source && super.canContinue(ownership);
  }

  protected override reportLost(member: Member, ended: readonly MemoryOwnership[]): void {
    const isRecreated = (ownership: MemoryOwnership) => {
      const current = this.currentPartition(ownership);
      return current !== undefined && current !== ownership.source;
    };
    super.reportLost(member, ended.filter((ownership) => !isRecreated(ownership)));
    const recreated = ended.filter(isRecreated);
    if (recreated.length > 0) member.lost(recreated, "recreated");
  }
}

class FaultInjectionPartition extends FaultyPartition {
  skipOffsets(count: number): void {
    this.nextOffset += count;
  }

  /** Makes every record older. */
  age(ms: number): void {
    const { records } = this.records.takeFrom(0, () => true);
    for (const record of records) (record as { timestampMs: number }).timestampMs -= ms;
  }

  /** Its topic is deleted: nothing of it is read any more, and nothing is reported as expired. */
  discard(): void {
    this.records.removeBefore(this.nextOffset);
    this.nextOffset = this.low;
  }
}
