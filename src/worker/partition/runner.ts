/**
 * Runs the records of one ownership, as its queue has them ready.
 *
 *     ready ──▶ slot, start condition ──▶ take ──▶ decode ──▶ attempt ──▶ passed ──▶ finish ──▶ (its lane goes on)
 *      ▲                                             │           │ else                 ▲
 *      │                                             ▼           ▼                      │
 *      └── wait (its lane waits with it) ◀────────────── settlement ────────────────────┘
 *
 * A loop takes a record and performs it. If another record is ready beside it, or becomes so meanwhile, another loop starts.
 * So there are as many loops as jobs run, and at most one of them asks for a slot; in the order of the partition there is
 * one. A loop ends when no record is ready.
 *
 * A record leaves the queue only when it is finished.
 */
import type { RunningJob } from "../../monitor/events.ts";
import type { Position } from "../../support/position.ts";
import type { Checkpoint } from "../../job/run.ts";
import { clearTimeout, setTimeout } from "../../support/timers.ts";
import { WaitGroup } from "../../support/wait_group.ts";
import type { RetryingRecord, StuckRecord } from "../status.ts";
import { Attempt, type AttemptContext } from "./attempt.ts";
import type { Gate } from "../limits/gate.ts";
import type { GroupContext } from "./context.ts";
import { decode } from "./decode.ts";
import { PartitionOrders } from "./orders.ts";
import type { QueuedRecord } from "./queued_record.ts";
import type { RecordQueue } from "./record_queue.ts";
import type { Wait } from "./retry_policy.ts";
import type { RetryState } from "./retry_state.ts";
import { type RecordContext, Settlement } from "./settlement.ts";

/** The parts of a partition that a runner needs. */
export interface RunnerOptions extends RecordContext {
  readonly queue: RecordQueue;
  /** Called when a record is done: it leaves the queue and may be committed. */
  readonly onFinished: (record: QueuedRecord) => void;
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
  readonly #settlement: Settlement;
  /** The attempts whose outcome is not settled. */
  readonly #attempts = new Set<Attempt>();
  readonly #waits = new Map<number, RecordWait>();
  /** The loops. */
  readonly #loops = new WaitGroup();
  /** The loops that wait while another one takes the next record: to start a new one costs four times as much. */
  readonly #idleLoops: ((isNeeded: boolean) => void)[] = [];
  readonly #orders: PartitionOrders;
  /** `null`: the topic has no limits. */
  readonly #gate: Gate | null;
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
    const { partition, route, context: { config: { codec, monitor, tracing, nowMs } } } = options;
    const interruptReason = (jobClass: string, checkpoint: Checkpoint) => this.#interruptReason(jobClass, checkpoint);
    this.#attemptContext = { partition, route, codec, monitor, tracing, nowMs, interruptReason };
    this.#settlement = new Settlement({
      ...options,
      isOwned: () => this.#isOwned,
      finish: (record) => this.#finish(record),
      wait: (record, wait) => this.#wait(record, wait),
    });
    this.#gate = this.#context.limits.gateOf(route, partition, {
      hasSlot: () => this.#attempts.size + this.#queue.ready < route.maxConcurrency,
      onWoken: (record) => {
        this.#queue.retry(record);
        this.start();
      },
    });
    this.#orders = new PartitionOrders(this.#context.control, { topic: route.topic, partition }, () => this.#obey());
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
    this.#orders.end();
    this.#gate?.close();
    for (const attempt of this.#attempts) attempt.revoke();
    this.endWaits();
    for (const end of this.#idleLoops.splice(0)) end(false);
    return this.#loops.whenEmpty();
  }

  /** Gives up the turn of a record that is ready no more. In a microtask: it may wake another record, and so start a loop. */
  leaveTurn(record: QueuedRecord): void {
    if (this.#gate !== null) queueMicrotask(() => this.#gate!.drop(record));
  }

  /** Ends the waits for a next try: nothing starts any more. */
  endWaits(): void {
    this.#gate?.close();
    for (const wait of this.#waits.values()) this.#endWait(wait);
  }

  /** Asks the running jobs to end. */
  abort(reason: Error): void {
    for (const attempt of this.#attempts) attempt.abort(reason);
  }

  /** Does what an operator's orders say now. */
  #obey(): void {
    this.#orders.cancel(this.#attempts);
    if (this.#orders.isPaused) this.#gate?.letGo();
    this.start();
  }

  #interruptReason(jobClass: string, checkpoint: Checkpoint): string | null {
    const { isStopping, startCondition, config } = this.#context;
    if (isStopping()) return "stopping";
    if (startCondition.isQuiet) return "quiet";
    return config.interruptReason?.(jobClass, checkpoint) ?? null;
  }

  get #hasNext(): boolean {
    return this.#queue.hasReady && this.#attempts.size < this.#options.route.maxConcurrency && this.#isOwned &&
      !this.#orders.isPaused && !this.#context.isStopping();
  }

  async #run(): Promise<void> {
    const { semaphore, settling, startCondition, eventLoopYield, config } = this.#context;
    const { route } = this.#options;
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
      const decoded = this.#orders.screen(decode(record, config, route), record.offset);
      const isRun = decoded.kind === "job" && !this.#retryState.isGivenUp(record.offset);
      if (isRun && this.#gate !== null && !this.#gate.enter(record, decoded)) {
        semaphore.release();
        hasWaited = true;
        continue;
      }
      // Before the loop gives up its turn: a record that this wakes starts no loop inside this one.
      if (!isRun) this.#gate?.drop(record);
      this.#isStarting = false;
      if (!isRun) {
        semaphore.release();
        this.#startBeside();
        await settling.track(this.#settlement.settleUnperformed(record, decoded));
        nowMs = performance.now();
      } else {
        const number = this.#retryState.attemptsOf(record.offset) + 1;
        const attempt = new Attempt(this.#attemptContext, record, decoded, number, nowMs);
        this.#attempts.add(attempt);
        this.#startBeside();
        const run = attempt.run();
        // In the microtask after the one that calls `perform`.
        if (this.#gate !== null) queueMicrotask(() => this.#gate!.start(record));
        const outcome = await run;
        this.#gate?.leave(record);
        nowMs = performance.now();
        if (outcome.kind === "passed" && this.#isOwned && startCondition.canCommit(nowMs)) {
          this.#settlement.pass(record, attempt, nowMs);
          this.#attempts.delete(attempt);
          semaphore.release();
        } else {
          semaphore.release();
          await settling.track(this.#settlement.settle(record, attempt, outcome));
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

  /** Lets a record wait for its next try, and its lane with it. */
  #wait(record: QueuedRecord, { kind, waitMs, unknownClass }: Wait): void {
    const { monitor, skipCommand } = this.#context.config;
    const { partition, route: { topic } } = this.#options;
    const position: Position = { topic, partition, offset: record.offset };
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

  #waiting(isMeant: (wait: RecordWait) => boolean): RetryingRecord[] {
    return [...this.#waits.values()].filter(isMeant).map(({ position, nextTryMs, timer }) => ({
      ...position,
      attempts: this.#retryState.attemptsOf(position.offset),
      nextTryInMs: timer === undefined ? 0 : Math.max(0, nextTryMs - performance.now()),
      error: this.#retryState.errorOf(position.offset),
    }));
  }
}
