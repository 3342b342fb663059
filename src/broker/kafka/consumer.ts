/**
 * The consumer on Kafka: a member of the group, its share of the partitions, and the hand-over of what comes out of
 * them. It lives from `consume` until it is closed, or until the member fails for good.
 */
import { BrokerError } from "../../errors.ts";
import type { CommitOutcome, ConsumeOptions, Consumer, ConsumerSink, Mark, Ownership } from "../broker.ts";
import type { ClientFactory } from "./client.ts";
import type { ClusterClient } from "./cluster.ts";
import { Commits } from "./commits.ts";
import { brokerError, isNamed } from "./failures.ts";
import { HandOver } from "./hand_over.ts";
import { Member } from "./member.ts";
import { Session } from "./session.ts";
import { Share, type ShareContext } from "./share.ts";

const DISPOSE_MS = 5000;

/** See the module. */
export class KafkaConsumer implements Consumer {
  readonly #options: ConsumeOptions;
  readonly #sink: ConsumerSink;
  readonly #session: Session;
  readonly #commits: Commits;
  readonly #share: Share;
  readonly #handOver: HandOver;
  readonly #member: Member;
  readonly #joined = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #closing: Promise<void> | null = null;

  constructor(clients: ClientFactory, cluster: ClusterClient, options: ConsumeOptions, sink: ConsumerSink) {
    this.#options = options;
    this.#sink = sink;
    this.#session = new Session(options.sessionTimeoutMs, (isMember) => sink.membership(isMember));
    this.#commits = new Commits(options.group, cluster, () => this.#share.interrupted());
    const context: ShareContext = {
      options,
      sink,
      cluster,
      monitor: clients.context.monitor,
      session: this.#session,
      commits: this.#commits,
      fetching: {
        seek: (at, offset) => this.#member.seek(at, offset),
        pause: (at) => this.#member.pause(at),
        resume: (at) => this.#member.resume(at),
      },
    };
    const share = this.#share = new Share(context);
    const handOver = this.#handOver = new HandOver(context, share);
    this.#joined.promise.catch(() => {});
    share.assigned.then(this.#joined.resolve, this.#joined.reject);
    this.#member = new Member(clients, cluster, options, {
      claim: () => share.claim(),
      answered: (sentAt) => this.#session.answered(sentAt),
      alive: (member) => {
        this.#commits.member = member;
        this.#session.confirmed();
      },
      rebalancing: () => share.rebalancing(),
      joined: (partitions, memberId) => share.joined(partitions, memberId),
      batch: (payload) => handOver.batch(payload).catch((error) => this.#fail(error)),
      nothing: (at, next, highWatermark) => handOver.nothing(at, next, highWatermark),
      outOfRange: (at) => handOver.outOfRange(at),
      interrupted: () => share.interrupted(),
      restarting: () => share.restarting(),
      crashed: (error) => this.#fail(error),
    });
  }

  get joined(): Promise<void> {
    return this.#joined.promise;
  }

  get sessionValidUntilMs(): number {
    return this.#session.heldUntilMs;
  }

  /** Resolves when it has ended, by a close or a failure. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  pause(ownership: Ownership): void {
    const intake = this.#share.find(ownership);
    if (intake !== null) this.#handOver.pause(intake);
  }

  resume(ownership: Ownership): void {
    const intake = this.#share.find(ownership);
    if (intake !== null) this.#handOver.resume(intake);
  }

  async commit(
    marks: readonly Mark[],
    options: { readonly deadlineMs?: number } = {},
  ): Promise<readonly CommitOutcome[]> {
    const checks = marks.map((mark) => this.#share.check(mark));
    const valid = marks.filter((_, at) => checks[at] === "send");
    const outcomes = new Map<Mark, CommitOutcome>();
    // A request a topic: the answer for one that was deleted, or is forbidden, must not speak for the others.
    const byTopic = Map.groupBy(valid, ({ ownership }) => ownership.topic);
    await Promise.all(Array.from(byTopic.values(), async (ofTopic) => {
      const outcome = await this.#commits.commit(ofTopic, options.deadlineMs ?? this.#options.sessionTimeoutMs);
      for (const mark of ofTopic) outcomes.set(mark, outcome);
    }));
    return marks.map((mark, at) => {
      const check = checks[at]!;
      return check === "send" ? outcomes.get(mark)! : check;
    });
  }

  close(deadlineMs: number): Promise<void> {
    return this.#closing ??= this.#close(deadlineMs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close(DISPOSE_MS);
  }

  async #close(deadlineMs: number): Promise<void> {
    this.#share.stop();
    await this.#member.close(deadlineMs);
    this.#share.end("closed");
    this.#ended.resolve();
  }

  #fail(cause: unknown): void {
    if (this.#share.isOver) return;
    const error = failureOf(cause, this.#options);
    this.#joined.reject(error);
    this.#share.end("unknown");
    this.#sink.failed(error);
    void this.close(DISPOSE_MS);
  }
}

/** The error of a consumer that will not come back by itself. */
function failureOf(cause: unknown, { group, topics }: ConsumeOptions): Error {
  if (cause instanceof BrokerError || (cause instanceof Error && cause.name === "UnknownTopicError")) return cause;
  const names = topics.map((topic) => `"${topic}"`).join(", ");
  const codec = /^(\w+) compression not implemented/.exec(cause instanceof Error ? cause.message : "")?.[1];
  if (isNamed(cause, "KafkaJSNotImplemented") && codec !== undefined) {
    return new BrokerError(
      `Cannot read a batch in one of the topics ${names}: it is compressed with ${codec}, and only gzip can be read`,
      { cause },
    );
  }
  return brokerError(`Cannot go on consuming ${names} in group "${group}"`, cause);
}
