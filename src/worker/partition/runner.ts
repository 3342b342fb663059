/**
 * Runs the records of one ownership, as its queue has them ready. A loop does, for each record:
 *
 * 1. Take a slot of the worker, and wait until jobs of the group may start.
 * 2. Take the record from the queue and decode it. An operator may have cancelled its job.
 * 3. Enter the limits of the topic; a record that finds no space there is held, without its slot.
 * 4. Run the job: one attempt.
 * 5. Finish a job that has passed; give its slot back first if anything else is to be settled (step 4 is left out for a
 *    record that does not run).
 *
 *     ready ──▶ 1 ──▶ 2 ──▶ 3 ──▶ 4 ──▶ 5 ──▶ (its lane goes on)
 *      ▲                      │           │
 *      └──── held ◀───────────┘           │
 *      └──── waits for its next try ◀─────┘
 *
 * While a loop runs a job, another one starts if a record is ready beside it. So there are as many loops as jobs run, and
 * at most one of them asks for a slot; in the order of the partition there is one. A loop ends when no record is ready.
 *
 * A record leaves the queue only when it is finished.
 */
import type { RunningJob } from "../../monitor/events.ts";
import type { Checkpoint } from "../../job/run.ts";
import { WaitGroup } from "../../support/wait_group.ts";
import { Attempt, type AttemptContext } from "./attempt.ts";
import type { Gate } from "../limits/gate.ts";
import type { GroupContext } from "./context.ts";
import { decode, type Decoded, type DecodedJob } from "./decode.ts";
import { Finisher, type RecordContext } from "./finisher.ts";
import { PartitionOrders } from "./orders.ts";
import type { Outcome } from "./outcome.ts";
import type { QueuedRecord } from "./queued_record.ts";
import type { RecordQueue } from "./record_queue.ts";
import type { RetryState } from "./retry_state.ts";
import { Settlement } from "./settlement.ts";
import { UnperformedSettlement } from "./unperformed.ts";

/** The parts of a partition that a runner needs. */
export interface RunnerOptions extends RecordContext {
  readonly queue: RecordQueue;
}

/** See the module. */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #context: GroupContext;
  readonly #queue: RecordQueue;
  readonly #retryState: RetryState;
  readonly #attemptContext: AttemptContext;
  readonly #settlement: Settlement;
  readonly #unperformed: UnperformedSettlement;
  /** The attempts whose outcome is not settled. */
  readonly #attempts = new Set<Attempt>();
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

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#context = options.context;
    this.#queue = options.queue;
    this.#retryState = options.retryState;
    const { place, route, context: { control, limits, config: { codec, monitor, tracing } } } = options;
    const interruptReason = (jobClass: string, checkpoint: Checkpoint) => this.#interruptReason(jobClass, checkpoint);
    this.#attemptContext = { place, route, codec, monitor, tracing, interruptReason };
    const finisher = new Finisher({ ...options, isOwned: () => this.#isOwned });
    this.#settlement = new Settlement({ ...options, finisher });
    this.#unperformed = new UnperformedSettlement({ ...options, finisher });
    this.#gate = limits.gateOf(route, place.partition, {
      hasSlot: () => this.#attempts.size + this.#queue.ready < route.maxConcurrency,
      onWoken: (record) => {
        this.#queue.retry(record);
        this.start();
      },
    });
    this.#orders = new PartitionOrders(control, place, () => this.#obey());
  }

  /** Returns the jobs that run. A job that has ended does not run, also while its outcome waits for the broker. */
  running(): RunningJob[] {
    return [...this.#attempts].filter(({ isSettled }) => !isSettled).map((attempt) => attempt.toRunningJob());
  }

  /** Whether the ownership lasts, as far as this worker knows. */
  get isOwned(): boolean {
    return this.#isOwned;
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
    this.stop();
    this.#orders.end();
    for (const attempt of this.#attempts) attempt.revoke();
    for (const end of this.#idleLoops.splice(0)) end(false);
    return this.#loops.whenEmpty();
  }

  /** Gives up the turn of a record that is ready no more. In a microtask: it may wake another record, and so start a loop. */
  leaveTurn(record: QueuedRecord): void {
    if (this.#gate !== null) queueMicrotask(() => this.#gate!.drop(record));
  }

  /** Ends the waits for a next try and for a limit: nothing starts any more. */
  stop(): void {
    this.#options.waits.end();
    this.#gate?.close();
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

  /** One loop. It reads the clock once for each job: for the start condition, the event loop's checkpoint and the proof. */
  async #run(): Promise<void> {
    const { semaphore, startCondition, eventLoopYield } = this.#context;
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
      const decoded = this.#decode(record);
      const isRun = decoded.kind === "job" && !this.#retryState.isGivenUp(record.offset);
      if (isRun && this.#gate !== null && !this.#gate.enter(record, decoded)) {
        semaphore.release();
        hasWaited = true;
        continue;
      }
      // Before the loop gives up its turn: a record that this wakes starts no loop inside this one.
      if (!isRun) this.#gate?.drop(record);
      this.#isStarting = false;
      let settled: Promise<void> | undefined;
      if (isRun) {
        const attempt = this.#begin(record, decoded, nowMs);
        const outcome = await this.#perform(record, attempt);
        nowMs = performance.now();
        settled = this.#end(record, attempt, outcome, nowMs);
      } else settled = this.#settleUnperformed(record, decoded);
      if (settled !== undefined) {
        await settled;
        nowMs = performance.now();
      }
      if (!this.#isStarting) this.#isStarting = true;
      else if (await this.#idle()) hasWaited = true;
      else return;
    }
    this.#isStarting = false;
  }

  /** Decodes a record. An operator may have cancelled its job. */
  #decode(record: QueuedRecord): Decoded {
    return this.#orders.screen(decode(record, this.#context.config, this.#options.route), record.offset);
  }

  #begin(record: QueuedRecord, decoded: DecodedJob, nowMs: number): Attempt {
    const number = this.#retryState.attemptsOf(record.offset) + 1;
    const attempt = new Attempt(this.#attemptContext, record, decoded, number, nowMs);
    this.#attempts.add(attempt);
    this.#startBeside();
    return attempt;
  }

  #perform(record: QueuedRecord, attempt: Attempt): Promise<Outcome> {
    const run = attempt.run();
    // In the microtask after the one that calls `perform`.
    if (this.#gate !== null) queueMicrotask(() => this.#gate!.start(record));
    return run;
  }

  /** Finishes a job that has passed; settles any other outcome. @returns `undefined` if nothing is left to wait for */
  #end(record: QueuedRecord, attempt: Attempt, outcome: Outcome, nowMs: number): Promise<void> | undefined {
    const { semaphore, startCondition } = this.#context;
    this.#gate?.leave(record);
    if (outcome.kind !== "passed" || !this.#isOwned || !startCondition.canCommit(nowMs)) {
      return this.#settle(record, attempt, outcome);
    }
    this.#settlement.pass(record, attempt, nowMs);
    this.#attempts.delete(attempt);
    semaphore.release();
    return undefined;
  }

  /** Settles an outcome. It holds no slot meanwhile: see `WorkerContext.settling`. */
  async #settle(record: QueuedRecord, attempt: Attempt, outcome: Outcome): Promise<void> {
    const { semaphore, settling } = this.#context;
    semaphore.release();
    await settling.track(this.#settlement.settle(record, attempt, outcome));
    this.#attempts.delete(attempt);
  }

  #settleUnperformed(record: QueuedRecord, decoded: Decoded): Promise<void> {
    const { semaphore, settling } = this.#context;
    semaphore.release();
    this.#startBeside();
    return settling.track(this.#unperformed.settle(record, decoded));
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
}
