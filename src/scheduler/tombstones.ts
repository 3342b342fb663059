/**
 * Writes tombstones of schedules and cancellations to their own partition, in order, and again those that are not
 * acknowledged. A tombstone removes exactly the record of its key, for ever: writing it twice, or late, does no harm.
 */
import { sleep } from "../support/deadline.ts";
import type { SchedulerContext } from "./context.ts";

const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 5000;

/** A tombstone. */
export interface Tombstone {
  readonly key: Uint8Array | string;
  /** Called once it is acknowledged. */
  readonly onWritten: () => void;
}

/** Writes the tombstones of one partition. */
export class TombstoneWriter {
  readonly #context: Pick<SchedulerContext, "append" | "topic" | "monitor">;
  readonly #partition: number;
  readonly #signal: AbortSignal;

  /** @param signal ends the retries: the partition is lost, or the worker stops */
  constructor(context: SchedulerContext, partition: number, signal: AbortSignal) {
    this.#context = context;
    this.#partition = partition;
    this.#signal = signal;
  }

  /** Writes tombstones. Resolves once all are acknowledged, or the retries have ended. */
  async write(tombstones: readonly Tombstone[]): Promise<void> {
    let open = tombstones;
    let waitMs = FIRST_RETRY_MS;
    while (true) {
      open = await this.#try(open);
      if (open.length === 0 || this.#signal.aborted) return;
      await sleep(waitMs, this.#signal);
      waitMs = Math.min(waitMs * 2, MAX_RETRY_MS);
      if (this.#signal.aborted) return;
    }
  }

  /** @returns those that are not acknowledged */
  async #try(tombstones: readonly Tombstone[]): Promise<Tombstone[]> {
    const { append, topic, monitor } = this.#context;
    let failure: Error | undefined;
    // In one turn: they travel together.
    const outcomes = await Promise.all(tombstones.map(async (tombstone) => {
      const outcome = await append(topic, { partition: this.#partition, key: tombstone.key, value: null });
      if (outcome.ok) tombstone.onWritten();
      else failure ??= outcome.error;
      return outcome.ok;
    }));
    if (failure !== undefined) monitor.reportError("scheduler", failure);
    return tombstones.filter((_, index) => !outcomes[index]);
  }
}
