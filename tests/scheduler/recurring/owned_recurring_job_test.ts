/** One recurring job without a worker: its log is in memory, and the test decides what its appends say, and what is due. */
import { assertEquals } from "@std/assert";
import { Job } from "../../../mod.ts";
import type { AppendOutcome, NewRecord, StoredRecord } from "../../../src/broker/broker.ts";
import { readScheduled, scheduleRecord } from "../../../src/dispatch/schedule.ts";
import { Monitor } from "../../../src/monitor/monitor.ts";
import { every } from "../../../src/recurring/mod.ts";
import type { RecurringContext } from "../../../src/scheduler/recurring/context.ts";
import { OpenJobs } from "../../../src/scheduler/recurring/open_jobs.ts";
import { OwnedRecurringJob } from "../../../src/scheduler/recurring/owned_recurring_job.ts";
import {
  decodeTick,
  encodeTick,
  scheduleIdOf,
  type TickRecord,
  type TickState,
} from "../../../src/scheduler/recurring/tick_record.ts";
import { tickJobIdOf } from "../../../src/recurring/definition.ts";
import { until } from "../../support/until.ts";

class NoteJob extends Job {
  perform() {}
}

const POSITION = { topic: "target", partition: 0, offset: 0 };
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 11, 1);

class JobUnderTest implements Disposable {
  nowMs = START_MS + 1;
  /** The ticks of the jobs that were enqueued, in minutes after the start. */
  readonly enqueued: number[] = [];
  /** Whether the append of a record fails although it is written. */
  fails: (record: TickRecord) => boolean = () => false;
  /** Called with a record that is written, before its append has ended. */
  onWritten: () => void = () => {};
  readonly #log: StoredRecord[] = [];
  readonly #ended = new AbortController();
  #job: OwnedRecurringJob;

  constructor() {
    this.#job = this.#makeJob();
  }

  #makeJob(): OwnedRecurringJob {
    const definition = every({ minutes: 1 }, NoteJob.of(), { id: "note" });
    const context: Omit<RecurringContext, "openJobs"> = {
      definitions: [definition],
      topic: "scheduled",
      group: "group",
      clock: { nowMs: () => this.nowMs, callAt: () => () => {} },
      maxDelayMs: 1e12,
      monitor: new Monitor(),
      admin: {
        ends: () => Promise.resolve([]),
        committed: () => Promise.resolve([]),
        read: () => Promise.reject(new Error("nothing is read")),
      },
      targetOf: () => ({ jobClass: "NoteJob", topic: "target", record: { key: null, value: "{}", headers: [] } }),
      groupOf: () => "group",
      describe: () => "",
      enqueue: (job) => {
        this.enqueued.push((Date.parse(job.jobId.slice("note/".length)) - START_MS) / MINUTE_MS);
        Object.defineProperty(job, "position", { value: { topic: "target", partition: 0, offset: 0 } });
        return Promise.resolve(job);
      },
      append: (_topic, record) => Promise.resolve(this.#append(record)),
      signal: this.#ended.signal,
      canAppend: () => true,
      track: () => {},
      putBack: () => true,
      onProgress: () => this.#job.run(),
    };
    return new OwnedRecurringJob(definition.id, definition, { ...context, openJobs: new OpenJobs(context) });
  }

  /** The latest record. */
  get record(): TickRecord {
    return this.#decode(this.#log.at(-1)!);
  }

  /** Does what can be done, until nothing is left. */
  async settle(): Promise<void> {
    this.#job.run();
    await until(() => this.#job.isIdle && !this.#job.isBusy, () => `${this.enqueued}`);
  }

  /** Hands over the latest record, as the reader of the log does. */
  readBack(): void {
    this.#job.read(this.record);
  }

  /** Hands over a record that another program wrote. */
  forge(state: Partial<TickState>): void {
    const forged = { ...this.record, ...state };
    const schedule = {
      jobId: scheduleIdOf("note"),
      dueAtMs: Math.min(this.nowMs + 1, forged.tickAtMs),
      targetTopic: "target",
    };
    this.#append(scheduleRecord({ value: "{}" }, { ...schedule, recurring: encodeTick(forged) }));
    this.readBack();
  }

  /** Cancels the tick that waits, as the reader of the log does. @returns its time */
  cancel(): number {
    const { record } = this;
    this.#job.lose(record, false);
    return record.tickAtMs;
  }

  /** Goes on as another owner, which reads the latest record. */
  replaceOwner(): void {
    this.#job.close();
    this.#job = this.#makeJob();
    this.readBack();
  }

  /** Begins the tick of the latest record, at its time. @returns once its step has ended */
  async runTick(): Promise<void> {
    this.nowMs = Math.max(this.nowMs, this.record.tickAtMs);
    await this.runDue();
  }

  /** Begins with the latest record, as if it was due now. @returns once its step has ended */
  async runDue(): Promise<void> {
    this.#job.setDue(this.record.offset);
    this.#job.run();
    await until(() => !this.#job.isBusy, () => `${this.enqueued}`);
  }

  /** Compares the definition with the record again. */
  async compareAgain(): Promise<void> {
    this.#job.compareAgain();
    await this.settle();
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
    this.#job.close();
  }

  #append(record: NewRecord): AppendOutcome {
    const offset = this.#log.length;
    const stored = { ...record, offset, timestampMs: this.nowMs } as StoredRecord;
    this.#log.push(stored);
    this.onWritten();
    if (!this.fails(this.#decode(stored))) return { ok: true, position: { topic: "scheduled", partition: 0, offset } };
    return { ok: false, error: new Error("it may be written"), written: "unknown" };
  }

  #decode(stored: StoredRecord): TickRecord {
    const schedule = readScheduled(stored);
    if (schedule.kind !== "schedule") throw new Error(`Expected a schedule, got ${schedule.kind}`);
    return decodeTick(stored.offset, schedule)!;
  }
}

Deno.test("the record of the next tick is written, and its append has an unknown outcome: that tick is not lost", async () => {
  using under = new JobUnderTest();
  await under.settle();
  under.fails = ({ tickAtMs, ends }) => tickAtMs === START_MS + 2 * MINUTE_MS && ends === null;
  await under.runTick();
  under.fails = () => false;
  under.readBack();
  for (let tick = 2; tick <= 4; tick++) {
    await under.runTick();
    await under.settle();
  }
  assertEquals(under.enqueued, [1, 2, 3, 4]);
  assertEquals(under.record.last?.tickAtMs, START_MS + 4 * MINUTE_MS);
});

Deno.test("a tick of a wrong clock, in the future by more than a day, does not stop the job until then", async () => {
  using under = new JobUnderTest();
  await under.settle();
  await under.runTick();
  await under.settle();
  const wrongMs = START_MS + MINUTE_MS;
  assertEquals([under.enqueued, under.record.last?.tickAtMs], [[1], wrongMs]);
  // As far as this it may be the right one: no tick comes twice.
  under.nowMs = wrongMs - DAY_MS;
  await under.compareAgain();
  assertEquals(under.record.tickAtMs, wrongMs + MINUTE_MS);
  under.nowMs--;
  await under.compareAgain();
  assertEquals(under.record.tickAtMs, wrongMs - DAY_MS);
  await under.runTick();
  await under.settle();
  assertEquals(under.record.last?.tickAtMs, wrongMs - DAY_MS);
  assertEquals(under.record.tickAtMs, wrongMs - DAY_MS + MINUTE_MS);
});

Deno.test("a forged record of the far future is replaced at once", async () => {
  using under = new JobUnderTest();
  await under.settle();
  const position = { topic: "target", partition: 0, offset: 0 };
  const last = { tickAtMs: 8.64e15, jobId: tickJobIdOf("note", 8.64e15), position };
  under.forge({ tickAtMs: START_MS + 365 * DAY_MS, definition: "forged", last, ends: null });
  await under.settle();
  assertEquals(under.record.tickAtMs, START_MS + MINUTE_MS);
});

Deno.test("a forged record with the hash of the definition is replaced at once by the next tick", async () => {
  using under = new JobUnderTest();
  await under.settle();
  const next = START_MS + MINUTE_MS;
  const forgeries: Partial<TickState>[] = [
    { tickAtMs: START_MS + 365 * DAY_MS },
    { tickAtMs: START_MS + 2 * MINUTE_MS },
    { tickAtMs: START_MS + 365 * DAY_MS, ends: {} },
    { tickAtMs: 8.64e15, ends: { 0: 1 } },
    // Due, and not a tick of the definition.
    { tickAtMs: START_MS - 1 },
    { tickAtMs: START_MS, definition: "of other code" },
    // Before the last tick.
    { tickAtMs: START_MS, last: { tickAtMs: START_MS, jobId: tickJobIdOf("note", START_MS), position: POSITION } },
  ];
  for (const forged of forgeries) {
    under.forge(forged);
    await under.runDue();
    await under.settle();
    assertEquals([under.record.tickAtMs, under.enqueued], [next, []], JSON.stringify(forged));
  }
});

Deno.test("a tick that other code has left due is enqueued by a new owner", async () => {
  using under = new JobUnderTest();
  await under.settle();
  under.forge({ tickAtMs: START_MS, definition: "of other code" });
  under.replaceOwner();
  await under.runTick();
  await under.settle();
  assertEquals([under.enqueued, under.record.tickAtMs], [[0], START_MS + MINUTE_MS]);
});

Deno.test("ticks that were cancelled do not come under a new owner, nor when the clock is set back", async () => {
  using under = new JobUnderTest();
  await under.settle();
  const cancelled: number[] = [];
  for (let count = 0; count < 3; count++) {
    cancelled.push(under.cancel());
    await under.settle();
  }
  assertEquals(cancelled, [1, 2, 3].map((minute) => START_MS + minute * MINUTE_MS));
  const next = START_MS + 4 * MINUTE_MS;
  assertEquals(under.record.tickAtMs, next);
  under.replaceOwner();
  await under.settle();
  assertEquals(under.record.tickAtMs, next);
  await under.runTick();
  await under.settle();
  assertEquals(under.enqueued, [4]);
  under.replaceOwner();
  under.nowMs = START_MS + 1;
  await under.compareAgain();
  assertEquals(under.record.tickAtMs, next + MINUTE_MS);
  // A record of a former owner that knew of no cancellation.
  under.nowMs = START_MS + 2 * MINUTE_MS;
  under.forge({ tickAtMs: START_MS + 2 * MINUTE_MS, cancelled: [] });
  await under.runDue();
  await under.settle();
  assertEquals([under.enqueued, under.record.tickAtMs], [[4], next + MINUTE_MS]);
  // They are remembered for a day.
  assertEquals(under.record.cancelled, cancelled);
  under.nowMs += 2 * DAY_MS;
  await under.runTick();
  await under.settle();
  assertEquals(under.record.cancelled, []);
});

Deno.test("a record that is read back and cancelled before its append has ended does not count", async () => {
  using under = new JobUnderTest();
  under.onWritten = () => {
    under.onWritten = () => {};
    under.readBack();
    under.cancel();
  };
  await under.settle();
  assertEquals(under.record.tickAtMs, START_MS + 2 * MINUTE_MS);
  await under.runTick();
  await under.settle();
  assertEquals(under.enqueued, [2]);
});
