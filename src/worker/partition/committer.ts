/**
 * Sends the commits of a group. Partitions announce that they have something to commit; once an interval at most, and one
 * commit at a time, it collects their marks and sends them together. Refused and unknown commits are sent again; those whose
 * metadata is too long for the broker with less, from then on in the whole group.
 */
import type { Consumer, Mark } from "../../broker/broker.ts";
import { sleep, waitUntilSettled } from "../../support/deadline.ts";
import { clearTimeout, setTimeout } from "../../support/timers.ts";

/** A partition, as far as its commits are concerned. */
export interface CommitSource {
  /** Returns what is to be committed; `null` if the broker has it already. */
  pendingMark(): Mark | null;
  /** Takes note that the broker has this. */
  confirm(mark: Mark): void;
}

/** See the module. */
export class Committer {
  readonly #consumer: Pick<Consumer, "commit">;
  readonly #intervalMs: number;
  readonly #metadataLimit: { maxLength: number };
  readonly #scheduled = new Set<CommitSource>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #inFlight: Promise<void> | undefined;
  #isStopped = false;

  /** @param metadataLimit in characters; the partitions keep to it */
  constructor(consumer: Pick<Consumer, "commit">, intervalMs: number, metadataLimit: { maxLength: number }) {
    this.#consumer = consumer;
    this.#intervalMs = intervalMs;
    this.#metadataLimit = metadataLimit;
  }

  /** Schedules a commit of a partition. */
  schedule(partition: CommitSource): void {
    this.#scheduled.add(partition);
    this.#arm();
  }

  /** Cancels the commit of a partition that is lost. */
  cancel(partition: CommitSource): void {
    this.#scheduled.delete(partition);
  }

  /** Commits without waiting for the interval. Resolves once nothing is left, or at the deadline (in milliseconds). */
  async flush(deadlineMs: number): Promise<void> {
    const untilMs = performance.now() + deadlineMs;
    while (this.#scheduled.size > 0 || this.#inFlight !== undefined) {
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) return;
      // The commit in flight has no deadline of its own, and may never end if the broker is offline.
      await waitUntilSettled(this.#inFlight ?? this.#commit(leftMs), leftMs);
      // After a refusal: give the group the time to settle.
      if (this.#scheduled.size > 0) await sleep(Math.min(RETRY_MS, leftMs));
    }
  }

  /** Sends nothing more. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#scheduled.clear();
  }

  #arm(): void {
    if (this.#isStopped || this.#timer !== undefined || this.#inFlight !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#commit();
    }, this.#intervalMs);
  }

  #commit(deadlineMs?: number): Promise<void> {
    this.#inFlight = this.#send(deadlineMs).finally(() => {
      this.#inFlight = undefined;
      if (this.#scheduled.size > 0) this.#arm();
    });
    return this.#inFlight;
  }

  async #send(deadlineMs: number | undefined): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const sent: [CommitSource, Mark][] = [];
    for (const partition of this.#scheduled) {
      const mark = partition.pendingMark();
      if (mark !== null) sent.push([partition, mark]);
    }
    this.#scheduled.clear();
    if (sent.length === 0) return;
    const outcomes = await this.#consumer.commit(
      sent.map(([, mark]) => mark),
      deadlineMs === undefined ? {} : { deadlineMs },
    );
    this.#shrinkLimit(sent.filter((_, index) => outcomes[index] === "metadata_too_long").map(([, mark]) => mark));
    for (const [index, [partition, mark]] of sent.entries()) {
      const outcome = outcomes[index];
      if (outcome === "committed") partition.confirm(mark);
      // "refused" or "unknown": send it again. "ended": the partition is lost.
      else if (outcome !== "ended") this.#scheduled.add(partition);
    }
  }

  /** Halves the longest metadata that was refused: a broker may refuse a whole request for the size of one mark. */
  #shrinkLimit(refused: readonly Mark[]): void {
    if (refused.length === 0) return;
    const longest = Math.max(...refused.map(({ metadata }) => metadata.length));
    this.#metadataLimit.maxLength = Math.min(this.#metadataLimit.maxLength, Math.floor(longest / 2));
  }
}

/** The wait of a flush after a refused commit, in milliseconds. */
const RETRY_MS = 50;
