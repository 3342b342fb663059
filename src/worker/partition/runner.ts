/**
 * Runs the records of one ownership, as its queue has them ready.
 *
 *     ready ──▶ slot, start condition ──▶ take ──▶ decode ──▶ attempt ──▶ passed ──▶ finish ──▶ (its lane goes on)
 *      ▲                                             │           │ failed              ▲
 *      │                                             ▼           ▼                     │
 *      └── wait (its lane waits with it) ◀───────── retry state decides ──▶ dead letter ┘
 *
 * A loop takes a record and performs it. If another record is ready beside it, or becomes so meanwhile, another loop starts.
 * So there are as many loops as jobs run, and at most one of them asks for a slot; in the order of the partition there is
 * one. A loop ends when no record is ready.
 *
 * A record leaves the queue only when it is finished, and nothing is finished or dead-lettered unless the ownership is
 * proved at that moment.
 */
import { describeError, ShutdownError } from "../../errors.ts";
import type { RunningJob } from "../../monitor/events.ts";
import type { Route } from "../../routing/route.ts";
import type { Position } from "../../support/position.ts";
import { clearTimeout, setTimeout } from "../../support/timers.ts";
import { WaitGroup } from "../../support/wait_group.ts";
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
  /** Called when a record is done: it leaves the queue and may be committed. */
  readonly onFinished: (record: QueuedRecord) => void;
  /** Called when the commit's metadata has changed. */
  readonly onProgress: () => void;
}

/** The job that a dead letter's event names. */
interface JobIdentity {
  readonly jobClass: string;
  readonly jobId: string | null;
}

/** The wait of a failed record for its next try. It is kept until the record is finished, or waits again. */
interface RecordWait {
  readonly position: Position;
  /** On the clock of `performance.now()`. */
  readonly nextTryMs: number;
  /** Whether only an operator can help. */
  readonly isLasting: boolean;
  /** Ends the wait; `undefined` once it is over. */
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** See the module. */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #context: GroupContext;
  readonly #queue: RecordQueue;
  readonly #retryState: RetryState;
  readonly #attemptContext: AttemptContext;
  /** The attempts whose outcome is not settled. */
  readonly #attempts = new Set<Attempt>();
  readonly #waits = new Map<number, RecordWait>();
  /** The loops. */
  readonly #loops = new WaitGroup();
  /** The loops that wait while another one takes the next record: to start a new one costs four times as much. */
  readonly #idleLoops: ((isNeeded: boolean) => void)[] = [];
  #isOwned = true;
  /** Whether a loop starts records. */
  #isStarting = false;
  /** The number of records that wait now. */
  #sleeping = 0;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#context = options.context;
    this.#queue = options.queue;
    this.#retryState = options.retryState;
    const { partition, route, context: { config: { codec, monitor, tracing } } } = options;
    this.#attemptContext = { partition, route, codec, monitor, tracing };
  }

  /** Returns the jobs that run. A job that has ended does not run, also while its outcome waits for the broker. */
  running(): RunningJob[] {
    return [...this.#attempts].filter(({ isSettled }) => !isSettled).map((attempt) => attempt.toRunningJob());
  }

  /** Returns the records that wait for their next try and need no operator. */
  retrying(): RetryingRecord[] {
    return this.#waiting(({ isLasting, timer }) => !isLasting && timer !== undefined);
  }

  /** Returns the records that fail until an operator helps, also during their tries. */
  stuck(): StuckRecord[] {
    const { skipCommand } = this.#context.config;
    return this.#waiting(({ isLasting }) => isLasting).map((record) => ({ ...record, remedy: skipCommand(record) }));
  }

  /** Whether all records that were taken wait for their next try. */
  get isWaiting(): boolean {
    return this.#sleeping > 0 && this.#sleeping === this.#queue.taken;
  }

  /** Whether every record that could run fails until an operator helps. */
  get isStuck(): boolean {
    const lasting = [...this.#waits.values()].filter(({ isLasting }) => isLasting).length;
    return lasting > 0 && lasting === this.#queue.active;
  }

  /** Starts a loop if a record is ready and no loop is starting records. */
  start(): void {
    if (this.#isStarting || !this.#hasNext) return;
    this.#isStarting = true;
    this.#loops.add();
    this.#context.runInWorkerContext(() =>
      this.#run().catch((error) => this.#context.reportFailure("worker", error)).then(() => this.#loops.done())
    );
  }

  /**
   * Ends the loops, since the ownership has ended: running jobs are asked to end, and their outcomes do not count.
   *
   * @returns a promise that resolves once no job runs
   */
  end(): Promise<void> {
    this.#isOwned = false;
    for (const attempt of this.#attempts) attempt.revoke();
    this.endWaits();
    for (const end of this.#idleLoops.splice(0)) end(false);
    return this.#loops.whenEmpty();
  }

  /** Ends the waits for a next try: nothing starts any more. */
  endWaits(): void {
    for (const wait of this.#waits.values()) this.#endWait(wait);
  }

  /** Asks the running jobs to end. */
  abort(reason: Error): void {
    for (const attempt of this.#attempts) attempt.abort(reason);
  }

  get #hasNext(): boolean {
    return this.#queue.hasReady && this.#attempts.size < this.#options.route.maxConcurrency && this.#isOwned &&
      !this.#context.isStopping();
  }

  async #run(): Promise<void> {
    const { semaphore, settling, startCondition, eventLoopYield, config: { codec, registry } } = this.#context;
    const { maxPayloadBytes } = this.#options.route;
    // The clock is read once for each job: for the start condition, the event loop's checkpoint and the proof.
    let nowMs = performance.now();
    let hasWaited = false;
    while (this.#hasNext) {
      if (!semaphore.tryAcquire()) {
        await semaphore.acquire();
        hasWaited = true;
      }
      if (hasWaited) nowMs = performance.now();
      hasWaited = false;
      if (eventLoopYield.checkpoint(nowMs)) nowMs = await eventLoopYield.wait();
      if (!this.#hasNext || !startCondition.canStart(nowMs)) {
        semaphore.release();
        if (this.#hasNext) await startCondition.nextChange();
        hasWaited = true;
        continue;
      }
      const record = this.#queue.take();
      this.#isStarting = false;
      const decoded = decode(record, registry, codec, maxPayloadBytes);
      if (decoded.kind !== "job" || this.#retryState.isGivenUp(record.offset)) {
        semaphore.release();
        this.#startBeside();
        await settling.track(this.#settleUnperformed(record, decoded));
        nowMs = performance.now();
      } else {
        const number = this.#retryState.attemptsOf(record.offset) + 1;
        const attempt = new Attempt(this.#attemptContext, record, decoded, number, nowMs);
        this.#attempts.add(attempt);
        this.#startBeside();
        const outcome = await attempt.run();
        nowMs = performance.now();
        if (outcome.kind === "passed" && this.#isOwned && startCondition.canCommit(nowMs)) {
          this.#pass(record, attempt);
          this.#attempts.delete(attempt);
          semaphore.release();
        } else {
          semaphore.release();
          await settling.track(this.#settle(record, attempt, outcome));
          this.#attempts.delete(attempt);
          nowMs = performance.now();
        }
      }
      if (!this.#isStarting) this.#isStarting = true;
      else if (await this.#idle()) hasWaited = true;
      else return;
    }
    this.#isStarting = false;
  }

  /** Starts a loop for a record that is ready beside the one that was taken: never so in the order of the partition. */
  #startBeside(): void {
    if (!this.#hasNext) return;
    const wake = this.#idleLoops.pop();
    if (wake !== undefined) {
      this.#isStarting = true;
      wake(true);
    } else {
      // In a microtask: a thousand loops do not start inside each other.
      queueMicrotask(() => this.start());
    }
  }

  /** Waits while another loop takes the next record. @returns whether this loop is needed again */
  #idle(): Promise<boolean> {
    return new Promise((resolve) => this.#idleLoops.push(resolve));
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

  /** Settles an attempt that failed, or whose ownership is not certain. */
  async #settle(record: QueuedRecord, attempt: Attempt, outcome: Outcome): Promise<void> {
    const { monitor, sessionTimeoutMs } = this.#context.config;
    if (!await this.#proveOwnership()) {
      const { durationMs } = attempt;
      monitor.emit("job.revoked", { ...attempt.toJobInfo(), durationMs, outcome: outcome.kind, sessionTimeoutMs });
      return;
    }
    if (outcome.kind === "passed") return this.#pass(record, attempt);
    // The stop ended it: that is not a failure. The job runs again later, with the same number of attempts.
    if (attempt.abortReason instanceof ShutdownError) return;
    const decision = this.#retryState.countFailure(record.offset, outcome.error);
    // The count must reach the broker even if the front never moves again.
    this.#options.onProgress();
    monitor.emit("job.failed", {
      ...attempt.toJobInfo(),
      durationMs: attempt.durationMs,
      error: this.#retryState.errorOf(record.offset),
      next: decision.kind === "dead_letter" ? "dead_letter" : "retry",
      waitMs: decision.kind === "dead_letter" ? 0 : decision.waitMs,
    });
    await this.#apply(decision, record, attempt.toJobInfo());
  }

  /** Settles a record that does not run: a tombstone, poison, an unknown class, or one that was given up. */
  async #settleUnperformed(record: QueuedRecord, decoded: Decoded): Promise<void> {
    if (!await this.#proveOwnership()) return;
    const { offset } = record;
    switch (decoded.kind) {
      case "tombstone":
        this.#context.config.monitor.emit("record.skipped", { ...this.#positionOf(record), reason: "tombstone" });
        this.#retryState.resetAfterDeadLetter(offset);
        return this.#finish(record);
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

  async #apply(decision: Decision, record: QueuedRecord, job: JobIdentity | null): Promise<void> {
    if (decision.kind === "dead_letter") await this.#deadLetter(record, job);
    else this.#wait(record, decision);
  }

  async #deadLetter(record: QueuedRecord, job: JobIdentity | null): Promise<void> {
    const { group, config: { append, monitor } } = this.#context;
    const error = this.#retryState.errorOf(record.offset);
    const source = this.#positionOf(record);
    const attempts = this.#retryState.attemptsOf(record.offset);
    const letter = { source, record, group, attempts, error };
    const outcome = await writeDeadLetter(this.#options.route.deadLetterQueue!.topic, letter, append);
    if (!outcome.ok) {
      monitor.emit("error.occurred", { where: "dead letter", error: describeError(outcome.error) });
      return this.#wait(record, this.#retryState.countRefusedDeadLetter(record.offset));
    }
    const { jobClass = null, jobId = null } = job ?? {};
    monitor.emit("record.dead_lettered", { ...source, to: outcome.position, attempts, error, jobClass, jobId });
    if (!await this.#proveOwnership()) return;
    this.#retryState.resetAfterDeadLetter(record.offset);
    this.#finish(record);
  }

  /** Lets a record wait for its next try, and its lane with it. */
  #wait(record: QueuedRecord, { kind, waitMs, unknownClass }: Wait): void {
    const { monitor, skipCommand } = this.#context.config;
    const position = this.#positionOf(record);
    const isLasting = kind === "pause";
    const wait: RecordWait = { position, nextTryMs: performance.now() + waitMs, isLasting, timer: undefined };
    this.#waits.set(record.offset, wait);
    monitor.emit("partition.paused", {
      ...position,
      scope: this.#queue.scope,
      waitMs,
      attempts: this.#retryState.attemptsOf(record.offset),
      error: this.#retryState.errorOf(record.offset),
      lasting: isLasting,
      remedy: isLasting ? skipCommand(position) : null,
      unknownClass: unknownClass ?? null,
    });
    if (this.#isOwned && !this.#context.isStopping()) this.#sleep(record, wait, waitMs);
    // Other workers read from the metadata that a record is stuck.
    this.#options.onProgress();
  }

  #sleep(record: QueuedRecord, wait: RecordWait, waitMs: number): void {
    this.#sleeping++;
    wait.timer = setTimeout(() => {
      this.#endWait(wait);
      this.#queue.retry(record);
      this.start();
    }, waitMs);
  }

  #endWait(wait: RecordWait): void {
    if (wait.timer === undefined) return;
    clearTimeout(wait.timer);
    wait.timer = undefined;
    this.#sleeping--;
  }

  #finish(record: QueuedRecord): void {
    if (this.#waits.size > 0) this.#waits.delete(record.offset);
    this.#options.onFinished(record);
  }

  /** Waits until it is certain whether the partition is still owned. @returns whether it is */
  async #proveOwnership(): Promise<boolean> {
    const { startCondition } = this.#context;
    while (this.#isOwned && !startCondition.canCommit(performance.now())) await startCondition.nextChange();
    return this.#isOwned;
  }

  #waiting(isMeant: (wait: RecordWait) => boolean): RetryingRecord[] {
    return [...this.#waits.values()].filter(isMeant).map(({ position, nextTryMs, timer }) => ({
      ...position,
      attempts: this.#retryState.attemptsOf(position.offset),
      nextTryInMs: timer === undefined ? 0 : Math.max(0, nextTryMs - performance.now()),
      error: this.#retryState.errorOf(position.offset),
    }));
  }

  #positionOf({ offset }: QueuedRecord): Position {
    const { partition, route } = this.#options;
    return { topic: route.topic, partition, offset };
  }
}
