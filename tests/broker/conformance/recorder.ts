/**
 * A sink that records its calls, lets a case wait for a condition, and checks the rules of each call: nothing comes for
 * an ownership that is not live, offsets only rise, a loss has aborted its signal.
 *
 * A breach of a rule is recorded rather than thrown, since a sink never throws; the suite fails the case with it.
 */
import { Buffer } from "node:buffer";
import type { ConsumerSink, Mark, Ownership, RecordBatch, StoredRecord } from "../../../src/broker/broker.ts";
import type { LostReason } from "../../../src/monitor/events.ts";
import type { TopicPartition } from "../../../src/support/position.ts";
import { afterPatience } from "../../support/patience.ts";

/** A record and its ownership. */
export interface Received {
  readonly ownership: Ownership;
  readonly record: StoredRecord;
}

/** See the module. */
export class Recorder implements ConsumerSink {
  /** All records, in the order of their delivery. */
  readonly received: Received[] = [];
  /** The size of each batch: records, and bytes of keys and values. */
  readonly batches: { readonly ownership: Ownership; readonly records: number; readonly bytes: number }[] = [];
  /** The live ownerships, with their positions as far as they are known. */
  readonly live = new Map<Ownership, number | null>();
  /** The calls of `assigned`. */
  readonly assignments: { readonly added: readonly Ownership[]; readonly continued: readonly Ownership[] }[] = [];
  /** The ownerships that have ended. */
  readonly losses: { readonly ownership: Ownership; readonly reason: LostReason }[] = [];
  /** The ranges of records that have expired. */
  readonly gaps: { readonly ownership: Ownership; readonly from: number; readonly to: number }[] = [];
  /** The calls of `releasing`. */
  readonly releases: (readonly Ownership[])[] = [];
  /** The argument of the last call of `membership`. */
  isMember: boolean | null = null;
  /** The arguments of `failed`. */
  readonly failures: Error[] = [];
  /** The rules that the consumer has broken. */
  readonly breaches: string[] = [];
  /** The number of calls. */
  calls = 0;
  /** The call of the broker that is on the stack: meanwhile the sink may not be called. */
  inside: string | null = null;
  /** Called by `records`, for a case to act inside the call. */
  onRecords: (ownership: Ownership, batch: RecordBatch) => void = () => {};
  /** Called by `assigned`, for a case to act inside the call. */
  onAssigned: () => void = () => {};
  /** Returns the last marks. */
  lastMarks: (ownerships: readonly Ownership[]) => readonly Mark[] = () => [];
  readonly #limitMs: number;
  readonly #waiting = new Set<() => void>();
  readonly #known = new Set<Ownership>();

  /** @param limitMs the longest wait for a condition, in ms */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** Returns the values, as strings, of one partition or of all. */
  values(of?: number): (string | null)[] {
    return this.received
      .filter(({ ownership }) => of === undefined || ownership.partition === of)
      .map(({ record }) => record.value === null ? null : Buffer.from(record.value).toString());
  }

  /** Returns the live ownership of a partition. */
  own(at: TopicPartition | number): Ownership {
    for (const ownership of this.live.keys()) if (matches(ownership, at)) return ownership;
    throw new Error(`Expected to own ${JSON.stringify(at)}: ${this.summary()}`);
  }

  /** Returns the numbers of the owned partitions, in order. */
  owned(topic?: string): number[] {
    const live = [...this.live.keys()].filter((ownership) => topic === undefined || ownership.topic === topic);
    return live.map(({ partition }) => partition).sort((a, b) => a - b);
  }

  /** Waits for a condition, which is checked after each call. */
  until(what: string, condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!condition()) return;
        endWait();
        this.#waiting.delete(look);
        resolve();
      };
      const endWait = afterPatience(this.#limitMs, () => {
        this.#waiting.delete(look);
        reject(new Error(`Waited ${this.#limitMs} ms without success until ${what}: ${this.summary()}`));
      });
      this.#waiting.add(look);
    });
  }

  /** Describes all calls in one line. */
  summary(): string {
    const values = this.values();
    return JSON.stringify({
      owned: [...this.live.keys()].map(({ topic, partition }) => `${topic}/${partition}`),
      received: values.length > 12 ? `${values.length} values, the last ${values.at(-1)}` : values,
      lost: this.losses.map(({ ownership, reason }) => `${ownership.partition} ${reason}`),
      assignments: this.assignments.map(({ added, continued }) => `+${added.length} =${continued.length}`),
      gaps: this.gaps.map(({ from, to }) => `${from}–${to}`),
      isMember: this.isMember,
      failures: this.failures.map(String),
      breaches: this.breaches,
    });
  }

  assigned(added: readonly Ownership[], continued: readonly Ownership[]): void {
    for (const ownership of added) {
      this.#expect(!this.#known.has(ownership), "an added ownership is a new object");
      this.#expect(!ownership.lost.aborted, "an added ownership is not lost yet");
      const twice = [...this.live.keys()].some((other) => matches(other, ownership));
      this.#expect(!twice, "a partition has one live ownership");
      this.#known.add(ownership);
      this.live.set(ownership, ownership.committed?.offset ?? null);
    }
    for (const ownership of continued) this.#expect(this.live.has(ownership), "a continued ownership is live");
    this.assignments.push({ added, continued });
    this.onAssigned();
    this.#called("assigned");
  }

  records(ownership: Ownership, batch: RecordBatch): void {
    this.#expect(this.live.has(ownership), "records come for live ownerships only");
    let position = this.live.get(ownership) ?? 0;
    for (const record of batch.records) {
      this.#expect(record.offset >= position, `offsets rise: ${record.offset} came after ${position - 1}`);
      position = record.offset + 1;
      this.received.push({ ownership, record });
    }
    this.#expect(batch.next >= position, `next (${batch.next}) lies beyond the records (${position - 1})`);
    this.#expect(batch.next <= batch.highWatermark, `next (${batch.next}) is not higher than ${batch.highWatermark}`);
    if (this.live.has(ownership)) this.live.set(ownership, batch.next);
    this.batches.push({ ownership, records: batch.records.length, bytes: bytesOf(batch) });
    this.onRecords(ownership, batch);
    this.#called("records");
  }

  releasing(ownerships: readonly Ownership[]): readonly Mark[] {
    for (const ownership of ownerships) this.#expect(this.live.has(ownership), "a released ownership is live");
    this.releases.push(ownerships);
    const marks = this.lastMarks(ownerships);
    this.#called("releasing");
    return marks;
  }

  lost(ownerships: readonly Ownership[], reason: LostReason): void {
    for (const ownership of ownerships) {
      this.#expect(this.live.delete(ownership), "a lost ownership was live");
      this.#expect(ownership.lost.aborted, "the signal of a lost ownership is aborted");
      this.losses.push({ ownership, reason });
    }
    this.#called("lost");
  }

  expired(ownership: Ownership, from: number, to: number): void {
    this.#expect(this.live.has(ownership), "records expire for a live ownership");
    this.#expect(from < to, "expired records are a range");
    this.gaps.push({ ownership, from, to });
    this.#called("expired");
  }

  membership(isMember: boolean): void {
    this.#expect(this.isMember !== isMember, "membership() is called only for a change");
    this.isMember = isMember;
    this.#called("membership");
  }

  failed(error: Error): void {
    this.failures.push(error);
    this.#called("failed");
  }

  #called(name: string): void {
    this.#expect(this.inside === null, `${name}() does not come inside of ${this.inside}()`);
    this.calls++;
    for (const look of [...this.#waiting]) look();
  }

  #expect(holds: boolean, rule: string): void {
    if (!holds) this.breaches.push(rule);
  }
}

function matches(ownership: Ownership, at: TopicPartition | number): boolean {
  if (typeof at === "number") return ownership.partition === at;
  return ownership.topic === at.topic && ownership.partition === at.partition;
}

function bytesOf(batch: RecordBatch): number {
  return batch.records.reduce(
    (sum, { key, value }) => sum + Buffer.byteLength(key ?? "") + Buffer.byteLength(value ?? ""),
    0,
  );
}
