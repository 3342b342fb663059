/**
 * The last step of a record, whatever came before: it is finished, perhaps after a dead letter was written, or it waits for
 * its next try.
 *
 * Only a worker that certainly owns the partition may take it: the caller proves the ownership first (`proveOwnership`). A dead
 * letter is acknowledged before its record is finished.
 */
import type { Route } from "../../routing/route.ts";
import type { Position, TopicPartition } from "../../support/position.ts";
import type { GroupContext } from "./context.ts";
import { writeDeadLetter } from "./dead_letter.ts";
import type { QueuedRecord } from "./queued_record.ts";
import type { Decision } from "./retry_policy.ts";
import type { RetryState } from "./retry_state.ts";
import type { RetryWaits } from "./retry_waits.ts";

/** The parts of a partition that deal with its records. */
export interface RecordContext {
  readonly place: TopicPartition;
  readonly route: Route;
  readonly context: GroupContext;
  readonly retryState: RetryState;
  readonly waits: RetryWaits;
  /** Called when a record is finished: it leaves the queue and may be committed. */
  readonly onFinished: (record: QueuedRecord) => void;
  /** Called when the commit's metadata has changed. */
  readonly onProgress: () => void;
}

/** The parts of a finisher. */
export interface FinisherOptions extends RecordContext {
  /** Whether the partition is still owned, as far as this worker knows. */
  readonly isOwned: () => boolean;
}

/** The job that a dead letter's event names. */
export interface JobIdentity {
  readonly jobClass: string;
  readonly jobId: string | null;
}

/** See the module. */
export class Finisher {
  readonly #options: FinisherOptions;

  constructor(options: FinisherOptions) {
    this.#options = options;
  }

  /** Waits until it is certain whether the partition is still owned. @returns whether it is */
  async proveOwnership(): Promise<boolean> {
    const { isOwned, context: { startCondition } } = this.#options;
    while (isOwned() && !startCondition.canCommit(performance.now())) await startCondition.nextChange();
    return isOwned();
  }

  /** Finishes a record whose job has ended. */
  finish(record: QueuedRecord): void {
    this.#options.retryState.resetAfterPass(record.offset);
    this.#leave(record);
  }

  /** Finishes a record whose job did not end: it says nothing about the partition. */
  finishUnperformed(record: QueuedRecord): void {
    this.#options.retryState.resetAfterDeadLetter(record.offset);
    this.#leave(record);
  }

  /** Does what was decided after a failure. */
  async apply(decision: Decision, record: QueuedRecord, job: JobIdentity | null): Promise<void> {
    if (decision.kind === "dead_letter") await this.deadLetter(record, job);
    else this.#options.waits.add(record, decision);
  }

  /** Writes the dead letter of a record, then finishes it. If it cannot be written, the write is tried again. */
  async deadLetter(record: QueuedRecord, job: JobIdentity | null): Promise<void> {
    const { retryState, route, context: { group, config: { append, monitor } } } = this.#options;
    const error = retryState.errorOf(record.offset);
    const source = this.positionOf(record);
    const attempts = retryState.attemptsOf(record.offset);
    const letter = { source, record, group, attempts, error };
    const outcome = await writeDeadLetter(route.deadLetterQueue!.topic, letter, append);
    if (!outcome.ok) {
      monitor.reportError("dead letter", outcome.error);
      return this.waitAfterRefusal(record);
    }
    const { jobClass = null, jobId = null } = job ?? {};
    monitor.emit("record.dead_lettered", { ...source, to: outcome.position, attempts, error, jobClass, jobId });
    if (await this.proveOwnership()) this.finishUnperformed(record);
  }

  /** Lets a record wait that was to be written elsewhere, and could not be. */
  waitAfterRefusal(record: QueuedRecord): void {
    const { retryState, waits } = this.#options;
    waits.add(record, retryState.countRefusedWrite(record.offset));
  }

  /** Returns the position of a record. */
  positionOf({ offset }: QueuedRecord): Position {
    const { topic, partition } = this.#options.place;
    return { topic, partition, offset };
  }

  #leave(record: QueuedRecord): void {
    this.#options.waits.remove(record);
    this.#options.onFinished(record);
  }
}
