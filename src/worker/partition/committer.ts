/**
 * Committing: telling the broker how far the partitions of a group are. Partitions say that there is something to commit;
 * at most once an interval, with one commit in flight, the loop collects what they have and sends it together.
 *
 * Its outcome decides what a partition does next, so it goes back to the partition; what was refused is sent again.
 */
import type { Consumer, Mark } from "../../broker/broker.ts";
import { settledWithin } from "../../support/deadline.ts";
import { clearTimeout, setTimeout } from "../../support/timers.ts";

/** A partition, as far as committing goes. */
export interface Committable {
  /** What is to be committed; `null` where the broker has it already. */
  pendingMark(): Mark | null;
  /** The broker has this. */
  committed(mark: Mark): void;
}

/** The commits of one group. */
export class Committer {
  readonly #consumer: Pick<Consumer, "commit">;
  readonly #intervalMs: number;
  readonly #dirty = new Set<Committable>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #inFlight: Promise<void> | undefined;
  #stopped = false;

  constructor(consumer: Pick<Consumer, "commit">, intervalMs: number) {
    this.#consumer = consumer;
    this.#intervalMs = intervalMs;
  }

  /** There is something to commit. */
  schedule(partition: Committable): void {
    this.#dirty.add(partition);
    this.#arm();
  }

  /** There is nothing to commit any more: the partition is lost. */
  forget(partition: Committable): void {
    this.#dirty.delete(partition);
  }

  /** Commits what there is, without waiting for the interval. Resolves once nothing is left, or at the deadline. */
  async flush(deadlineMs: number): Promise<void> {
    const untilMs = performance.now() + deadlineMs;
    while (this.#dirty.size > 0 || this.#inFlight !== undefined) {
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) return;
      // The one in flight has no deadline of its own, and may never end where the broker is away.
      await settledWithin(this.#inFlight ?? this.#commit(leftMs), leftMs);
      // Refused is no reason to spin: give the group the time to settle.
      if (this.#dirty.size > 0) await new Promise((resolve) => setTimeout(resolve, Math.min(RETRY_MS, leftMs)));
    }
  }

  /** Sends nothing more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#dirty.clear();
  }

  #arm(): void {
    if (this.#stopped || this.#timer !== undefined || this.#inFlight !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#commit();
    }, this.#intervalMs);
  }

  #commit(deadlineMs?: number): Promise<void> {
    this.#inFlight = this.#send(deadlineMs).finally(() => {
      this.#inFlight = undefined;
      if (this.#dirty.size > 0) this.#arm();
    });
    return this.#inFlight;
  }

  async #send(deadlineMs: number | undefined): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const sent: [Committable, Mark][] = [];
    for (const partition of this.#dirty) {
      const mark = partition.pendingMark();
      if (mark !== null) sent.push([partition, mark]);
    }
    this.#dirty.clear();
    if (sent.length === 0) return;
    const outcomes = await this.#consumer.commit(
      sent.map(([, mark]) => mark),
      deadlineMs === undefined ? {} : { deadlineMs },
    );
    for (const [index, [partition, mark]] of sent.entries()) {
      const outcome = outcomes[index];
      if (outcome === "committed") partition.committed(mark);
      // Refused or unknown: send it again. Ended: the partition has forgotten itself already.
      else if (outcome !== "ended") this.#dirty.add(partition);
    }
  }
}

/** How long a refused commit waits, in milliseconds, when it is awaited. */
const RETRY_MS = 50;
