/**
 * The consumer of the broker interface on Kafka: a member of the group, its share of the partitions, and the fetcher of
 * their records. It lives from `consume` until it is closed, or until the member fails for good.
 */
import { BrokerError } from "../../../errors.ts";
import type { Monitor } from "../../../monitor/monitor.ts";
import { sleep, waitUntilSettled } from "../../../support/deadline.ts";
import type { ConsumeOptions, Consumer, ConsumerSink, Mark, Ownership } from "../../broker.ts";
import { brokerError } from "../broker_error.ts";
import { DEFAULT_MAX_RECORD_BYTES } from "../batch/batch_parts.ts";
import type { Cluster, Purpose } from "../wire/cluster.ts";
import { Assignment } from "./assignment.ts";
import { type CommitOutcome, Commits } from "./commits.ts";
import { Fetcher } from "./fetcher.ts";
import type { Generation } from "./generation.ts";
import { Member } from "./member.ts";
import { Session } from "./session.ts";
import { watchForStall } from "./stall_watch.ts";
import { TopicWatch } from "./topic_watch.ts";

/** The parts of the broker that a consumer uses, beside the options of the interface. */
export interface ConsumerContext {
  readonly cluster: Cluster;
  readonly monitor: Monitor;
  /** Highest age of the metadata, in milliseconds. */
  readonly metadataMaxAgeMs: number;
  /** Called once when it has ended. */
  readonly ended: () => void;
}

/** Numbers the consumers of a process, which have connections of their own. */
let count = 0;

const DISPOSE_MS = 5000;
/** At the start brokers are asked again so often, in milliseconds, while none responds or a topic is missing. */
const START_RETRY_MS = 200;
/** A topic that was just created may not be known to each broker yet, in milliseconds. */
const MISSING_MS = 1000;
/** A commit while the group rebalances takes no longer, in milliseconds. */
const MAX_RELEASE_MS = 3000;

/** See the module. */
export class KafkaConsumer implements Consumer {
  readonly #options: ConsumeOptions;
  readonly #sink: ConsumerSink;
  readonly #context: ConsumerContext;
  readonly #number: number = ++count;
  readonly #session: Session;
  readonly #commits: Commits;
  readonly #fetcher: Fetcher;
  readonly #assignment: Assignment;
  readonly #topicWatch: TopicWatch;
  readonly #joined = Promise.withResolvers<void>();
  #member: Member | null = null;
  readonly #closed = new AbortController();
  #isOver = false;
  #closing: Promise<void> | null = null;

  constructor(options: ConsumeOptions, sink: ConsumerSink, context: ConsumerContext) {
    const { cluster } = context;
    this.#options = options;
    this.#sink = sink;
    this.#context = context;
    this.#joined.promise.catch(() => {});
    this.#session = new Session(options.sessionTimeoutMs, (isMember) => sink.membership(isMember));
    this.#commits = new Commits(cluster, options.group, this.#groupPurpose);
    this.#fetcher = new Fetcher(cluster, {
      records: (at, batch) => {
        const ownership = this.#assignment.ownership(at);
        if (ownership !== null) sink.records(ownership, batch);
      },
      expired: (at, from, to) => {
        const ownership = this.#assignment.ownership(at);
        if (ownership !== null) sink.expired(ownership, from, to);
      },
      leaderChanged: ({ topic, partition }, hasLeader) =>
        context.monitor.emit(hasLeader ? "partition.led" : "partition.leaderless", { topic, partition }),
      topicsRefreshed: () => this.#topicWatch.check(),
      failed: (error) => this.#fail(error),
      log: (message) => this.#log("warn", message),
    }, {
      purpose: this.#fetchPurpose,
      maxBytes: options.maxFetchBytes,
      maxRecordBytes: options.maxRecordBytes ?? DEFAULT_MAX_RECORD_BYTES,
    });
    this.#assignment = new Assignment({
      sink,
      fetcher: this.#fetcher,
      topicIdOf: (topic) => {
        const known = cluster.metadata.topic(topic);
        return known?.error === 0 ? known.topicId : undefined;
      },
    });
    this.#topicWatch = new TopicWatch(cluster.metadata, options, {
      missing: (topic) => context.monitor.emit("topic.missing", { topic, group: options.group }),
      refreshed: () => this.#assignment.checkTopics(),
      log: (message) => this.#log("debug", message),
    });
    // Never within the caller's call, and not before it has its consumer.
    queueMicrotask(() => void this.#start());
  }

  get joined(): Promise<void> {
    return this.#joined.promise;
  }

  get sessionValidUntilMs(): number {
    return this.#session.validUntilMs;
  }

  pause(ownership: Ownership): void {
    const fetched = this.#assignment.fetched(ownership);
    if (fetched !== null) this.#fetcher.pause(fetched);
  }

  resume(ownership: Ownership): void {
    const fetched = this.#assignment.fetched(ownership);
    if (fetched !== null) this.#fetcher.resume(fetched);
  }

  async commit(
    marks: readonly Mark[],
    { deadlineMs = this.#options.sessionTimeoutMs }: { readonly deadlineMs?: number } = {},
  ): Promise<readonly (CommitOutcome | "ended")[]> {
    const checks = marks.map((mark) => this.#isOver ? "ended" : this.#assignment.check(mark));
    const valid = marks.filter((_, at) => checks[at] === "send");
    const outcomes = valid.length === 0 || this.#member === null
      ? []
      : await this.#commit(this.#member, valid, deadlineMs);
    let sent = 0;
    return checks.map((check) => check === "send" ? outcomes[sent++] ?? "refused" : check);
  }

  close(deadlineMs: number): Promise<void> {
    return this.#closing ??= this.#close(deadlineMs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close(DISPOSE_MS);
  }

  get #groupPurpose(): Purpose {
    return `group ${this.#number}`;
  }

  get #fetchPurpose(): Purpose {
    return `fetch ${this.#number}`;
  }

  async #start(): Promise<void> {
    try {
      await this.#askForTopics();
    } catch (error) {
      return this.#fail(error);
    }
    if (this.#closing !== null) return;
    this.#topicWatch.check();
    void this.#topicWatch.run(this.#context.metadataMaxAgeMs, this.#closed.signal);
    void watchForStall({
      session: this.#session,
      metadata: this.#context.cluster.metadata,
      sessionTimeoutMs: this.#options.sessionTimeoutMs,
      signal: this.#closed.signal,
      stalled: (lostMs) => this.#sink.stalled?.(lostMs),
    });
    const { group, topics, sessionTimeoutMs, heartbeatIntervalMs = Math.ceil(sessionTimeoutMs / 5) } = this.#options;
    const { cluster, metadataMaxAgeMs } = this.#context;
    this.#member = new Member(cluster, {
      group,
      topics,
      sessionTimeoutMs,
      heartbeatIntervalMs,
      purpose: this.#groupPurpose,
      metadataMaxAgeMs,
    }, {
      claim: () => this.#assignment.claim(),
      releasing: (generation) => this.#release(generation),
      assigned: (partitions) => {
        this.#assignment.assign(partitions);
        this.#session.setProved(true);
        this.#joined.resolve();
      },
      accepted: (sentMs) => {
        this.#session.extend(sentMs);
        if (this.#assignment.isProved) this.#fetcher.thaw();
      },
      suspended: () => this.#fetcher.freeze(),
      expelled: () => {
        this.#session.setProved(false);
        this.#assignment.endAll("unknown");
      },
      failed: (error) => this.#fail(error),
      log: (level, message) => this.#log(level, message),
    });
  }

  /** Asks for the topics until a broker responds. A topic that stays missing is waited for, as one that goes later. */
  async #askForTopics(): Promise<void> {
    const { metadata } = this.#context.cluster;
    const { topics } = this.#options;
    let missingSinceMs = Infinity;
    while (this.#closing === null) {
      try {
        await metadata.refresh(topics);
        if (!topics.some((topic) => metadata.isMissing(topic))) return;
        missingSinceMs = Math.min(missingSinceMs, performance.now());
        if (performance.now() - missingSinceMs >= MISSING_MS) return;
      } catch (error) {
        if ((error as { readonly isFinal?: boolean }).isFinal) throw error;
        this.#log("warn", (error as Error).message);
      }
      await sleep(START_RETRY_MS, this.#closed.signal);
    }
  }

  async #commit(member: Member, marks: readonly Mark[], deadlineMs: number): Promise<readonly CommitOutcome[]> {
    const { generation } = member;
    const sentMs = performance.now();
    const outcomes = await this.#commits.commit(marks, generation, deadlineMs);
    if (outcomes.includes("committed")) member.committed(generation, sentMs);
    return outcomes;
  }

  async #release(generation: Generation): Promise<void> {
    const marks = this.#assignment.release();
    this.#session.setProved(false);
    if (marks.length === 0) return;
    await this.#commits.commit(marks, generation, Math.min(this.#options.sessionTimeoutMs / 2, MAX_RELEASE_MS));
  }

  async #close(deadlineMs: number): Promise<void> {
    this.#isOver = true;
    this.#closed.abort();
    this.#fetcher.close();
    if (this.#member !== null) await waitUntilSettled(this.#member.close(), deadlineMs);
    this.#end("closed");
  }

  #fail(cause: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { group, topics } = this.#options;
    const names = topics.map((topic) => `"${topic}"`).join(", ");
    const error = brokerError(`Cannot go on consuming ${names} in group "${group}"`, cause);
    this.#joined.reject(error);
    this.#fetcher.close();
    this.#end("unknown");
    this.#sink.failed(error);
    void this.close(DISPOSE_MS);
  }

  #end(reason: "closed" | "unknown"): void {
    this.#assignment.endAll(reason);
    this.#session.end();
    this.#joined.reject(new BrokerError(`Cannot join group "${this.#options.group}": the consumer has ended`));
    this.#context.cluster.closePurpose(this.#groupPurpose, this.#fetchPurpose);
    this.#context.ended();
  }

  #log(level: "debug" | "warn", message: string): void {
    this.#context.monitor.emit("broker.log", { level, message, details: {} });
  }
}
