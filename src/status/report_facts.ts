/** The facts that workers report and the cluster does not know: what runs, who owns a partition, since when nothing is done. Pure. */
import type { ReportedWorker } from "../reports/reported_worker.ts";
import { formatPartition, type TopicPartition } from "../support/position.ts";

const MINUTE_MS = 60_000;
/** Minutes without any job, the current one aside, after which a topic counts as idle. */
const IDLE_MINUTES = 5;

/** See the module. */
export class ReportFacts {
  readonly #nowMs: number;
  readonly #owners = new Map<string, string>();
  /** The longest time for which the job at an offset is known to have run, by partition. */
  readonly #running = new Map<string, { readonly offset: number; readonly forMs: number }[]>();
  readonly #runningOfTopic = new Map<string, number>();
  /** The live workers of each topic, by what they read. */
  readonly #readers = new Map<string, ReportedWorker[]>();
  /** Whether no reader of a topic has done a job, as far as it was asked. */
  readonly #idle = new Map<string, boolean>();

  /** @param workers all that have reported; those that are gone count for nothing */
  constructor(workers: readonly ReportedWorker[], nowMs: number) {
    this.#nowMs = nowMs;
    for (const worker of workers) {
      const { id, status, writtenAtMs } = worker;
      if (worker.state === "gone") continue;
      for (const topic of new Set(status.groups.flatMap(({ topics }) => topics))) {
        const readers = this.#readers.get(topic);
        if (readers === undefined) this.#readers.set(topic, [worker]);
        else readers.push(worker);
      }
      for (const { partitions, running } of status.groups) {
        for (const at of partitions) this.#owners.set(formatPartition(at), id);
        for (const job of running) {
          const { topic, offset, runningMs } = job;
          const forMs = runningMs + Math.max(0, nowMs - writtenAtMs);
          this.#runningOfTopic.set(topic, (this.#runningOfTopic.get(topic) ?? 0) + 1);
          const key = formatPartition(job);
          const jobs = this.#running.get(key);
          if (jobs === undefined) this.#running.set(key, [{ offset, forMs }]);
          else jobs.push({ offset, forMs });
        }
      }
    }
  }

  /** Returns the number of jobs of a topic that run; `null` if no worker reports that it reads the topic. */
  runningOf(topic: string): number | null {
    return this.#readers.has(topic) ? this.#runningOfTopic.get(topic) ?? 0 : null;
  }

  /** Returns the id of the worker that owns a partition; `null` if none reports it. */
  ownerOf(at: TopicPartition): string | null {
    return this.#owners.get(formatPartition(at)) ?? null;
  }

  /**
   * Returns the time for which the committed offset of a partition is known not to have moved, in ms; 0 if the reports do not show
   * it. Either the job at the offset has run for so long, or no worker has done a job of the topic.
   *
   * @param front the committed offset
   * @param members the number of members that read the topic: one that does not report may have moved it
   */
  unmovedMs(at: TopicPartition, front: number, members: number): number {
    if (!this.#readers.has(at.topic)) return 0;
    const job = this.#running.get(formatPartition(at))?.find(({ offset }) => offset === front);
    return Math.max(job?.forMs ?? 0, this.#idleMs(at.topic, members));
  }

  #idleMs(topic: string, members: number): number {
    const readers = this.#readers.get(topic);
    if (readers === undefined || readers.length < members) return 0;
    let isIdle = this.#idle.get(topic);
    if (isIdle === undefined) this.#idle.set(topic, isIdle = readers.every((worker) => this.#isIdle(worker, topic)));
    return isIdle ? IDLE_MINUTES * MINUTE_MS : 0;
  }

  #isIdle({ startedAtMs, history }: ReportedWorker, topic: string): boolean {
    if (this.#nowMs - startedAtMs < (IDLE_MINUTES + 1) * MINUTE_MS) return false;
    const found = history.topics.find((each) => each.topic === topic);
    if (found === undefined) return history.otherTopics === 0 && history.minuteMs > 0;
    return [found.performed, found.failed, found.deadLettered].every((counts) =>
      counts.slice(-IDLE_MINUTES - 1).every((count) => count === 0)
    );
  }
}
