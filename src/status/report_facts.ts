/** The facts that workers report and the cluster does not know: what runs, who owns a partition, since when nothing is done. Pure. */
import type { ReportedWorker } from "../reports/reported_worker.ts";
import { frontOf, type PartitionFacts } from "./partition_state.ts";

const MINUTE_MS = 60_000;
/** Minutes without any job, the current one aside, after which a topic counts as idle. */
const IDLE_MINUTES = 5;

/** See the module. */
export class ReportFacts {
  readonly #nowMs: number;
  readonly #topics = new Map<string, TopicReports>();

  /** @param workers all that have reported; those that are gone count for nothing */
  constructor(workers: readonly ReportedWorker[], nowMs: number) {
    this.#nowMs = nowMs;
    for (const worker of workers) {
      const { id, status, writtenAtMs } = worker;
      if (worker.state === "gone") continue;
      for (const topic of new Set(status.groups.flatMap(({ topics }) => topics))) this.of(topic).readers.push(worker);
      for (const { partitions, running } of status.groups) {
        for (const { topic, partition, pausedBy } of partitions) {
          this.of(topic).owners.set(partition, id);
          if (pausedBy !== null) this.of(topic).paused.add(partition);
        }
        for (const { topic, partition, offset, runningMs } of running) {
          this.of(topic).addRunning(partition, { offset, forMs: runningMs + Math.max(0, nowMs - writtenAtMs) });
        }
      }
    }
  }

  /** Returns the facts of a topic. */
  of(topic: string): TopicReports {
    let found = this.#topics.get(topic);
    if (found === undefined) this.#topics.set(topic, found = new TopicReports(topic, this.#nowMs));
    return found;
  }
}

/** A job that runs. */
interface RunningAt {
  readonly offset: number;
  /** The longest time for which it is known to have run, in ms. */
  readonly forMs: number;
}

/** The facts of one topic. */
export class TopicReports {
  /** The live workers, by what they read. */
  readonly readers: ReportedWorker[] = [];
  /** The id of the worker that owns a partition, by its number. */
  readonly owners: Map<number, string> = new Map();
  /** The partitions that were paused by an operator at the time of their owner's report. */
  readonly paused: Set<number> = new Set();
  readonly #topic: string;
  readonly #nowMs: number;
  /** The jobs that run, by partition. */
  readonly #jobs = new Map<number, RunningAt[]>();
  #running = 0;
  /** Whether no reader has done a job, once it was asked. */
  #isIdle: boolean | undefined;

  constructor(topic: string, nowMs: number) {
    this.#topic = topic;
    this.#nowMs = nowMs;
  }

  /** Adds a job that runs. */
  addRunning(partition: number, job: RunningAt): void {
    this.#running++;
    const jobs = this.#jobs.get(partition);
    if (jobs === undefined) this.#jobs.set(partition, [job]);
    else jobs.push(job);
  }

  /** The number of jobs that run; `null` if no worker reports that it reads the topic. */
  get running(): number | null {
    return this.readers.length === 0 ? null : this.#running;
  }

  /**
   * Adds what the workers report to the facts of a partition.
   *
   * @param members the number of members that read the topic: one that does not report may have moved the committed offset
   */
  addTo(facts: PartitionFacts, members: number): PartitionFacts {
    const { partition, owner, unmovedMs } = facts;
    const front = frontOf(facts);
    const reportedMs = front === null ? 0 : this.unmovedMs(partition, front, members);
    return { ...facts, owner: this.owners.get(partition) ?? owner, unmovedMs: Math.max(unmovedMs, reportedMs) };
  }

  /**
   * Returns the time for which the committed offset of a partition is known not to have moved, in ms; 0 if the reports do not show
   * it. Either the job at the offset has run for so long, or none runs there and no worker has done a job of the topic. Nothing
   * was to be done in a pause, which may have ended since the report.
   *
   * @param front the committed offset
   * @param members the number of members that read the topic: one that does not report may have moved it
   */
  unmovedMs(partition: number, front: number, members: number): number {
    if (this.readers.length === 0) return 0;
    const job = this.#jobs.get(partition)?.find(({ offset }) => offset === front);
    return job?.forMs ?? (this.paused.has(partition) ? 0 : this.#idleMs(members));
  }

  #idleMs(members: number): number {
    const { readers } = this;
    if (readers.length < members) return 0;
    this.#isIdle ??= readers.every((worker) => this.#isIdleAt(worker));
    return this.#isIdle ? IDLE_MINUTES * MINUTE_MS : 0;
  }

  #isIdleAt({ startedAtMs, history }: ReportedWorker): boolean {
    if (this.#nowMs - startedAtMs < (IDLE_MINUTES + 1) * MINUTE_MS) return false;
    const found = history.topics.find((each) => each.topic === this.#topic);
    if (found === undefined) return history.otherTopics === 0 && history.minuteMs > 0;
    return [found.performed, found.failed, found.deadLettered].every((counts) =>
      counts.slice(-IDLE_MINUTES - 1).every((count) => count === 0)
    );
  }
}
