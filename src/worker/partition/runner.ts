/**
 * The loop that performs a partition's records one by one, from the head of its queue.
 *
 *     first ──▶ slot, gate ──▶ decode ──▶ perform ──▶ finish ──▶ (next)
 *       ▲                        │           │ failed
 *       │                        ▼           ▼
 *       └── wait (it stays) ◀── settle ───────────▶ dead letter ──▶ finish
 *
 * It ends when nothing waits and begins again when something is taken. A record leaves the head only when it is finished,
 * and nothing is finished or dead-lettered unless the ownership is proved at that moment.
 */
import { describeError, ShutdownError } from "../../errors.ts";
import type { RunningJob } from "../../monitor/events.ts";
import type { Route } from "../../routing/route.ts";
import { decode, type Decoded, type QueuedRecord } from "./decode.ts";
import { writeDeadLetter } from "./dead_letter.ts";
import type { Decision, Wait } from "./retry_policy.ts";
import type { GroupContext } from "./context.ts";
import type { RetryState } from "./retry_state.ts";
import { Attempt, type Outcome, type Place } from "./attempt.ts";
import type { RetryingRecord, StuckRecord } from "../status.ts";
import type { RecordQueue } from "./record_queue.ts";
import type { Position } from "../../support/position.ts";
import { clearTimeout, setTimeout } from "../../support/timers.ts";

/** What a loop works on. */
export interface RunnerOptions {
  readonly partition: number;
  readonly route: Route;
  readonly context: GroupContext;
  readonly queue: RecordQueue;
  readonly retryState: RetryState;
  /** The head is done: it leaves the queue and may be committed. */
  readonly finish: (record: QueuedRecord) => void;
  /** What the commit's metadata says has changed. */
  readonly changed: () => void;
}

/** What a dead letter's event says of its job. */
interface Identity {
  readonly jobClass: string;
  readonly jobId: string | null;
}

/** The loop of one ownership. */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #context: GroupContext;
  readonly #queue: RecordQueue;
  readonly #retryState: RetryState;
  readonly #place: Place;
  #live = true;
  #working = false;
  #worked: Promise<void> = Promise.resolve();
  #attempt: Attempt | undefined;
  /** The head record's wait for its next try, from its failure until it is finished or performed again. */
  #retry: { readonly position: Position; readonly nextTryMs: number; readonly isLasting: boolean } | null = null;
  #wake: (() => void) | undefined;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#context = options.context;
    this.#queue = options.queue;
    this.#retryState = options.retryState;
    const { partition, route, context: { currentAttributes, monitor, tracing } } = options;
    this.#place = { partition, route, currentAttributes, monitor, tracing };
  }

  /** The records that wait for their next try and need no operator. */
  retrying(): RetryingRecord[] {
    return this.#retry === null || this.#retry.isLasting || this.#wake === undefined
      ? []
      : [this.#retryStatus(this.#retry)];
  }

  /** The records that fail until an operator helps, also during their tries. */
  stuck(): StuckRecord[] {
    if (this.#retry === null || !this.#retry.isLasting) return [];
    return [{ ...this.#retryStatus(this.#retry), remedy: this.#context.skipCommand(this.#retry.position) }];
  }

  #retryStatus({ position, nextTryMs }: { readonly position: Position; readonly nextTryMs: number }): RetryingRecord {
    return {
      ...position,
      attempts: this.#retryState.attemptsOf(position.offset),
      nextTryInMs: this.#wake === undefined ? 0 : Math.max(0, nextTryMs - performance.now()),
      error: this.#retryState.error,
    };
  }

  /** The job that runs; `null` for none, also where one has ended and its outcome waits for the broker. */
  get running(): RunningJob | null {
    return this.#attempt === undefined || this.#attempt.isSettled ? null : this.#attempt.status();
  }

  /** Something waits. */
  start(): void {
    if (this.#working || this.#queue.count === 0) return;
    this.#working = true;
    this.#worked = this.#context.inWorkerContext(() => this.#work().catch((error) => this.#context.failed(error)));
  }

  /**
   * The ownership has ended: the running job is asked to end, and whatever comes of it does not count.
   *
   * @returns a promise that resolves once no job runs any more
   */
  end(): Promise<void> {
    this.#live = false;
    this.#attempt?.revoke();
    this.wake();
    return this.#worked;
  }

  /** Ends the wait for the next try, if there is one. */
  wake(): void {
    this.#wake?.();
  }

  /** Asks the running job to end. */
  abort(reason: Error): void {
    this.#attempt?.abort(reason);
  }

  get #goesOn(): boolean {
    return this.#live && this.#queue.count > 0 && !this.#context.isStopping();
  }

  async #work(): Promise<void> {
    const { semaphore, settling, startCondition, eventLoopYield, registry } = this.#context;
    const { maxPayloadBytes } = this.#options.route;
    // One look at the clock a job: it serves the gate, the pacer and the proof.
    let nowMs = performance.now();
    while (this.#goesOn) {
      if (!semaphore.tryAcquire()) {
        await semaphore.acquire();
        nowMs = performance.now();
      }
      if (eventLoopYield.isDue(nowMs)) nowMs = await eventLoopYield.wait();
      if (!this.#goesOn || !startCondition.canStart(nowMs)) {
        semaphore.release();
        if (this.#goesOn) await startCondition.nextChange();
        nowMs = performance.now();
        continue;
      }
      const record = this.#queue.first;
      const decoded = decode(record, registry, maxPayloadBytes);
      let waitMs: number;
      if (decoded.kind === "job" && !this.#retryState.isExhausted(record.offset)) {
        const number = this.#retryState.attemptsOf(record.offset) + 1;
        const attempt = this.#attempt = new Attempt(this.#place, record, decoded, number, nowMs);
        let outcome: Outcome;
        try {
          await attempt.perform();
          outcome = attempt.passed();
        } catch (thrown) {
          outcome = attempt.failed(thrown);
        }
        nowMs = performance.now();
        if (outcome.kind === "passed" && this.#live && startCondition.canCommit(nowMs)) {
          this.#pass(record, attempt);
          this.#attempt = undefined;
          semaphore.release();
          continue;
        }
        semaphore.release();
        waitMs = await settling.track(this.#settle(record, attempt, outcome));
        this.#attempt = undefined;
      } else {
        semaphore.release();
        waitMs = await settling.track(this.#settleUnperformed(record, decoded));
      }
      if (waitMs > 0) await this.#wait(waitMs);
      nowMs = performance.now();
    }
    this.#working = false;
  }

  #pass(record: QueuedRecord, attempt: Attempt): void {
    const { monitor } = this.#context;
    if (monitor.hears("job.performed")) {
      const { durationMs, waitMs } = attempt;
      monitor.emit("job.performed", { ...attempt.info(), durationMs, waitMs });
    }
    this.#retryState.passed(record.offset);
    this.#finish(record);
  }

  /** What is no plain pass. @returns how long the head waits, in milliseconds; 0 where it is finished, or not ours */
  async #settle(record: QueuedRecord, attempt: Attempt, outcome: Outcome): Promise<number> {
    const { monitor, sessionTimeoutMs } = this.#context;
    if (!await this.#isProved()) {
      const { durationMs } = attempt;
      monitor.emit("job.revoked", { ...attempt.info(), durationMs, outcome: outcome.kind, sessionTimeoutMs });
      return 0;
    }
    if (outcome.kind === "passed") {
      this.#pass(record, attempt);
      return 0;
    }
    // The stop ended it: no failure of its own. It is performed again with the attempts that it had.
    if (attempt.abortReason instanceof ShutdownError) return 0;
    const decision = this.#retryState.failed(record.offset, outcome.error);
    // The count must reach the broker even if the front never moves again.
    this.#options.changed();
    monitor.emit("job.failed", {
      ...attempt.info(),
      durationMs: attempt.durationMs,
      error: this.#retryState.error,
      next: decision.kind === "dead_letter" ? "dead_letter" : "retry",
      waitMs: decision.kind === "dead_letter" ? 0 : decision.waitMs,
    });
    return await this.#follow(record, decision, attempt.info());
  }

  /** What is not performed: a tombstone, what cannot be performed, and what has had all its attempts. */
  async #settleUnperformed(record: QueuedRecord, decoded: Decoded): Promise<number> {
    if (!await this.#isProved()) return 0;
    switch (decoded.kind) {
      case "tombstone":
        this.#context.monitor.emit("record.skipped", { ...this.#at(record), reason: "tombstone" });
        this.#retryState.givenUp();
        this.#finish(record);
        return 0;
      case "job":
        return await this.#deadLetter(record, decoded.envelope);
      default:
        return await this.#follow(record, this.#retryState.impossible(decoded.error, performance.now()), null);
    }
  }

  async #follow(record: QueuedRecord, decision: Decision, job: Identity | null): Promise<number> {
    return decision.kind === "dead_letter" ? await this.#deadLetter(record, job) : this.#pause(record, decision);
  }

  async #deadLetter(record: QueuedRecord, job: Identity | null): Promise<number> {
    const { append, group, monitor } = this.#context;
    const { error } = this.#retryState;
    const source = this.#at(record);
    const attempts = this.#retryState.attemptsOf(record.offset);
    const letter = { source, record, group, attempts, error };
    const outcome = await writeDeadLetter(this.#options.route.deadLetterQueue!.topic, letter, append);
    if (!outcome.ok) {
      monitor.emit("error.occurred", { where: "dead letter", error: describeError(outcome.error) });
      return this.#pause(record, this.#retryState.deadLetterRefused());
    }
    const { jobClass = null, jobId = null } = job ?? {};
    monitor.emit("record.dead_lettered", { ...source, to: outcome.position, attempts, error, jobClass, jobId });
    if (!await this.#isProved()) return 0;
    this.#retryState.givenUp();
    this.#finish(record);
    return 0;
  }

  #pause(record: QueuedRecord, { kind, waitMs, unknownClass }: Wait): number {
    const at = this.#at(record);
    const lasting = kind === "pause";
    this.#retry = { position: at, nextTryMs: performance.now() + waitMs, isLasting: lasting };
    this.#context.monitor.emit("partition.paused", {
      ...at,
      scope: "partition",
      waitMs,
      attempts: this.#retryState.attemptsOf(record.offset),
      error: this.#retryState.error,
      lasting,
      remedy: lasting ? this.#context.skipCommand(at) : null,
      unknownClass: unknownClass ?? null,
    });
    return waitMs;
  }

  #finish(record: QueuedRecord): void {
    this.#retry = null;
    this.#options.finish(record);
  }

  /** Waits until it is certain whether the partition is still ours. */
  async #isProved(): Promise<boolean> {
    const { startCondition } = this.#context;
    while (this.#live && !startCondition.canCommit(performance.now())) await startCondition.nextChange();
    return this.#live;
  }

  async #wait(waitMs: number): Promise<void> {
    if (!this.#live || this.#context.isStopping()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, waitMs);
    await promise;
    clearTimeout(timer);
    this.#wake = undefined;
  }

  #at(record: QueuedRecord): Position {
    const { partition, route } = this.#options;
    return { topic: route.topic, partition, offset: record.offset };
  }
}
