/**
 * What a case works with: brokers over one log, topics and groups of its own, consumers with a {@linkcode Recorder}. It is
 * made for one case and takes everything down after it.
 */
import assert from "node:assert/strict";
import type { Broker, Consumer, Mark, NewRecord, Ownership } from "../../../src/broker/broker.ts";
import type { Harness } from "./harness.ts";
import { Recorder } from "./recorder.ts";
import type { Position } from "../../../src/support/position.ts";

/** How long a consumer has to leave its group, in milliseconds. */
const CLOSE_MS = 5000;

/** How often a condition that only asking can tell is looked at, in milliseconds. */
const LOOK_EVERY_MS = 10;

/** How much a hand-over holds at most where a case does not say, in bytes. */
const MAX_FETCH_BYTES = 256 * 1024;

/** Which consumer a case wants. */
export interface Wanted {
  readonly topics: readonly string[];
  /** @default a new group */
  readonly group?: string;
  /** @default a broker of its own, as another process would have */
  readonly broker?: Broker;
  /** @default 256 KiB */
  readonly maxFetchBytes?: number;
  /** Set up before the first call can come. */
  readonly prepare?: (recorder: Recorder) => void;
}

/** See the module. */
export class World implements AsyncDisposable {
  /** The broker under test. */
  readonly harness: Harness;
  /** A client of it. */
  readonly broker: Broker;
  readonly #brokers: Broker[] = [];
  readonly #recorders: Recorder[] = [];
  readonly #prefix = `conformance-${crypto.randomUUID().slice(0, 8)}`;
  #count = 0;

  constructor(harness: Harness) {
    this.harness = harness;
    this.broker = this.open();
  }

  /** One more client. */
  open(): Broker {
    const broker = this.harness.open();
    this.#brokers.push(broker);
    return broker;
  }

  /** A name that nobody else has. */
  name(of = "topic"): string {
    return `${this.#prefix}-${of}-${++this.#count}`;
  }

  /** A new topic. */
  async topic(partitions = 1, config: Record<string, string> = {}): Promise<string> {
    const name = this.name();
    await this.broker.admin.create([{ name, partitions, config }]);
    return name;
  }

  /** Appends; every record must be written. */
  async append(topic: string, records: readonly (NewRecord | string)[], partition = 0): Promise<readonly Position[]> {
    for (const recorder of this.#recorders) recorder.inside = "append";
    const appended = this.broker.append(
      topic,
      records.map((record) => typeof record === "string" ? { value: record, partition } : record),
    );
    for (const recorder of this.#recorders) recorder.inside = null;
    return (await appended).map((outcome) => {
      assert.ok(outcome.ok, `Expected the record to be written: ${outcome.ok || outcome.error}`);
      return outcome.position;
    });
  }

  /** A consumer that may not have joined yet. */
  start(wanted: Wanted): Member {
    const recorder = new Recorder(this.harness.limitMs);
    wanted.prepare?.(recorder);
    this.#recorders.push(recorder);
    const group = wanted.group ?? this.name("group");
    recorder.inside = "consume";
    const consumer = (wanted.broker ?? this.open()).consume({
      group,
      topics: wanted.topics,
      sessionTimeoutMs: this.harness.sessionTimeoutMs,
      maxFetchBytes: wanted.maxFetchBytes ?? MAX_FETCH_BYTES,
    }, recorder);
    recorder.inside = null;
    return new Member(this, group, consumer, recorder);
  }

  /** A consumer that has joined its group. */
  async consume(wanted: Wanted): Promise<Member> {
    const member = this.start(wanted);
    await member.consumer.joined;
    return member;
  }

  /** What a group has committed for a partition. */
  async committed(group: string, topic: string, partition = 0): Promise<{ offset: number | null; metadata: string }> {
    const all = await this.broker.admin.committed(group, topic);
    const { offset, metadata } = all.find((one) => one.partition === partition)!;
    return { offset, metadata };
  }

  /** Waits for a condition that only asking can tell. */
  async eventually(what: string, condition: () => Promise<boolean>): Promise<void> {
    const endMs = performance.now() + this.harness.limitMs;
    while (!await condition()) {
      assert.ok(performance.now() < endMs, `Waited ${this.harness.limitMs} ms in vain until ${what}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  /** Fails if any sink was told what it may not be told. */
  check(): void {
    for (const recorder of this.#recorders) {
      assert.deepEqual(recorder.breaches, [], recorder.summary());
      assert.deepEqual(recorder.failures, [], recorder.summary());
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#brokers.map((broker) => broker[Symbol.asyncDispose]()));
  }
}

/** A consumer and its recorder. */
export class Member {
  readonly group: string;
  readonly consumer: Consumer;
  readonly recorder: Recorder;
  readonly #world: World;

  constructor(world: World, group: string, consumer: Consumer, recorder: Recorder) {
    this.#world = world;
    this.group = group;
    this.consumer = consumer;
    this.recorder = recorder;
  }

  /** The live ownership of a partition. */
  own(at: { readonly topic: string; readonly partition: number } | number = 0): Ownership {
    return this.recorder.own(at);
  }

  /** Waits until it has received so many records (of a partition). */
  received(count: number, partition?: number): Promise<void> {
    const of = partition === undefined ? "" : ` of partition ${partition}`;
    return this.recorder.until(`${count} records${of} came`, () => this.recorder.values(partition).length >= count);
  }

  /** Pauses. */
  pause(ownership: Ownership): void {
    this.#inside("pause", () => this.consumer.pause(ownership));
  }

  /** Resumes. */
  resume(ownership: Ownership): void {
    this.#inside("resume", () => this.consumer.resume(ownership));
  }

  /** Commits, as often as it is refused: a rebalance may be on its way. */
  async commit(...marks: readonly Mark[]): Promise<string[]> {
    const outcomes: string[] = Array(marks.length).fill("refused");
    await this.#world.eventually("the commit was no longer refused", async () => {
      const open = marks.map((mark, at) => ({ mark, at })).filter(({ at }) => outcomes[at] === "refused");
      const answered = await this.#inside("commit", () => this.consumer.commit(open.map(({ mark }) => mark)));
      open.forEach(({ at }, nth) => outcomes[at] = answered[nth]!);
      return !outcomes.includes("refused");
    });
    return outcomes;
  }

  /** Leaves its group. */
  close(): Promise<void> {
    return this.consumer.close(CLOSE_MS);
  }

  #inside<T>(name: string, call: () => T): T {
    this.recorder.inside = name;
    try {
      return call();
    } finally {
      this.recorder.inside = null;
    }
  }
}

/** Texts with numbers: `many("a", 3)` is `a0`, `a1`, `a2`. */
export function many(name: string, count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, n) => `${name}${from + n}`);
}
