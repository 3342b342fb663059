/**
 * Runs the records of one ownership one by one, from the head of its queue.
 *
 *     head ──▶ slot, start condition ──▶ decode ──▶ attempt ──▶ passed ──▶ finish ──▶ (next record)
 *      ▲                                   │           │ failed              ▲
 *      │                                   ▼           ▼                     │
 *      └── wait (it stays the head) ◀─── retry state decides ──▶ dead letter ┘
 *
 * The loop ends when the queue is empty and starts again when records arrive. A record leaves the head only when it is
 * finished, and nothing is finished or dead-lettered unless the ownership is proved at that moment.
 */
import { describeError, ShutdownError } from "../../errors.ts";
import type { RunningJob } from "../../monitor/events.ts";
import type { Route } from "../../routing/route.ts";
import type { Position } from "../../support/position.ts";
import { clearTimeout, setTimeout } from "../../support/timers.ts";
import type { RetryingRecord, StuckRecord } from "../status.ts";
import { Attempt, type AttemptContext, type Outcome } from "./attempt.ts";
import type { GroupContext } from "./context.ts";
import { writeDeadLetter } from "./dead_letter.ts";
import { decode, type Decoded } from "./decode.ts";
import type { QueuedRecord } from "./queued_record.ts";
import type { RecordQueue } from "./record_queue.ts";
import type { Decision, Wait } from "./retry_policy.ts";
import type { RetryState } from "./retry_state.ts";

/** The parts of a partition that a runner needs. */
export interface RunnerOptions {
  readonly partition: number;
  readonly route: Route;
  readonly context: GroupContext;
  readonly queue: RecordQueue;
  readonly retryState: RetryState;
  /** Called when the head is done: it leaves the queue and may be committed. */
  readonly onFinished: (record: QueuedRecord) => void;
  /** Called when the commit's metadata has changed. */
  readonly onProgress: () => void;
}

/** The job that a dead letter's event names. */
interface JobIdentity {
  readonly jobClass: string;
  readonly jobId: string | null;
}

/** A wait of the head. It is kept until the head is finished, or waits again. */
interface HeadWait {
  readonly position: Position;
  /** On the clock of `performance.now()`. */
  readonly nextTryMs: number;
  /** Whether only an operator can help. */
  readonly isLasting: boolean;
}

/** See the module. */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #context: GroupContext;
  readonly #queue: RecordQueue;
  readonly #retryState: RetryState;
  readonly #attemptContext: AttemptContext;
  #isOwned = true;
  #isRunning = false;
  #loop: Promise<void> = Promise.resolve();
  #attempt: Attempt | undefined;
  #headWait: HeadWait | undefined;
  #endSleep: (() => void) | undefined;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#context = options.context;
    this.#queue = options.queue;
    this.#retryState = options.retryState;
    const { partition, route, context: { config: { currentAttributes, monitor, tracing } } } = options;
    this.#attemptContext = { partition, route, currentAttributes, monitor, tracing };
  }

  /** Returns the jobs that run. A job that has ended does not run, also while its outcome waits for the broker. */
  running(): RunningJob[] {
    return this.#attempt === undefined || this.#attempt.isSettled ? [] : [this.#attempt.toRunningJob()];
  }

  /** Returns the records that wait for their next try and need no operator. */
  retrying(): RetryingRecord[] {
    const wait = this.#headWait;
    return wait === undefined || wait.isLasting || this.#endSleep === undefined ? [] : [this.#toRetrying(wait)];
  }

  /** Returns the records that fail until an operator helps, also during their tries. */
  stuck(): StuckRecord[] {
    const wait = this.#headWait;
    if (wait === undefined || !wait.isLasting) return [];
    return [{ ...this.#toRetrying(wait), remedy: this.#context.config.skipCommand(wait.position) }];
  }

  /** Starts the loop if records wait and it does not run. */
  start(): void {
    if (this.#isRunning || this.#queue.length === 0) return;
    this.#isRunning = true;
    this.#loop = this.#context.runInWorkerContext(() =>
      this.#run().catch((error) => this.#context.reportFailure("worker", error))
    );
  }

  /**
   * Ends the loop, since the ownership has ended: the running job is asked to end, and its outcome does not count.
   *
   * @returns a promise that resolves once no job runs
   */
  end(): Promise<void> {
    this.#isOwned = false;
    this.#attempt?.revoke();
    this.endWait();
    return this.#loop;
  }

  /** Ends the wait for the next try. */
  endWait(): void {
    this.#endSleep?.();
  }

  /** Asks the running job to end. */
  abort(reason: Error): void {
    this.#attempt?.abort(reason);
  }

  get #canContinue(): boolean {
    return this.#isOwned && this.#queue.length > 0 && !this.#context.isStopping();
  }

  async #run(): Promise<void> {
    const { semaphore, settling, startCondition, eventLoopYield, config: { registry } } = this.#context;
    const { maxPayloadBytes } = this.#options.route;
    // The clock is read once for each job: for the start condition, the event loop's checkpoint and the proof.
    let nowMs = performance.now();
    while (this.#canContinue) {
      if (!semaphore.tryAcquire()) {
        await semaphore.acquire();
        nowMs = performance.now();
      }
      if (eventLoopYield.checkpoint(nowMs)) nowMs = await eventLoopYield.wait();
      if (!this.#canContinue || !startCondition.canStart(nowMs)) {
        semaphore.release();
        if (this.#canContinue) await startCondition.nextChange();
        nowMs = performance.now();
        continue;
      }
      const record = this.#queue.first;
      const decoded = decode(record, registry, maxPayloadBytes);
      let waitMs: number;
      if (decoded.kind === "job" && !this.#retryState.isGivenUp(record.offset)) {
        const number = this.#retryState.attemptsOf(record.offset) + 1;
        const attempt = this.#attempt = new Attempt(this.#attemptContext, record, decoded, number, nowMs);
        const outcome = await attempt.run();
        nowMs = performance.now();
        if (outcome.kind === "passed" && this.#isOwned && startCondition.canCommit(nowMs)) {
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
      if (waitMs > 0) await this.#sleep(waitMs);
      nowMs = performance.now();
    }
    this.#isRunning = false;
  }

  #pass(record: QueuedRecord, attempt: Attempt): void {
    const { monitor } = this.#context.config;
    if (monitor.hasListener("job.performed")) {
      const { durationMs, waitMs } = attempt;
      monitor.emit("job.performed", { ...attempt.toJobInfo(), durationMs, waitMs });
    }
    this.#retryState.resetAfterPass(record.offset);
    this.#finish(record);
  }

  /**
   * Settles an attempt that failed, or whose ownership is not certain.
   *
   * @returns the time for which the head waits, in milliseconds; 0 if it is finished, or the ownership has ended
   */
  async #settle(record: QueuedRecord, attempt: Attempt, outcome: Outcome): Promise<number> {
    const { monitor, sessionTimeoutMs } = this.#context.config;
    if (!await this.#proveOwnership()) {
      const { durationMs } = attempt;
      monitor.emit("job.revoked", { ...attempt.toJobInfo(), durationMs, outcome: outcome.kind, sessionTimeoutMs });
      return 0;
    }
    if (outcome.kind === "passed") {
      this.#pass(record, attempt);
      return 0;
    }
    // The stop ended it: that is not a failure. The job runs again later, with the same number of attempts.
    if (attempt.abortReason instanceof ShutdownError) return 0;
    const decision = this.#retryState.countFailure(record.offset, outcome.error);
    // The count must reach the broker even if the front never moves again.
    this.#options.onProgress();
    monitor.emit("job.failed", {
      ...attempt.toJobInfo(),
      durationMs: attempt.durationMs,
      error: this.#retryState.error,
      next: decision.kind === "dead_letter" ? "dead_letter" : "retry",
      waitMs: decision.kind === "dead_letter" ? 0 : decision.waitMs,
    });
    return await this.#apply(decision, record, attempt.toJobInfo());
  }

  /** Settles a record that does not run: a tombstone, poison, an unknown class, or one that was given up. */
  async #settleUnperformed(record: QueuedRecord, decoded: Decoded): Promise<number> {
    if (!await this.#proveOwnership()) return 0;
    const { offset } = record;
    switch (decoded.kind) {
      case "tombstone":
        this.#context.config.monitor.emit("record.skipped", { ...this.#positionOf(record), reason: "tombstone" });
        this.#retryState.resetAfterDeadLetter();
        this.#finish(record);
        return 0;
      case "job":
        return await this.#deadLetter(record, decoded.envelope);
      case "poison":
        return await this.#apply(this.#retryState.countPoison(offset, decoded.error), record, null);
      case "unknown_class": {
        const { jobClass, error } = decoded;
        const decision = this.#retryState.countUnknownClass(offset, jobClass, error, performance.now());
        return await this.#apply(decision, record, null);
      }
    }
  }

  async #apply(decision: Decision, record: QueuedRecord, job: JobIdentity | null): Promise<number> {
    return decision.kind === "dead_letter" ? await this.#deadLetter(record, job) : this.#pause(record, decision);
  }

  async #deadLetter(record: QueuedRecord, job: JobIdentity | null): Promise<number> {
    const { group, config: { append, monitor } } = this.#context;
    const { error } = this.#retryState;
    const source = this.#positionOf(record);
    const attempts = this.#retryState.attemptsOf(record.offset);
    const letter = { source, record, group, attempts, error };
    const outcome = await writeDeadLetter(this.#options.route.deadLetterQueue!.topic, letter, append);
    if (!outcome.ok) {
      monitor.emit("error.occurred", { where: "dead letter", error: describeError(outcome.error) });
      return this.#pause(record, this.#retryState.countRefusedDeadLetter(record.offset));
    }
    const { jobClass = null, jobId = null } = job ?? {};
    monitor.emit("record.dead_lettered", { ...source, to: outcome.position, attempts, error, jobClass, jobId });
    if (!await this.#proveOwnership()) return 0;
    this.#retryState.resetAfterDeadLetter();
    this.#finish(record);
    return 0;
  }

  #pause(record: QueuedRecord, { kind, waitMs, unknownClass }: Wait): number {
    const { monitor, skipCommand } = this.#context.config;
    const position = this.#positionOf(record);
    const isLasting = kind === "pause";
    this.#headWait = { position, nextTryMs: performance.now() + waitMs, isLasting };
    // Other workers read from the metadata that the partition is stuck.
    this.#options.onProgress();
    monitor.emit("partition.paused", {
      ...position,
      scope: "partition",
      waitMs,
      attempts: this.#retryState.attemptsOf(record.offset),
      error: this.#retryState.error,
      lasting: isLasting,
      remedy: isLasting ? skipCommand(position) : null,
      unknownClass: unknownClass ?? null,
    });
    return waitMs;
  }

  #finish(record: QueuedRecord): void {
    this.#headWait = undefined;
    this.#options.onFinished(record);
  }

  /** Waits until it is certain whether the partition is still owned. @returns whether it is */
  async #proveOwnership(): Promise<boolean> {
    const { startCondition } = this.#context;
    while (this.#isOwned && !startCondition.canCommit(performance.now())) await startCondition.nextChange();
    return this.#isOwned;
  }

  async #sleep(waitMs: number): Promise<void> {
    if (!this.#isOwned || this.#context.isStopping()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#endSleep = resolve;
    const timer = setTimeout(resolve, waitMs);
    await promise;
    clearTimeout(timer);
    this.#endSleep = undefined;
  }

  #toRetrying({ position, nextTryMs }: HeadWait): RetryingRecord {
    return {
      ...position,
      attempts: this.#retryState.attemptsOf(position.offset),
      nextTryInMs: this.#endSleep === undefined ? 0 : Math.max(0, nextTryMs - performance.now()),
      error: this.#retryState.error,
    };
  }

  #positionOf({ offset }: QueuedRecord): Position {
    const { partition, route } = this.#options;
    return { topic: route.topic, partition, offset };
  }
}
