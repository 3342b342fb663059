/** One recurring job without a worker: its log is in memory, and the test decides what its appends say, and what is due. */
import { assertEquals } from "@std/assert";
import { Job } from "../../../mod.ts";
import type { AppendOutcome, NewRecord, StoredRecord } from "../../../src/broker/broker.ts";
import { readScheduled, scheduleRecord } from "../../../src/dispatch/schedule.ts";
import { Monitor } from "../../../src/monitor/monitor.ts";
import { every } from "../../../src/recurring/mod.ts";
import type { RecurringContext } from "../../../src/scheduler/recurring/context.ts";
import { OwnedRecurringJob } from "../../../src/scheduler/recurring/owned_recurring_job.ts";
import {
  decodeTick,
  encodeTick,
  scheduleIdOf,
  type TickRecord,
  type TickState,
} from "../../../src/scheduler/recurring/tick_record.ts";
import { until } from "../../support/until.ts";

class NoteJob extends Job {
  perform() {}
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 11, 1);

class JobUnderTest implements Disposable {
  nowMs = START_MS + 1;
  /** The ticks of the jobs that were enqueued, in minutes after the start. */
  readonly enqueued: number[] = [];
  /** Whether the append of a record fails although it is written. */
  fails: (record: TickRecord) => boolean = () => false;
  readonly #log: StoredRecord[] = [];
  readonly #ended = new AbortController();
  readonly #job: OwnedRecurringJob;

  constructor() {
    const definition = every({ minutes: 1 }, NoteJob.of(), { id: "note" });
    const context: RecurringContext = {
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
      putBack: () => {},
      onProgress: () => this.#job.run(),
    };
    this.#job = new OwnedRecurringJob(definition.id, definition, context);
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
  forge(state: TickState): void {
    const schedule = { jobId: scheduleIdOf("note"), dueAtMs: this.nowMs + 1, targetTopic: "target" };
    this.#append(scheduleRecord({ value: "{}" }, { ...schedule, recurring: encodeTick(state) }));
    this.readBack();
  }

  /** Begins the tick of the latest record, at its time. @returns once its step has ended */
  async runTick(): Promise<void> {
    this.nowMs = Math.max(this.nowMs, this.record.tickAtMs);
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
  const last = { tickAtMs: 8.64e15, jobId: "forged", position };
  under.forge({ tickAtMs: START_MS + 365 * DAY_MS, definition: "forged", last, ends: null });
  await under.settle();
  assertEquals(under.record.tickAtMs, START_MS + MINUTE_MS);
});
