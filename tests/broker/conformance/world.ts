/**
 * The world of one case: clients of one log, topics and groups of its own, and consumers with a {@linkcode Recorder}.
 * It is made for one case, and closes everything after it.
 */
import assert from "node:assert/strict";
import type { Broker, Consumer, Mark, NewRecord, Ownership } from "../../../src/broker/broker.ts";
import type { Harness } from "./harness.ts";
import { Recorder } from "./recorder.ts";
import type { Position } from "../../../src/support/position.ts";
import { Patience } from "../../support/patience.ts";

/** The deadline for leaving a group, in ms. */
const CLOSE_MS = 5000;

/** The time between two checks of a condition that causes no call of a sink, in ms. */
const LOOK_EVERY_MS = 10;

/** The most bytes of a batch, unless a case says otherwise. */
const MAX_FETCH_BYTES = 256 * 1024;

/** Options of a consumer. */
export interface Wanted {
  readonly topics: readonly string[];
  /** @default a new group */
  readonly group?: string;
  /** @default a client of its own, as another process would have */
  readonly broker?: Broker;
  /** @default 256 KiB */
  readonly maxFetchBytes?: number;
  /** Prepares the recorder before its first call. */
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

  /** Opens another client. */
  open(): Broker {
    const broker = this.harness.open();
    this.#brokers.push(broker);
    return broker;
  }

  /** Returns a unique name. */
  name(of = "topic"): string {
    return `${this.#prefix}-${of}-${++this.#count}`;
  }

  /** Creates a topic. */
  async topic(partitions = 1, config: Record<string, string> = {}): Promise<string> {
    const name = this.name();
    await this.broker.admin.create([{ name, partitions, config }]);
    return name;
  }

  /** Appends records; each must be written. */
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

  /** Starts a consumer, which may not have joined yet. */
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

  /** Starts a consumer and waits until it has joined its group. */
  async consume(wanted: Wanted): Promise<Member> {
    const member = this.start(wanted);
    await member.consumer.joined;
    return member;
  }

  /** Returns the commit of a group for a partition. */
  async committed(group: string, topic: string, partition = 0): Promise<{ offset: number | null; metadata: string }> {
    const all = await this.broker.admin.committed(group, topic);
    const { offset, metadata } = all.find((one) => one.partition === partition)!;
    return { offset, metadata };
  }

  /** Waits for a condition that causes no call of a sink. */
  async eventually(what: string, condition: () => Promise<boolean>): Promise<void> {
    const patience = new Patience(this.harness.limitMs);
    while (!await condition()) {
      assert.ok(!patience.isOver, `Waited ${this.harness.limitMs} ms without success until ${what}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  /** Fails if a consumer has broken a rule of its sink, or has failed. */
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

  /** Returns the live ownership of a partition. */
  own(at: { readonly topic: string; readonly partition: number } | number = 0): Ownership {
    return this.recorder.own(at);
  }

  /** Waits until it has received a number of records (of a partition). */
  received(count: number, partition?: number): Promise<void> {
    const of = partition === undefined ? "" : ` of partition ${partition}`;
    return this.recorder.until(`${count} records${of} came`, () => this.recorder.values(partition).length >= count);
  }

  /** Pauses an ownership. */
  pause(ownership: Ownership): void {
    this.#inside("pause", () => this.consumer.pause(ownership));
  }

  /** Resumes an ownership. */
  resume(ownership: Ownership): void {
    this.#inside("resume", () => this.consumer.resume(ownership));
  }

  /** Commits marks, again and again while one is refused: a rebalance may be under way. */
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

/** Returns numbered strings: `many("a", 3)` is `a0`, `a1`, `a2`. */
export function many(name: string, count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, n) => `${name}${from + n}`);
}
