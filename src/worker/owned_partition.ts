/**
 * An owned partition: its waiting records and the loop that performs them one by one. One object for one ownership: it
 * begins with an assignment and ends when the broker says that the ownership is lost, and never comes back.
 *
 *     take ──▶ waiting ──▶ slot, gate ──▶ decode ──▶ perform ──▶ finish ──▶ commit loop
 *                 ▲                         │           │ failed
 *                 │                         ▼           ▼
 *                 └──── wait (it stays the head) ◀── settle ──▶ dead letter ──▶ finish
 *
 * A record leaves the head only when it is finished, and nothing is finished, committed or dead-lettered unless the
 * ownership is proved at that moment.
 */
import type { Mark, Ownership, RecordBatch } from "../broker/broker.ts";
import type { JobInfo, LostReason, RecordInfo } from "../monitor/events.ts";
import type { Route } from "../routing/route.ts";
import type { Committable } from "./commit_loop.ts";
import { decode, type Decoded, takeIn, type WaitingRecord } from "./decode.ts";
import { writeDeadLetter } from "./dead_letter.ts";
import type { Decision, Wait } from "./failure_policy.ts";
import { decodeProgress, encodeProgress, NO_PROGRESS } from "./finished_offsets.ts";
import type { GroupContext } from "./group_context.ts";
import { HeadRecord } from "./head_record.ts";
import { OffsetTracker } from "./offset_tracker.ts";
import { Attempt, type Outcome } from "./perform.ts";
import { WaitingRecords } from "./waiting_records.ts";

/** A partition while it is ours. */
export class OwnedPartition implements Committable {
  /** The broker's token for it. */
  readonly ownership: Ownership;
  readonly #route: Route;
  readonly #context: GroupContext;
  readonly #tracker: OffsetTracker;
  readonly #head: HeadRecord;
  readonly #waiting: WaitingRecords;
  #committed: { readonly offset: number | null; readonly metadata: string };
  #live = true;
  #working = false;
  #attempt: Attempt | undefined;
  #stuckAt: RecordInfo | null = null;
  #wake: (() => void) | undefined;

  constructor(ownership: Ownership, route: Route, context: GroupContext) {
    const { committed } = ownership;
    const progress = committed === null ? NO_PROGRESS : decodeProgress(committed.metadata, committed.offset);
    this.ownership = ownership;
    this.#route = route;
    this.#context = context;
    this.#tracker = new OffsetTracker(committed?.offset ?? null, progress.finished);
    this.#head = new HeadRecord(route, progress);
    this.#waiting = new WaitingRecords(ownership, context.consumer, context.intake, route.maxMessages);
    this.#committed = committed ?? { offset: null, metadata: "" };
  }

  /** The position up to which everything is finished; `null` while nothing is known. */
  get front(): number | null {
    return this.#tracker.front;
  }

  /** The record at which the partition waits for an operator; `null` for none. */
  get stuckAt(): RecordInfo | null {
    return this.#stuckAt;
  }

  /** The job that runs; `null` for none. */
  get running(): JobInfo | null {
    return this.#attempt?.info() ?? null;
  }

  /** Takes what was fetched. Called by the broker; returns at once. */
  take({ records, next }: RecordBatch): void {
    if (!this.#live) return;
    for (let index = 0; index < records.length; index++) {
      const record = records[index]!;
      const isLast = index === records.length - 1;
      this.#takeOne(takeIn(record, isLast ? Math.max(next, record.offset + 1) : record.offset + 1));
    }
    if (records.length === 0) this.#passTo(next);
    this.#waiting.pauseIfFull();
    this.#start();
  }

  /** The ownership has ended: nothing of it counts any more. */
  end(reason: LostReason): void {
    if (!this.#live) return;
    this.#live = false;
    this.#attempt?.revoke();
    this.#context.commits.forget(this);
    this.#waiting.clear();
    this.#wake?.();
    const { topic, partition } = this.ownership;
    this.#context.monitor.emit("partition.lost", { topic, partition, reason });
  }

  /** The worker stops: no wait goes on. */
  stop(): void {
    this.#wake?.();
  }

  /** Asks the running job to end. */
  abort(reason: Error): void {
    this.#attempt?.abort(reason);
  }

  /** What is to be committed; `null` where the broker has it already. */
  pendingMark(): Mark | null {
    const next = this.#tracker.front;
    if (!this.#live || next === null) return null;
    const progress = { ...this.#head.progress(), finished: this.#tracker.finishedBeyond() };
    const metadata = encodeProgress(progress, next, this.#context.maxMetadataLength);
    if (next === this.#committed.offset && metadata === this.#committed.metadata) return null;
    return { ownership: this.ownership, next, metadata };
  }

  /** The broker has this. */
  committed({ next, metadata }: Mark): void {
    this.#committed = { offset: next, metadata };
    const { monitor } = this.#context;
    if (!monitor.hears("offset.committed")) return;
    const { topic, partition } = this.ownership;
    monitor.emit("offset.committed", { topic, partition, offset: next });
  }

  #takeOne(record: WaitingRecord): void {
    this.#tracker.take(record);
    if (!this.#tracker.wasFinished(record.offset)) return this.#waiting.push(record);
    this.#context.monitor.emit("record.skipped", { ...this.#at(record), reason: "finished" });
    this.#tracker.finish(record);
    this.#context.commits.touch(this);
  }

  #passTo(next: number): void {
    this.#tracker.passTo(next);
    this.#context.commits.touch(this);
  }

  #start(): void {
    if (this.#working || this.#waiting.count === 0) return;
    this.#working = true;
    this.#context.within(() => void this.#work());
  }

  /** Whether the loop goes on. */
  get #goesOn(): boolean {
    return this.#live && this.#waiting.count > 0 && !this.#context.isStopping();
  }

  /** The loop. It ends when nothing waits, and begins again when something is taken. */
  async #work(): Promise<void> {
    const { slots, gate, pacer, registry } = this.#context;
    // One look at the clock a job: it serves the gate, the pacer and the proof.
    let nowMs = performance.now();
    while (this.#goesOn) {
      if (!slots.tryTake()) {
        await slots.take();
        nowMs = performance.now();
      }
      if (pacer.isDue(nowMs)) nowMs = await pacer.turn();
      if (!this.#goesOn || !gate.isOpen(nowMs)) {
        slots.release();
        if (this.#goesOn) await gate.changed();
        nowMs = performance.now();
        continue;
      }
      const record = this.#waiting.first;
      const decoded = decode(record, registry, this.#route.maxPayloadBytes);
      let waitMs = 0;
      if (decoded.kind === "job" && !this.#head.isExhausted(record.offset)) {
        const attempt = this.#begin(record, decoded, nowMs);
        let outcome: Outcome;
        try {
          await attempt.perform();
          outcome = attempt.passed();
        } catch (thrown) {
          outcome = attempt.failed(thrown);
        }
        nowMs = performance.now();
        if (outcome.kind === "passed" && this.#live && gate.isProved(nowMs)) this.#pass(record, attempt);
        else waitMs = await this.#settle(record, attempt, outcome);
        this.#attempt = undefined;
      } else waitMs = await this.#settleUnperformed(record, decoded);
      slots.release();
      if (waitMs > 0) await this.#sleep(waitMs);
    }
    this.#working = false;
  }

  #begin(record: WaitingRecord, { Class, envelope }: Decoded & { kind: "job" }, nowMs: number): Attempt {
    const { currentAttributes, monitor } = this.#context;
    const attempt = this.#head.attemptsOf(record.offset) + 1;
    const { partition } = this.ownership;
    return this.#attempt = new Attempt(
      { route: this.#route, partition, record, Class, envelope, attempt, currentAttributes, monitor },
      nowMs,
    );
  }

  #pass(record: WaitingRecord, attempt: Attempt): void {
    const { monitor } = this.#context;
    if (monitor.hears("job.performed")) {
      const { durationMs, waitMs } = attempt;
      monitor.emit("job.performed", { ...attempt.info(), durationMs, waitMs });
    }
    this.#head.passed(record.offset);
    this.#finish(record);
  }

  #finish(record: WaitingRecord): void {
    this.#stuckAt = null;
    this.#waiting.shift();
    this.#tracker.finish(record);
    this.#context.commits.touch(this);
  }

  /** What is no plain pass. @returns how long the head waits, in milliseconds; 0 where it is finished, or not ours */
  async #settle(record: WaitingRecord, attempt: Attempt, outcome: Outcome): Promise<number> {
    const { monitor, commits } = this.#context;
    if (!await this.#isProved()) {
      monitor.emit("job.revoked", { ...attempt.info(), durationMs: attempt.durationMs, outcome: outcome.kind });
      return 0;
    }
    if (outcome.kind === "passed") {
      this.#pass(record, attempt);
      return 0;
    }
    const decision = this.#head.failed(record.offset, outcome.error);
    // The count must reach the broker even if the front never moves again.
    commits.touch(this);
    monitor.emit("job.failed", {
      ...attempt.info(),
      durationMs: attempt.durationMs,
      error: this.#head.error,
      next: decision.kind === "dead_letter" ? "dead_letter" : "retry",
      waitMs: decision.kind === "dead_letter" ? 0 : decision.waitMs,
    });
    return await this.#follow(record, decision, attempt.info());
  }

  /** What is not performed: a tombstone, what cannot be performed, and what has had all its attempts. */
  async #settleUnperformed(record: WaitingRecord, decoded: Decoded): Promise<number> {
    if (!await this.#isProved()) return 0;
    switch (decoded.kind) {
      case "tombstone":
        this.#context.monitor.emit("record.skipped", { ...this.#at(record), reason: "tombstone" });
        this.#head.givenUp();
        this.#finish(record);
        return 0;
      case "job":
        return await this.#deadLetter(record, decoded.envelope);
      default:
        return await this.#follow(record, this.#head.impossible(decoded.error, performance.now()), null);
    }
  }

  async #follow(record: WaitingRecord, decision: Decision, job: Identity | null): Promise<number> {
    return decision.kind === "dead_letter" ? await this.#deadLetter(record, job) : this.#pause(record, decision);
  }

  async #deadLetter(record: WaitingRecord, job: Identity | null): Promise<number> {
    const { append, group, monitor } = this.#context;
    const { error } = this.#head;
    const source = this.#at(record);
    const attempts = this.#head.attemptsOf(record.offset);
    const letter = { source, record, group, attempts, error };
    const outcome = await writeDeadLetter(this.#route.deadLetterQueue!.topic, letter, append);
    if (!outcome.ok) {
      const { message } = outcome.error;
      monitor.emit("error.occurred", { where: "dead letter", error: { errorClass: outcome.error.name, message } });
      return this.#pause(record, this.#head.deadLetterRefused(performance.now()));
    }
    const { jobClass = null, jobId = null } = job ?? {};
    monitor.emit("record.dead_lettered", { ...source, to: outcome.position, attempts, error, jobClass, jobId });
    if (!await this.#isProved()) return 0;
    this.#head.givenUp();
    this.#finish(record);
    return 0;
  }

  #pause(record: WaitingRecord, { kind, waitMs }: Wait): number {
    const at = this.#at(record);
    const lasting = kind === "pause";
    this.#stuckAt = lasting ? at : null;
    this.#context.monitor.emit("partition.paused", {
      ...at,
      waitMs,
      attempts: this.#head.attemptsOf(record.offset),
      error: this.#head.error,
      lasting,
      remedy: lasting ? this.#context.skipCommand(at) : null,
    });
    return waitMs;
  }

  /** Waits until it is certain whether the partition is still ours. */
  async #isProved(): Promise<boolean> {
    const { gate } = this.#context;
    while (this.#live && !gate.isProved(performance.now())) await gate.changed();
    return this.#live;
  }

  async #sleep(waitMs: number): Promise<void> {
    if (!this.#live || this.#context.isStopping()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, waitMs);
    await promise;
    clearTimeout(timer);
    this.#wake = undefined;
  }

  #at(record: WaitingRecord): RecordInfo {
    const { topic, partition } = this.ownership;
    return { topic, partition, offset: record.offset };
  }
}

/** What a dead letter's event says of its job. */
interface Identity {
  readonly jobClass: string;
  readonly jobId: string | null;
}
