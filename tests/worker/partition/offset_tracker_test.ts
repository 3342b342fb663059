/** The tracker against a simple model: any order of completion, gaps, empty batches, crashes and restarts. */
import { assert, assertEquals } from "@std/assert";
import {
  capacityOf,
  decodeCommitMetadata,
  encodeCommitMetadata,
  NO_PROGRESS,
} from "../../../src/worker/partition/commit_metadata.ts";
import { OffsetTracker, type TrackedRecord } from "../../../src/worker/partition/offset_tracker.ts";
import { forSeeds, type Random } from "../../support/random.ts";
import { ProgressModel } from "./tracker_model.ts";

function recordAt(offset: number, next = offset + 1): TrackedRecord {
  return { offset, next, timestampMs: 0, isFinished: false, placeEnd: 0 };
}

function isWithin(offset: number, ranges: readonly { from: number; to: number }[]): boolean {
  return ranges.some(({ from, to }) => from <= offset && offset < to);
}

Deno.test("OffsetTracker has the model's front and finished offsets after every step", () => {
  forSeeds(300, (random) => {
    const start = random.chance(0.3) ? null : random.integer(0, 50);
    const tracker = new OffsetTracker(start);
    const model = new ProgressModel(start);
    const open: TrackedRecord[] = [];
    const finished = new Set<number>();
    let position = start ?? random.integer(0, 50);
    for (let step = 0; step < 80; step++) {
      if (random.chance(0.5)) {
        const offset = position + (random.chance(0.2) ? random.integer(1, 9) : 0);
        position = offset + (random.chance(0.2) ? random.integer(2, 9) : 1);
        const record = recordAt(offset, position);
        tracker.add(record);
        model.add(offset, position);
        open.push(record);
      } else if (random.chance(0.15)) {
        position += random.integer(0, 5);
        tracker.skipTo(position);
        model.skipTo(position);
      } else if (open.length > 0) {
        const [record] = open.splice(random.integer(0, open.length - 1), 1);
        tracker.finish(record!);
        model.finish(record!.offset);
        finished.add(record!.offset);
      }
      assertEquals(tracker.front, model.front());
      const ranges = tracker.finishedRanges();
      for (const offset of model.open()) assert(!isWithin(offset, ranges), `open ${offset} counts as finished`);
      for (const offset of finished) {
        assert(offset < tracker.front! || isWithin(offset, ranges), `finished ${offset} is in no range`);
      }
      for (const { from, to } of ranges) assert(from < to && from >= tracker.front!, `range ${from}-${to}`);
    }
    for (const record of open) {
      tracker.finish(record);
      model.finish(record.offset);
    }
    assertEquals(tracker.front, model.front());
    assertEquals([tracker.finishedRanges(), tracker.size], [[], 0]);
  });
});

/** A partition and its group over several owners, each of which crashes at some point. */
class Lives {
  readonly random: Random;
  readonly offsets: number[] = [];
  readonly runs = new Map<number, number>();
  /** The group's commit. */
  committed: { offset: number; metadata: string } | null = null;
  /** The offsets that were finished at that commit: none of them may run again. */
  safe = new Set<number>();
  readonly done = new Set<number>();
  readonly #maxLength: number;

  constructor(random: Random, maxLength: number) {
    this.random = random;
    this.#maxLength = maxLength;
    for (let offset = random.integer(0, 9); this.offsets.length < 40; offset += random.chance(0.2) ? 4 : 1) {
      this.offsets.push(offset);
    }
  }

  /** One ownership, from the assignment to the crash. */
  own(steps: number): void {
    const { random, committed } = this;
    const progress = committed === null ? NO_PROGRESS : decodeCommitMetadata(committed.metadata, committed.offset);
    const tracker = new OffsetTracker(committed?.offset ?? null, progress.finished);
    let toTake = this.offsets.filter((offset) => offset >= (committed?.offset ?? 0));
    const waiting: TrackedRecord[] = [];
    for (let step = 0; step < steps; step++) {
      if (random.chance(0.4)) {
        const batch = toTake.slice(0, random.integer(1, 6));
        toTake = toTake.slice(batch.length);
        for (const [index, offset] of batch.entries()) {
          const next = index < batch.length - 1 || toTake.length === 0 ? offset + 1 : toTake[0]!;
          const record = recordAt(offset, next);
          if (tracker.add(record)) tracker.finish(record);
          else waiting.push(record);
        }
      } else if (waiting.length > 0 && random.chance(0.8)) {
        const capacity = capacityOf(this.#maxLength);
        const record = random.pick(waiting.filter((each) => tracker.fits(each, capacity)));
        waiting.splice(waiting.indexOf(record), 1);
        this.#run(record.offset);
        tracker.finish(record);
      } else if (tracker.front !== null) this.#commit(tracker);
    }
  }

  #run(offset: number): void {
    assert(!this.safe.has(offset), `${offset} runs again although its end was committed`);
    this.runs.set(offset, (this.runs.get(offset) ?? 0) + 1);
    this.done.add(offset);
  }

  #commit(tracker: OffsetTracker): void {
    const front = tracker.front!;
    assert(front >= (this.committed?.offset ?? 0), `the front went back to ${front}`);
    const skipped = this.offsets.filter((offset) => offset < front && !this.done.has(offset));
    assertEquals(skipped, [], "before the front, but never performed");
    const metadata = encodeCommitMetadata(
      { ...NO_PROGRESS, finished: tracker.finishedRanges() },
      front,
      this.#maxLength,
    );
    this.committed = { offset: front, metadata };
    const ranges = decodeCommitMetadata(metadata, front).finished;
    for (const offset of this.offsets) {
      if (isWithin(offset, ranges)) assert(this.done.has(offset), `${offset} is committed as finished, but never ran`);
    }
    this.safe = new Set([...this.done].filter((offset) => offset < front || isWithin(offset, ranges)));
    // However short the metadata is: what has no space in it has not started.
    for (const { from, to } of tracker.finishedRanges()) {
      for (const offset of this.offsets.filter((each) => from <= each && each < to)) {
        assert(this.safe.has(offset), `${offset} is finished, but not committed`);
      }
    }
  }
}

for (const maxLength of [4096, 24, 5, 0]) {
  Deno.test(`OffsetTracker over crashes and restarts: nothing finished runs again, nothing is skipped (${maxLength} characters)`, () => {
    forSeeds(200, (random) => {
      const lives = new Lives(random, maxLength);
      for (let owner = 0; owner < 8; owner++) lives.own(random.integer(1, 40));
      lives.own(2000);
      assertEquals(lives.offsets.filter((offset) => !lives.runs.has(offset)), [], "never performed");
      assertEquals(lives.committed?.offset, lives.offsets.at(-1)! + 1);
    });
  });
}

Deno.test("finishedRanges() passes on records that a previous owner finished and that have not arrived yet", () => {
  const tracker = new OffsetTracker(3, [{ from: 5, to: 9 }, { from: 12, to: 13 }]);
  const first = recordAt(3);
  tracker.add(first);
  tracker.finish(first);
  assertEquals(tracker.front, 4);
  assertEquals(tracker.finishedRanges(), [{ from: 5, to: 9 }, { from: 12, to: 13 }]);
  for (const offset of [4, 5, 6]) tracker.add(recordAt(offset));
  assertEquals(tracker.finishedRanges(), [{ from: 7, to: 9 }, { from: 12, to: 13 }]);
});

Deno.test("OffsetTracker drops the records behind the front", () => {
  const tracker = new OffsetTracker(0);
  const records = Array.from({ length: 5000 }, (_, offset) => recordAt(offset));
  for (const record of records) tracker.add(record);
  for (const record of records.slice(1)) tracker.finish(record);
  assertEquals([tracker.front, tracker.size], [0, 5000]);
  assertEquals(tracker.finishedRanges(), [{ from: 1, to: 5000 }]);
  tracker.finish(records[0]!);
  assertEquals([tracker.front, tracker.size], [5000, 0]);
});

Deno.test("fits() is true for the record at the front, and for others within the space that gaps leave", () => {
  const tracker = new OffsetTracker(0);
  const records = [recordAt(0), recordAt(1), recordAt(4), recordAt(5, 9), recordAt(9)];
  for (const record of records) tracker.add(record);
  const fitting = (capacity: number) => records.filter((record) => tracker.fits(record, capacity)).map((r) => r.offset);
  // The places end at 1, 2, 5 (two offsets before it), 9 (three after it) and 10.
  assertEquals([0, 1, 4, 5, 9, 10].map(fitting), [[0], [0], [0, 1], [0, 1, 4], [0, 1, 4, 5], [0, 1, 4, 5, 9]]);
  tracker.finish(records[0]!);
  assertEquals([0, 4].map(fitting), [[0, 1], [0, 1, 4]]);
});

Deno.test("skipTo() takes one place for all aborted batches that follow each other behind an unfinished record", () => {
  const tracker = new OffsetTracker(0);
  const [first, last] = [recordAt(0), recordAt(1001)];
  tracker.add(first);
  for (let next = 2; next <= 1001; next++) tracker.skipTo(next);
  tracker.add(last);
  assertEquals([tracker.size, tracker.fits(last, 16), tracker.fits(last, 15)], [3, true, false]);
  assertEquals(tracker.finishedRanges(), [{ from: 1, to: 1001 }]);
  tracker.finish(first);
  assertEquals([tracker.front, tracker.size], [1001, 1]);
});
