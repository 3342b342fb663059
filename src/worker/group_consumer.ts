/**
 * One consumer group of a worker: receives the calls of the broker's consumer and passes them on to the partitions that
 * the worker owns. It has one handler made for each ownership, blocks the start of jobs while ownership is uncertain, and
 * returns at a rebalance what is to be committed.
 */
import type { Broker, Consumer, ConsumerSink, Mark, Ownership, RecordBatch } from "../broker/broker.ts";
import type { EventMap, LostReason, RunningJob } from "../monitor/events.ts";
import type { TopicPartition } from "../support/position.ts";
import type { GroupPlan } from "./group_plan.ts";
import { Committer } from "./partition/committer.ts";
import type { GroupContext, WorkerContext } from "./partition/context.ts";
import type { CreateHandler, PartitionHandler } from "./partition/handler.ts";
import { StartCondition } from "./partition/start_condition.ts";
import { emitStartAtBeginning } from "./start_at_beginning.ts";
import type { GroupStatus } from "./status.ts";

/** See the module. */
export class GroupConsumer implements ConsumerSink {
  /** The group's name. */
  readonly group: string;
  readonly #broker: Broker;
  readonly #topics: readonly string[];
  readonly #context: GroupContext;
  readonly #consumer: Consumer;
  readonly #startCondition: StartCondition;
  readonly #committer: Committer;
  readonly #createHandler: CreateHandler;
  readonly #partitions = new Map<Ownership, PartitionHandler>();
  /** Lost partitions whose jobs still run: each keeps its slot until it ends. */
  readonly #leaving = new Set<PartitionHandler>();
  #isJoined = false;
  #stalledMs: number | null = null;

  constructor(broker: Broker, worker: WorkerContext, plan: GroupPlan) {
    const { group, topics, maxPayloadBytes, mayBeMissing = false, createHandler } = plan;
    const { sessionTimeoutMs, heartbeatIntervalMs, maxFetchBytes, maxBufferedBytes, commitIntervalMs } = worker.config;
    this.group = group;
    this.#broker = broker;
    this.#createHandler = createHandler;
    this.#topics = topics;
    // While a record is read, there are about four copies of it.
    const maxRecordBytes = Math.max(maxBufferedBytes / 4, maxPayloadBytes);
    const options = {
      group,
      topics,
      sessionTimeoutMs,
      heartbeatIntervalMs,
      maxFetchBytes,
      maxRecordBytes,
      mayBeMissing,
    };
    this.#consumer = broker.consume(options, this);
    // If it can never join, the consumer calls failed().
    this.joined.then(() => this.#isJoined = true, () => {});
    this.#startCondition = new StartCondition(() => this.#consumer.sessionValidUntilMs);
    const metadataLimit = { maxLength: broker.capabilities.maxCommitMetadataLength };
    this.#committer = new Committer(this.#consumer, commitIntervalMs, metadataLimit);
    this.#context = {
      ...worker,
      group,
      consumer: this.#consumer,
      startCondition: this.#startCondition,
      committer: this.#committer,
      metadataLimit,
    };
  }

  /** Resolves at the first assignment. */
  get joined(): Promise<void> {
    return this.#consumer.joined;
  }

  /** Returns the partitions that are owned now. */
  partitions(): PartitionHandler[] {
    return [...this.#partitions.values()];
  }

  /** Returns the jobs that run, those of lost partitions included. */
  running(): RunningJob[] {
    return [...this.#leaving, ...this.#partitions.values()].flatMap((partition) => partition.running());
  }

  /** Returns the state of the group and its partitions. */
  status(): GroupStatus {
    return {
      group: this.group,
      topics: this.#topics,
      isJoined: this.#isJoined,
      isSessionValid: this.#startCondition.isSessionValid(performance.now()),
      stalledMs: this.#stalledMs,
      running: this.running(),
      partitions: this.partitions().map((partition) => partition.status()),
    };
  }

  /** Starts no job any more. */
  quiet(): void {
    this.#startCondition.block("quiet");
  }

  /** Ends all waits, since the worker stops. */
  stop(): void {
    for (const partition of this.#partitions.values()) partition.stop();
    this.#startCondition.notify();
  }

  /** Asks the running jobs to end. */
  abort(reason: Error): void {
    for (const partition of this.#partitions.values()) partition.abort(reason);
  }

  /** Commits what is finished and leaves the group, within a deadline in milliseconds. */
  async close(deadlineMs: number): Promise<void> {
    const endMs = performance.now() + deadlineMs;
    // Half of the time at most: a group that is not left keeps its partitions from other workers until the session ends.
    await this.#committer.flush(deadlineMs / 2);
    this.#committer.stop();
    await this.#consumer.close(endMs - performance.now());
    // A consumer that did not close in time has not reported every loss.
    this.lost([...this.#partitions.keys()], "closed");
  }

  // Calls of the broker's consumer, which expects that they never throw.

  /** New ownerships; the others continue. */
  assigned(added: readonly Ownership[], _continued: readonly Ownership[]): void {
    this.#guard(() => {
      for (const ownership of added) {
        const { topic, partition, committed } = ownership;
        this.#partitions.set(ownership, this.#createHandler(ownership, this.#context));
        this.#emit("partition.assigned", { topic, partition, offset: committed?.offset ?? null });
      }
      if (added.length > 0) {
        const assigned = added.map(({ topic, partition, committed }) => (
          { topic, partition, offset: committed?.offset ?? null }
        ));
        this.#emitAssignment({ assigned, lost: [], reason: null });
        if (this.#broker.capabilities.offsetsExpire) {
          void emitStartAtBeginning(this.#broker.admin, this.#context.config.monitor, this.group, added);
        }
      }
      this.#startCondition.unblock("releasing");
    });
  }

  /** Fetched records. */
  records(ownership: Ownership, batch: RecordBatch): void {
    this.#guard(() => this.#partitions.get(ownership)?.add(batch));
  }

  /** The group rebalances. @returns what the consumer commits at once */
  releasing(_ownerships: readonly Ownership[]): readonly Mark[] {
    const marks: Mark[] = [];
    this.#guard(() => {
      this.#startCondition.block("releasing");
      for (const partition of this.#partitions.values()) {
        const mark = partition.pendingMark();
        if (mark !== null) marks.push(mark);
      }
    });
    return marks;
  }

  /** Ownerships that have ended. */
  lost(ownerships: readonly Ownership[], reason: LostReason): void {
    this.#guard(() => {
      const lost: TopicPartition[] = [];
      for (const ownership of ownerships) {
        const { topic, partition } = ownership;
        const owned = this.#partitions.get(ownership);
        if (owned !== undefined) {
          this.#partitions.delete(ownership);
          lost.push({ topic, partition });
          this.#leaving.add(owned);
          void owned.lose(reason).then(() => this.#leaving.delete(owned));
        }
        if (reason === "recreated") this.#emit("topic.recreated", { topic, partition });
      }
      if (lost.length > 0) this.#emitAssignment({ assigned: [], lost, reason });
      this.#startCondition.notify();
    });
  }

  /** Records that were deleted before they were performed. */
  expired({ topic, partition }: Ownership, from: number, to: number): void {
    this.#emit("records.expired", { topic, partition, from, to });
  }

  /** The session is valid, or may have expired. */
  membership(isMember: boolean): void {
    this.#guard(() => {
      this.#stalledMs = null;
      if (isMember) this.#startCondition.unblock("membership");
      else this.#startCondition.block("membership");
      this.#emit("membership.changed", { isMember });
    });
  }

  /** The session stays lost although the broker responds. */
  stalled(lostMs: number): void {
    this.#guard(() => {
      if (this.#stalledMs === null) this.#emit("session.lost", { group: this.group, lostMs });
      this.#stalledMs = lostMs;
    });
  }

  /** The consumer has failed and does not recover. */
  failed(error: Error): void {
    this.#context.reportFailure(`consumer of group ${this.group}`, error);
  }

  #emit<Name extends keyof EventMap>(name: Name, event: EventMap[Name]): void {
    this.#context.config.monitor.emit(name, event);
  }

  #emitAssignment(change: Pick<EventMap["assignment.changed"], "assigned" | "lost" | "reason">): void {
    this.#emit("assignment.changed", { group: this.group, ...change, owned: this.#partitions.size });
  }

  /**
   * An exception here is a fault of the worker or of the broker, such as a record that cannot be copied. If the broker
   * continued, it would pass over the rest of the batch and jobs would be lost: the worker ends instead.
   */
  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.failed(error as Error);
    }
  }
}
