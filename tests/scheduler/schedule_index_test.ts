/** The index of delayed jobs, beside a model of plain objects. */
import { assert, assertEquals } from "@std/assert";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { HashKey } from "../../src/scheduler/hash.ts";
import { ScheduleIndex } from "../../src/scheduler/schedule_index.ts";
import { Random } from "../support/random.ts";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

const schedule = (offset: number, jobId: string, dueAtMs: number, rest = String(offset)) => ({
  offset,
  key: `${jobId}:${rest}`,
  jobIdLength: jobId.length,
  dueAtMs,
  bytes: 100 + offset,
});

/** Takes all that wait. */
function takeAll(index: ScheduleIndex): number[] {
  const taken: number[] = [];
  for (let offset = index.take(); offset !== null; offset = index.take()) taken.push(offset);
  return taken;
}

interface Entry {
  readonly offset: number;
  readonly jobId: string;
  readonly dueAtMs: number;
  isTaken: boolean;
  isRemoved: boolean;
}

Deno.test("the index agrees with a model after any sequence of calls", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new Random(seed);
    const next = () => random.next();
    const index = new ScheduleIndex();
    if (seed % 2 === 0) index.reserve(seed * 100);
    const model = new Map<number, Entry>();
    const pick = (): Entry | undefined => [...model.values()][Math.floor(next() * model.size)];
    const waiting = () =>
      [...model.values()].filter(({ isTaken, isRemoved }) => !isTaken && !isRemoved)
        .sort((a, b) => a.dueAtMs - b.dueAtMs || a.offset - b.offset);
    let offset = 0;
    for (let step = 0; step < 1000; step++) {
      const dice = next();
      const entry = pick();
      if (dice < 0.5 || entry === undefined) {
        offset += 1 + Math.floor(next() * 3);
        const jobId = `job-${Math.floor(next() * 200)}`;
        const dueAtMs = Math.floor(next() * 50);
        const isTaken = next() < 0.1;
        const earlier = [...model.values()].filter((each) => each.jobId === jobId).map((each) => each.offset);
        assertEquals(index.add(schedule(offset, jobId, dueAtMs), isTaken).sort((a, b) => a - b), earlier);
        model.set(offset, { offset, jobId, dueAtMs, isTaken, isRemoved: false });
      } else if (dice < 0.7) {
        const [first] = waiting();
        assertEquals(index.take(), first?.offset ?? null);
        if (first !== undefined) first.isTaken = true;
      } else if (dice < 0.78) {
        index.putBack(entry.offset);
        entry.isTaken = false;
      } else if (dice < 0.84) {
        index.markRemoved(entry.offset);
        entry.isRemoved = true;
      } else if (dice < 0.87) {
        index.restore(entry.offset);
        [entry.isTaken, entry.isRemoved] = [false, false];
      } else {
        assertEquals(index.find(`${entry.jobId}:${entry.offset}`, entry.jobId.length), entry.offset);
        index.finish(entry.offset);
        model.delete(entry.offset);
        assertEquals(index.find(`${entry.jobId}:${entry.offset}`, entry.jobId.length), null);
      }
      const offsets = [...model.keys()];
      assertEquals([index.size, index.front], [model.size, offsets.length === 0 ? null : Math.min(...offsets)]);
      assertEquals(index.nextDueAtMs, waiting()[0]?.dueAtMs ?? null);
      const other = pick();
      if (other === undefined) continue;
      assertEquals(
        [
          index.has(other.offset),
          index.isRemoved(other.offset),
          index.dueAtMs(other.offset),
          index.bytes(other.offset),
        ],
        [true, other.isRemoved, other.dueAtMs, 100 + other.offset],
      );
      const removedBefore = [...model.values()].some((each) =>
        each.jobId === other.jobId && each.offset < other.offset && each.isRemoved
      );
      assertEquals(index.hasRemovedBefore(other.offset), removedBefore);
      assertEquals(
        index.offsetsOf(other.jobId).length,
        [...model.values()].filter((e) => e.jobId === other.jobId).length,
      );
    }
    assertEquals(takeAll(index), waiting().map((each) => each.offset), `seed ${seed}`);
  }
});

Deno.test("a tombstone finds exactly the schedule of its key, also among those of the same job", () => {
  const index = new ScheduleIndex();
  index.add(schedule(1, "a", 5, "x"));
  index.add(schedule(2, "a", 6, "y"));
  assertEquals([index.find("a:y", 1), index.find("a:x", 1), index.find("a:z", 1), index.find("b:x", 1)], [
    2,
    1,
    null,
    null,
  ]);
});

Deno.test("jobs whose hashes are the same are found together, and one that is removed by mistake waits again", () => {
  const same: HashKey = (_key, _length, into) => void Object.assign(into, { high: 7, low: 7, rest: 7 });
  const index = new ScheduleIndex(same);
  index.add(schedule(1, "a", 5));
  assertEquals(index.add(schedule(2, "b", 4)), [1]);
  index.markRemoved(1);
  assertEquals([index.hasRemovedBefore(2), index.nextDueAtMs], [true, 4]);
  index.restore(1);
  assertEquals(takeAll(index), [2, 1]);
});

Deno.test("a million schedules take less than 50 bytes each, and the space is given back once they are finished", () => {
  const index = new ScheduleIndex();
  const megabytes = () => {
    collectGarbage();
    return Deno.memoryUsage().external / 1e6;
  };
  const before = megabytes();
  for (let offset = 0; offset < 1_000_000; offset++) index.add(schedule(offset, `job-${offset}`, offset % 1000));
  assert(megabytes() - before < 50, `${megabytes() - before} MB`);
  for (let offset = 0; offset < 1_000_000; offset++) index.finish(offset);
  // Slots are moved together when a new one is needed.
  for (let offset = 1_000_000; offset < 2_500_000; offset++) {
    index.add(schedule(offset, `job-${offset}`, 1));
    index.finish(offset);
  }
  assertEquals([index.size, index.front], [0, null]);
  assert(megabytes() - before < 8, `${megabytes() - before} MB`);
});
