/**
 * Reads the status of an App's topics from the cluster: what its groups have committed, against the ends of the topics. No
 * worker needs to run, no group is made, and a partition that cannot be asked holds up no other.
 */
import type { Broker, BrokerAdmin } from "../broker/broker.ts";
import type { Route } from "../routing/route.ts";
import { type Answer, Deadline } from "./ask.ts";
import { frontOf, lagOf, type PartitionFacts, summarizePartition } from "./partition_state.ts";
import type { AppStatus, DeadLetterCounts, TopicStatus } from "./status.ts";
import { compareTopics, summarizeTopic, worstState } from "./topic_state.ts";

/** The parts of an App that its status needs. */
export interface StatusContext {
  readonly name: string;
  readonly brokerName: string;
  readonly routes: readonly Route[];
  /** Returns the broker once it is ready. */
  readonly broker: () => Promise<Broker>;
  readonly nowMs: () => number;
}

/** Options of {@linkcode readStatus}. */
export interface ReadStatusOptions {
  readonly timeoutMs: number;
  readonly command: string;
}

/** Reads the status. It rejects for nothing that the broker does. */
export async function readStatus(context: StatusContext, options: ReadStatusOptions): Promise<AppStatus> {
  const { name, brokerName, routes } = context;
  const atMs = context.nowMs();
  const deadline = new Deadline(options.timeoutMs);
  try {
    const opened = await deadline.ask(() => context.broker());
    const reader = new StatusReader(opened, deadline, { atMs, command: options.command });
    const topics = (await Promise.all(routes.map((route) => reader.readTopic(route)))).sort(compareTopics);
    const state = worstState(topics.map((topic) => topic.state));
    return { atMs, name, broker: brokerName, state, topics, isDelayedComplete: true, notes: [] };
  } finally {
    deadline[Symbol.dispose]();
  }
}

class StatusReader {
  readonly #broker: Answer<Broker>;
  readonly #deadline: Deadline;
  readonly #atMs: number;
  readonly #command: string;

  constructor(
    broker: Answer<Broker>,
    deadline: Deadline,
    { atMs, command }: { readonly atMs: number; readonly command: string },
  ) {
    this.#broker = broker;
    this.#deadline = deadline;
    this.#atMs = atMs;
    this.#command = command;
  }

  async readTopic({ queue, topic, group, deadLetterQueue }: Route): Promise<TopicStatus> {
    const [facts, deadLetters] = await Promise.all([
      this.#readPartitions(topic, group),
      deadLetterQueue === null ? null : this.#countDeadLetters(deadLetterQueue.topic),
    ]);
    const shared = { workers: null, pause: null, nowMs: this.#atMs, command: this.#command };
    const partitions = facts.map((each) => summarizePartition(each, shared));
    const summary = summarizeTopic(partitions);
    const rest = { partitions, running: null, delayed: 0, deadLetters, workers: null, pausedBy: null };
    return { queue, topic, group, ...summary, ...rest };
  }

  async #readPartitions(topic: string, group: string): Promise<PartitionFacts[]> {
    const [ends, commits] = await Promise.all([
      this.#ask((admin) => admin.ends(topic)),
      this.#ask((admin) => admin.committed(group, topic)),
    ]);
    const byPartition = new Map(commits.value?.map((commit) => [commit.partition, commit]));
    const problem = ends.problem ?? commits.problem;
    const facts = (ends.value ?? [{ partition: 0, low: null, high: null }]).map(({ partition, low, high }) => {
      const { offset: committed = null, metadata = "" } = byPartition.get(partition) ?? {};
      return { topic, partition, low, high, committed, metadata, problem, headAtMs: null, unmovedMs: 0, owner: null };
    });
    return await Promise.all(facts.map(async (each) => ({ ...each, headAtMs: await this.#readHead(each) })));
  }

  /** Returns the timestamp of the first record that is not finished. */
  async #readHead(facts: PartitionFacts): Promise<number | null> {
    const from = frontOf(facts);
    if (from === null || !lagOf(facts)) return null;
    const { topic, partition } = facts;
    const read = await this.#ask((admin) =>
      admin.read(topic, partition, { from, maxBytes: 1, values: false, signal: this.#deadline.signal })
    );
    return read.value?.records[0]?.timestampMs ?? null;
  }

  async #countDeadLetters(topic: string): Promise<DeadLetterCounts> {
    const { value } = await this.#ask((admin) => admin.ends(topic));
    const total = value?.reduce((sum, { low, high }) => sum + high - low, 0) ?? null;
    return { topic, total, unhandled: null };
  }

  #ask<T>(question: (admin: BrokerAdmin) => Promise<T>): Promise<Answer<T>> {
    const { value, problem } = this.#broker;
    if (value === null) return Promise.resolve({ value: null, problem });
    return this.#deadline.ask(() => question(value.admin));
  }
}
