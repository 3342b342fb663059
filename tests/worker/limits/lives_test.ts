/** The gates of partitions that share limits, over random lives: no limit is exceeded, and each job starts in its time. */
import type { LimitedJob } from "@activejob/kafka";
import { assert, assertEquals } from "@std/assert";
import { RateBucket, RunningBucket } from "../../../src/worker/limits/bucket.ts";
import { Gate } from "../../../src/worker/limits/gate.ts";
import type { Limit } from "../../../src/worker/limits/limit.ts";
import type { DecodedJob } from "../../../src/worker/partition/decode.ts";
import type { QueuedRecord } from "../../../src/worker/partition/queued_record.ts";
import { limitOf } from "../../support/limits.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import { forSeeds, type Random } from "../../support/random.ts";

const PER_MS = 1000;
const TENANTS = ["a", "b", "c"];
const tenantOf = ({ jobId }: LimitedJob) => jobId;

/** A record with the job of a tenant. */
interface ModelRecord extends QueuedRecord {
  readonly tenant: string;
  isCancelled: boolean;
}

/** A partition with its gate, its ready records and its running ones, as a runner has them. */
class ModelPartition {
  readonly #life: Life;
  readonly #rate: Limit;
  gate: Gate;
  ready: ModelRecord[] = [];
  readonly #held = new Set<ModelRecord>();
  /** The records that the commit keeps back. */
  beyond: ModelRecord[] = [];
  running: ModelRecord[] = [];
  /** The times of its starts, by the value of the rate limit. */
  starts = new Map<string, number[]>();
  isPaused = false;

  constructor(life: Life) {
    this.#life = life;
    this.#rate = limitOf(life.isRateByTenant ? tenantOf : null, () => new RateBucket(life.rate, PER_MS));
    this.gate = this.#newGate();
  }

  /** Takes the first ready record. @returns whether there was one, and a slot for it */
  take(): boolean {
    if (this.isPaused || this.running.length >= this.#life.slots || this.ready.length === 0) return false;
    const record = this.ready.shift()!;
    if (record.isCancelled) {
      this.gate.drop(record);
      this.#life.done++;
    } else if (this.gate.enter(record, { envelope: { jobId: record.tenant } } as DecodedJob)) this.#start(record);
    else this.#held.add(record);
    return true;
  }

  /** Asserts that each held record waits for a limit that is full now. */
  assertHeldRightly(): void {
    const { isRateByTenant, rate, max, clock } = this.#life;
    for (const { tenant } of this.#held) {
      const starts = this.starts.get(isRateByTenant ? tenant : "") ?? [];
      const counted = starts.filter((startMs) => startMs > clock.nowMs() - PER_MS).length;
      const running = this.#life.runningOf(tenant);
      assert(
        running >= max || counted >= rate,
        `a job of ${tenant} is held: ${running} run, and ${counted} have started`,
      );
    }
  }

  /** Ends a run. A retry is ready again. */
  end(record: ModelRecord, isRetried: boolean): void {
    this.running.splice(this.running.indexOf(record), 1);
    this.#life.end(record, this.gate);
    if (isRetried) this.ready.push(record);
    else this.#life.done++;
  }

  /** Keeps back what is ready: the commit has no space for it any more. */
  keepBack(): void {
    const kept = this.ready.splice(0);
    this.beyond.push(...kept);
    for (const record of kept) this.gate.drop(record);
  }

  pause(): void {
    this.isPaused = true;
    this.gate.letGo();
  }

  /** The ownership ends, and a new one begins with the same records. Running jobs continue. */
  move(): void {
    const { gate } = this;
    for (const record of this.running) this.#life.orphans.push([record, gate]);
    gate.close();
    const all = [...this.running.splice(0), ...this.beyond.splice(0), ...this.ready.splice(0)];
    this.ready = all.sort((a, b) => a.offset - b.offset).map((record) => ({ ...record, limitValues: null }));
    this.gate = this.#newGate();
  }

  #start(record: ModelRecord): void {
    this.running.push(record);
    this.#life.start(record);
    const value = this.#life.isRateByTenant ? record.tenant : "";
    const nowMs = this.#life.clock.nowMs();
    const starts = [...this.starts.get(value) ?? [], nowMs].filter((startMs) => startMs > nowMs - PER_MS);
    this.starts.set(value, starts);
    assert(starts.length <= this.#life.rate, `${starts.length} starts in a span`);
  }

  #newGate(): Gate {
    return new Gate({
      limits: [this.#life.tenants, this.#rate],
      describe: (envelope) => ({ jobId: envelope.jobId } as LimitedJob),
      nowMs: () => this.#life.clock.nowMs(),
      callAt: (timeMs, fn) => this.#life.clock.callAt(timeMs, fn),
      owner: {
        hasSlot: () => this.running.length + this.ready.length < this.#life.slots,
        onWoken: (record) => {
          this.#held.delete(record as ModelRecord);
          this.ready.push(record as ModelRecord);
        },
      },
    });
  }
}

/** One random life of two partitions in one worker. */
class Life {
  readonly #random: Random;
  readonly clock = new ManualClock();
  readonly max: number;
  readonly rate: number;
  readonly isRateByTenant: boolean;
  readonly slots: number;
  readonly #isClockSteady: boolean;
  readonly tenants: Limit;
  readonly #partitions: readonly ModelPartition[];
  /** Runs that go on after their ownership has ended. */
  readonly orphans: [ModelRecord, Gate][] = [];
  readonly #running = new Map<string, number>();
  #pushed = 0;
  done = 0;

  constructor(random: Random) {
    this.#random = random;
    this.max = random.integer(1, 2);
    this.rate = random.integer(1, 4);
    this.isRateByTenant = random.chance(0.5);
    this.slots = random.integer(1, 4);
    this.#isClockSteady = random.chance(0.7);
    this.tenants = limitOf(tenantOf, () => new RunningBucket(this.max));
    this.#partitions = [new ModelPartition(this), new ModelPartition(this)];
  }

  runningOf(tenant: string): number {
    return this.#running.get(tenant) ?? 0;
  }

  start({ tenant }: ModelRecord): void {
    const count = this.runningOf(tenant) + 1;
    this.#running.set(tenant, count);
    assert(count <= this.max, `${count} jobs of ${tenant} at once`);
  }

  end(record: ModelRecord, gate: Gate): void {
    this.#running.set(record.tenant, this.runningOf(record.tenant) - 1);
    gate.leave(record);
  }

  run(): void {
    for (let step = 0; step < 200; step++) {
      this.#step();
      this.#assertNoneStandsStill();
    }
    for (const partition of this.#partitions) {
      partition.isPaused = false;
      partition.ready.push(...partition.beyond.splice(0));
    }
    // Each turn lets all that runs end, and a whole span pass: so at least one job starts in it, if any is left. After the
    // clock was set back, the timer of the process would look earlier than that of the clock, which comes later.
    const mostIdle = this.#isClockSteady ? 1 : 100;
    for (let idle = 0; this.done < this.#pushed;) {
      const before = this.done;
      while (this.#takeAll()) {
        this.#assertNoneStandsStill();
        this.#endAll();
      }
      this.#endAll();
      this.clock.advance(PER_MS);
      idle = this.done > before ? 0 : idle + 1;
      assert(idle <= mostIdle, `${this.done} of ${this.#pushed} jobs are done, and no other starts`);
    }
    for (const { gate } of this.#partitions) {
      assertEquals(gate.held, 0);
      gate.close();
    }
    assertEquals(this.clock.waiting, 0);
  }

  /** A record that is ready, and has no slot, may have the turn that another one waits for. */
  #assertNoneStandsStill(): void {
    if (!this.#isClockSteady || this.#partitions.some(({ ready, isPaused }) => ready.length > 0 && !isPaused)) return;
    for (const partition of this.#partitions) partition.assertHeldRightly();
  }

  #takeAll(): boolean {
    let hasTaken = false;
    for (const partition of this.#partitions) while (partition.take()) hasTaken = true;
    return hasTaken;
  }

  #endAll(): void {
    for (const [record, gate] of this.orphans.splice(0)) this.end(record, gate);
    for (const partition of this.#partitions) for (const each of [...partition.running]) partition.end(each, false);
  }

  #step(): void {
    const random = this.#random;
    const partition = random.pick(this.#partitions);
    const choice = random.integer(0, 99);
    if (choice < 25) partition.ready.push(this.#newRecord());
    else if (choice < 55) partition.take();
    else if (choice < 75) this.#endOne(partition);
    else if (choice < 82) this.clock.advance(random.integer(1, PER_MS));
    else if (choice < 84) { if (!this.#isClockSteady) this.#setClockBack(); }
    else if (choice < 90) partition.pause();
    else if (choice < 95) partition.isPaused = false;
    else if (choice < 96) partition.move();
    else if (choice < 97) partition.keepBack();
    else if (choice < 98) partition.ready.push(...partition.beyond.splice(0));
    else this.#cancelSome(partition.ready);
  }

  #cancelSome(records: readonly ModelRecord[]): void {
    for (const each of records) each.isCancelled ||= this.#random.chance(0.3);
  }

  #endOne(partition: ModelPartition): void {
    const orphan = this.orphans.shift();
    if (orphan !== undefined) return this.end(...orphan);
    if (partition.running.length > 0) partition.end(this.#random.pick(partition.running), this.#random.chance(0.2));
  }

  /** The starts that count do so as if they were now. */
  #setClockBack(): void {
    const beforeMs = this.clock.nowMs();
    this.clock.advance(-this.#random.integer(1, 5 * PER_MS));
    const nowMs = this.clock.nowMs();
    for (const { starts } of this.#partitions) {
      for (const [value, times] of starts) {
        const counted = times.filter((startMs) => startMs > beforeMs - PER_MS);
        starts.set(value, counted.map((startMs) => Math.min(startMs, nowMs)));
      }
    }
  }

  #newRecord(): ModelRecord {
    const tenant = this.#random.pick(TENANTS);
    return { key: null, offset: this.#pushed++, tenant, isCancelled: false, limitValues: null } as ModelRecord;
  }
}

Deno.test("no limit of running jobs and no rate limit is exceeded, and each job starts in its time", () => {
  forSeeds(200, (random) => new Life(random).run());
});
