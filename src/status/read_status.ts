/**
 * Reads the status of an App's topics from the cluster, in these steps:
 *
 * 1. The ends of all topics, and the commits and members of each group, in few requests.
 * 2. Beside that, the pauses by operators and the reports of workers, which hold up nothing.
 * 3. The age of the first record that is not finished, for the partitions that have one; the markers of dead letters; the delayed
 *    jobs. All of them have bounds.
 * 4. The state of each partition, then of each topic.
 *
 * No worker needs to run, and no group is made. A question that fails, or has no answer before the deadline, leaves a reason, and
 * holds up no other.
 */
import type { Broker, CommittedOffset, GroupMember, ListedTopic } from "../broker/broker.ts";
import type { PausedTopic } from "../control/control.ts";
import { handledTopicName } from "../routing/handled_topic.ts";
import type { ReportedWorker } from "../reports/reported_worker.ts";
import type { Route } from "../routing/route.ts";
import { countOf } from "../support/count.ts";
import { formatPartition } from "../support/position.ts";
import { type Answer, type AskAdmin, Deadline } from "./ask.ts";
import { countDeadLetters } from "./dead_letter_counts.ts";
import { countDelayed, type DelayedCounts } from "./delayed_counts.ts";
import { readHeads } from "./heads.ts";
import type { Movement } from "./movement.ts";
import { type PartitionFacts, stalledAfterMs, summarizePartition } from "./partition_state.ts";
import { ReportFacts } from "./report_facts.ts";
import type { AppStatus, DeadLetterCounts, TopicStatus } from "./status.ts";
import { compareTopics, summarizeTopic, worstState } from "./topic_state.ts";

/** The parts of an App that its status needs. */
export interface StatusContext {
  readonly name: string;
  readonly brokerName: string;
  readonly routes: readonly Route[];
  /** The full name of the topic in which delayed jobs wait. */
  readonly scheduledTopic: string;
  /** The consumer group that releases them. */
  readonly schedulerGroup: string;
  /** Returns the broker once it is ready. */
  readonly broker: () => Promise<Broker>;
  /** Lists the pauses by operators; `null` if the App takes no orders. */
  readonly pauses: (() => Promise<readonly PausedTopic[]>) | null;
  /** Lists the workers that report; `null` if they write no reports. */
  readonly workers: (() => Promise<readonly ReportedWorker[]>) | null;
  /** The movement of the committed offsets, as earlier statuses have seen it. */
  readonly movement: Movement;
  readonly nowMs: () => number;
}

/** Options of {@linkcode readStatus}. */
export interface ReadStatusOptions {
  readonly timeoutMs: number;
  readonly command: string;
}

/** Reads the status. It rejects for nothing that the broker does. */
export async function readStatus(context: StatusContext, options: ReadStatusOptions): Promise<AppStatus> {
  const deadline = new Deadline(options.timeoutMs);
  try {
    return await new StatusReader(context, options, deadline).read();
  } finally {
    deadline[Symbol.dispose]();
  }
}

/** The commits and members of a group. */
interface GroupFacts {
  readonly commits: Answer<ReadonlyMap<string, readonly CommittedOffset[] | null>>;
  readonly members: Answer<readonly GroupMember[]>;
  /** The ids of the members that own partitions, as `formatPartition` writes them. */
  readonly owners: ReadonlyMap<string, string>;
}

type Listed = Answer<ReadonlyMap<string, ListedTopic | null>>;

/** The facts of all partitions, by topic, and the reasons why a topic has none. */
type Facts = ReadonlyMap<string, { readonly partitions: PartitionFacts[]; readonly problem: string | null }>;

/** Everything that was found. */
interface Found {
  readonly facts: Facts;
  readonly groups: ReadonlyMap<string, GroupFacts>;
  readonly reports: ReportFacts;
  readonly pauses: readonly PausedTopic[];
  readonly deadLetters: ReadonlyMap<string, DeadLetterCounts>;
  readonly delayed: DelayedCounts | null;
}

class StatusReader {
  readonly #context: StatusContext;
  readonly #options: ReadStatusOptions;
  readonly #deadline: Deadline;
  readonly #nowMs: number;
  readonly #notes: string[] = [];

  constructor(context: StatusContext, options: ReadStatusOptions, deadline: Deadline) {
    this.#context = context;
    this.#options = options;
    this.#deadline = deadline;
    this.#nowMs = context.nowMs();
  }

  async read(): Promise<AppStatus> {
    const { name, brokerName, routes } = this.#context;
    const ask = await this.#open();
    const reporting = Promise.all([
      this.#readOrNote(this.#context.pauses, "The pauses by operators"),
      this.#readOrNote(this.#context.workers, "The reports of workers"),
    ]);
    const [listed, groups] = await Promise.all([this.#listTopics(ask), this.#readGroups(ask)]);
    const facts = new Map(routes.map((route) => [route.topic, this.#collectFacts(route, listed, groups)]));
    const [deadLetters, delayed] = await Promise.all([
      this.#countDeadLetters(ask, listed),
      this.#countDelayed(ask, listed, groups),
      this.#readAges(ask, facts),
    ]);
    const [pauses, workers] = await reporting;
    const reports = new ReportFacts(workers, this.#nowMs);
    const found = { facts, groups, reports, pauses, deadLetters, delayed };
    const topics = routes.map((route) => this.#summarize(route, found)).sort(compareTopics);
    return {
      atMs: this.#nowMs,
      name,
      broker: brokerName,
      state: worstState(topics.map(({ state }) => state)),
      topics,
      isDelayedComplete: delayed?.isComplete ?? false,
      notes: this.#notes,
    };
  }

  /** Opens the broker. @returns asks its administration, or returns the reason why it could not be opened */
  async #open(): Promise<AskAdmin> {
    const opened = await this.#deadline.ask(() => this.#context.broker());
    if (opened.value === null) return () => Promise.resolve(opened);
    const { admin } = opened.value;
    return (question) => this.#deadline.ask(() => question(admin));
  }

  #listTopics(ask: AskAdmin): Promise<Listed> {
    const { routes, scheduledTopic } = this.#context;
    const topics = new Set([scheduledTopic]);
    for (const { topic, deadLetterQueue } of routes) {
      topics.add(topic);
      if (deadLetterQueue !== null) topics.add(deadLetterQueue.topic).add(handledTopicName(deadLetterQueue.topic));
    }
    return ask((admin) => admin.listEnds([...topics]));
  }

  /** Asks for each group, that of the schedulers included. */
  async #readGroups(ask: AskAdmin): Promise<Map<string, GroupFacts>> {
    const { routes, scheduledTopic, schedulerGroup } = this.#context;
    const topicsOf = new Map<string, string[]>([[schedulerGroup, [scheduledTopic]]]);
    for (const [group, ofGroup] of Map.groupBy(routes, ({ group }) => group)) {
      topicsOf.set(group, [...topicsOf.get(group) ?? [], ...ofGroup.map(({ topic }) => topic)]);
    }
    const found = await Promise.all(Array.from(topicsOf, async ([group, topics]) => {
      const [commits, members] = await Promise.all([
        ask((admin) => admin.listCommitted(group, topics)),
        ask((admin) => admin.members(group)),
      ]);
      const owners = new Map(
        members.value?.flatMap(({ id, partitions }) => partitions.map((at) => [formatPartition(at), id] as const)),
      );
      return [group, { commits, members, owners }] as const;
    }));
    return new Map(found);
  }

  /** Puts the ends and the commits of a topic together. */
  #collectFacts({ topic, group }: Route, listed: Listed, groups: ReadonlyMap<string, GroupFacts>) {
    const { commits, owners } = groups.get(group)!;
    const problem = problemOf(topic, listed);
    if (problem !== null) return { partitions: [], problem };
    const byPartition = new Map(commits.value?.get(topic)?.map((commit) => [commit.partition, commit]));
    const movement = this.#context.movement.of(group, topic);
    const partitions = listed.value!.get(topic)!.partitions.map((ends): PartitionFacts => {
      const at = { topic, partition: ends.partition };
      const { offset: committed = null, metadata = "" } = byPartition.get(at.partition) ?? {};
      const isKnown = commits.value !== null && ends.low !== null;
      return {
        ...ends,
        topic,
        committed,
        metadata,
        problem: ends.problem ?? commits.problem,
        headAtMs: null,
        unmovedMs: isKnown ? movement.note(at.partition, committed, this.#nowMs) : 0,
        owner: owners.get(formatPartition(at)) ?? null,
      };
    });
    return { partitions, problem: null };
  }

  async #readAges(ask: AskAdmin, facts: Facts): Promise<void> {
    const unknown = await readHeads(ask, Array.from(facts.values(), ({ partitions }) => partitions), this.#deadline);
    if (unknown > 0) this.#notes.push(`The age of ${countOf(unknown, "partition")} could not be read in time.`);
  }

  async #countDeadLetters(ask: AskAdmin, listed: Listed): Promise<ReadonlyMap<string, DeadLetterCounts>> {
    const topics = new Set(this.#context.routes.flatMap(({ deadLetterQueue }) => deadLetterQueue?.topic ?? []));
    const { counts, notes } = await countDeadLetters(ask, this.#deadline, topics, listed.value);
    this.#notes.push(...notes);
    return counts;
  }

  async #countDelayed(
    ask: AskAdmin,
    listed: Listed,
    groups: ReadonlyMap<string, GroupFacts>,
  ): Promise<DelayedCounts | null> {
    const { scheduledTopic: topic, schedulerGroup } = this.#context;
    const found = listed.value?.get(topic);
    // An App without delayed jobs needs no such topic.
    if (found === null) return { byTopic: new Map(), isComplete: true };
    const { commits } = groups.get(schedulerGroup)!;
    const problem = problemOf(topic, listed) ?? commits.problem ??
      found?.partitions.find((each) => each.problem)?.problem;
    const committed = new Map(commits.value?.get(topic)?.map(({ partition, offset }) => [partition, offset]));
    const partitions = (found?.partitions ?? []).flatMap(({ partition, low, high }) => {
      const from = Math.max(low ?? 0, committed.get(partition) ?? 0);
      return from < (high ?? 0) ? [{ topic, partition, from }] : [];
    });
    const counted = await ask((admin) => countDelayed(admin, partitions, this.#nowMs, this.#deadline.signal));
    const reason = problem ?? counted.problem;
    if (reason !== null) this.#notes.push(`Delayed jobs could not be counted: ${reason}.`);
    return counted.value === null
      ? null
      : { ...counted.value, isComplete: counted.value.isComplete && reason === null };
  }

  /** Reads what an App may not have; `null` there. */
  async #readOrNote<T>(read: (() => Promise<readonly T[]>) | null, what: string): Promise<readonly T[]> {
    if (read === null) return [];
    const { value, problem } = await this.#deadline.ask(read);
    if (problem !== null) this.#notes.push(`${what} could not be read: ${problem}.`);
    return value ?? [];
  }

  #summarize(route: Route, found: Found): TopicStatus {
    const { queue, topic, group, deadLetterQueue } = route;
    const { facts, groups, deadLetters, delayed } = found;
    const { command } = this.#options;
    const members = groups.get(group)!.members.value;
    const workers = members === null ? null : readersOf(topic, members);
    const { partitions: collected, problem } = facts.get(topic)!;
    const pauses = found.pauses.filter((pause) => pause.topic === topic);
    const pauseOf = (partition: number | null) => {
      const pause = pauses.find((each) => each.partition === partition);
      return pause === undefined ? null : { by: pause.by, why: pause.why, atMs: pause.atMs };
    };
    const pausedBy = pauseOf(null);
    const shared = { workers, nowMs: this.#nowMs, stalledAfterMs: stalledAfterMs(route), command };
    const reported = found.reports.of(topic);
    const movement = this.#context.movement.of(group, topic);
    const partitions = collected.map((each) => {
      const pause = pausedBy ?? pauseOf(each.partition);
      if (pause !== null) movement.restart(each.partition, this.#nowMs);
      return summarizePartition(reported.addTo(each, workers ?? Infinity), { ...shared, pause });
    });
    const waiting = delayed?.byTopic.get(topic);
    // A record further on may say that a job was released: a part of them does not show that one is overdue.
    const overdue = delayed?.isComplete ? waiting : undefined;
    const releasers = groups.get(this.#context.schedulerGroup)!.members.value?.length ?? null;
    const summary = summarizeTopic(partitions, {
      problem,
      delayed: overdue === undefined ? null : { ...overdue, releasers, nowMs: this.#nowMs },
    });
    return {
      queue,
      topic,
      group,
      ...summary,
      partitions,
      running: workers === 0 ? 0 : reported.running,
      delayed: waiting?.count ?? 0,
      deadLetters: deadLetterQueue === null ? null : deadLetters.get(deadLetterQueue.topic)!,
      workers,
      pausedBy,
    };
  }
}

/** Returns the number of members that read a topic. While a group assigns its partitions, each may. */
function readersOf(topic: string, members: readonly GroupMember[]): number {
  return members.filter(({ topics }) => topics === null || topics.includes(topic)).length;
}

/** Returns the reason why nothing of a topic is known; `null` if something is. */
function problemOf(topic: string, { value, problem }: Listed): string | null {
  if (value === null) return problem;
  const found = value.get(topic);
  return found == null ? 'it does not exist: create it with "topics apply"' : found.problem;
}
