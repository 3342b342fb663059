/**
 * One consumer group of a worker: what the broker tells it, passed on to the partitions that it owns. It opens and closes
 * the group's gate, answers a rebalance with what is to be committed, and gives each ownership an object of its own.
 */
import type { Broker, Consumer, ConsumerSink, Mark, Ownership, RecordBatch } from "../broker/broker.ts";
import type { EventMap, LostReason, RunningJob } from "../monitor/events.ts";
import type { Route } from "../routing/route.ts";
import { Committer } from "./partition/committer.ts";
import { StartCondition } from "./partition/start_condition.ts";
import type { GroupContext, WorkerContext } from "./partition/context.ts";
import { Partition } from "./partition/partition.ts";
import type { TopicPartition } from "../support/position.ts";
import type { GroupStatus } from "./status.ts";

/** What a group's consumer is told. */
export interface GroupConsumerOptions {
  readonly group: string;
  readonly routes: readonly Route[];
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly maxFetchBytes: number;
  readonly commitIntervalMs: number;
  /** It will not come back by itself. */
  readonly failed: (error: Error) => void;
}

/** One group of a worker. */
export class GroupConsumer implements ConsumerSink {
  /** The group's name. */
  readonly group: string;
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #context: GroupContext;
  readonly #consumer: Consumer;
  readonly #startCondition: StartCondition;
  readonly #committer: Committer;
  readonly #partitions = new Map<Ownership, Partition>();
  /** Lost ones whose job may still run: it keeps its slot until it ends. */
  readonly #leaving = new Set<Partition>();
  readonly #failed: (error: Error) => void;
  #isJoined = false;

  constructor(broker: Broker, worker: WorkerContext, options: GroupConsumerOptions) {
    const { group, routes, sessionTimeoutMs, heartbeatIntervalMs, maxFetchBytes } = options;
    this.group = group;
    this.#failed = options.failed;
    this.#routes = new Map(routes.map((route) => [route.topic, route]));
    const topics = routes.map((route) => route.topic);
    this.#consumer = broker.consume({ group, topics, sessionTimeoutMs, heartbeatIntervalMs, maxFetchBytes }, this);
    // Where that can never come, the consumer fails, and the worker hears of it there.
    this.joined.then(() => this.#isJoined = true, () => {});
    this.#startCondition = new StartCondition(() => this.#consumer.sessionValidUntilMs);
    this.#committer = new Committer(this.#consumer, options.commitIntervalMs);
    this.#context = {
      ...worker,
      group,
      consumer: this.#consumer,
      startCondition: this.#startCondition,
      committer: this.#committer,
      maxMetadataLength: broker.capabilities.maxCommitMetadataLength,
    };
  }

  /** Resolves at the first assignment. */
  get joined(): Promise<void> {
    return this.#consumer.joined;
  }

  /** The partitions that are owned now. */
  partitions(): Partition[] {
    return [...this.#partitions.values()];
  }

  /** The jobs that run, those of lost partitions included. */
  running(): RunningJob[] {
    return [...this.#leaving, ...this.partitions()].map(({ running }) => running).filter((job) => job !== null);
  }

  /** What there is to say of it now. */
  status(): GroupStatus {
    return {
      group: this.group,
      topics: [...this.#routes.keys()],
      isJoined: this.#isJoined,
      isSessionValid: this.#startCondition.isSessionValid(performance.now()),
      running: this.running(),
      partitions: this.partitions().map((partition) => partition.status()),
    };
  }

  /** No job starts any more, until the end. */
  quiet(): void {
    this.#startCondition.block("quiet");
  }

  /** No wait goes on. */
  stop(): void {
    for (const partition of this.#partitions.values()) partition.stop();
    this.#startCondition.notify();
  }

  /** Asks the running jobs to end. */
  abort(reason: Error): void {
    for (const partition of this.#partitions.values()) partition.abort(reason);
  }

  /** Commits what is finished and leaves the group, within the deadline. */
  async close(deadlineMs: number): Promise<void> {
    const endMs = performance.now() + deadlineMs;
    // Half of it at most: a group that is not left keeps its partitions from others until the session ends.
    await this.#committer.flush(deadlineMs / 2);
    this.#committer.stop();
    await this.#consumer.close(endMs - performance.now());
    // The consumer has told of each loss; what it could not tell of ends here.
    this.lost([...this.#partitions.keys()], "closed");
  }

  /** The broker: these are ours, new or as before. */
  assigned(added: readonly Ownership[], _continued: readonly Ownership[]): void {
    for (const ownership of added) {
      const { topic, partition, committed } = ownership;
      this.#partitions.set(ownership, new Partition(ownership, this.#routes.get(topic)!, this.#context));
      this.#context.monitor.emit("partition.assigned", { topic, partition, offset: committed?.offset ?? null });
    }
    if (added.length > 0) {
      const assigned = added.map(({ topic, partition, committed }) => (
        { topic, partition, offset: committed?.offset ?? null }
      ));
      this.#emitAssignment({ assigned, lost: [], reason: null });
    }
    this.#startCondition.unblock("releasing");
  }

  /** The broker: these were fetched. */
  records(ownership: Ownership, batch: RecordBatch): void {
    this.#partitions.get(ownership)?.take(batch);
  }

  /** The broker: the group rebalances; what is answered is committed at once. */
  releasing(_ownerships: readonly Ownership[]): readonly Mark[] {
    this.#startCondition.block("releasing");
    return this.partitions().map((partition) => partition.pendingMark()).filter((mark) => mark !== null);
  }

  /** The broker: these are no longer ours. */
  lost(ownerships: readonly Ownership[], reason: LostReason): void {
    const lost: TopicPartition[] = [];
    for (const ownership of ownerships) {
      const partition = this.#partitions.get(ownership);
      this.#partitions.delete(ownership);
      if (partition !== undefined) {
        lost.push({ topic: ownership.topic, partition: ownership.partition });
        this.#leaving.add(partition);
        void partition.lose(reason).then(() => this.#leaving.delete(partition));
      }
      if (reason !== "recreated") continue;
      this.#context.monitor.emit("topic.recreated", { topic: ownership.topic, partition: ownership.partition });
    }
    if (lost.length > 0) this.#emitAssignment({ assigned: [], lost, reason });
    this.#startCondition.notify();
  }

  /** The broker: retention was faster. */
  expired({ topic, partition }: Ownership, from: number, to: number): void {
    this.#context.monitor.emit("records.expired", { topic, partition, from, to });
  }

  /** The broker: the session is good, or may have expired. */
  membership(isMember: boolean): void {
    if (isMember) this.#startCondition.unblock("membership");
    else this.#startCondition.block("membership");
    this.#context.monitor.emit("membership.changed", { isMember });
  }

  /** The broker: it is over. */
  failed(error: Error): void {
    this.#failed(error);
  }

  #emitAssignment(change: Pick<EventMap["assignment.changed"], "assigned" | "lost" | "reason">): void {
    const { monitor } = this.#context;
    monitor.emit("assignment.changed", { group: this.group, ...change, owned: this.#partitions.size });
  }
}
