/** Puts single positions together, so that letters which lie near each other are read and written together. Pure. */
import type { PartitionEnds } from "../broker/admin.ts";
import type { Position } from "../support/position.ts";

/** A part of a partition to handle. */
export interface Run {
  readonly partition: number;
  /** The first offset. */
  readonly from: number;
  /** The end, which is not read. */
  readonly to: number;
  /** The offsets that are wanted; `null` for all. Each is removed when it is read. */
  readonly wanted: Set<number> | null;
}

/** The most offsets between two positions of a run: to read so many costs about as much as another call. */
const MAX_GAP = 1000;

/** Returns the runs of all letters of a topic. */
export function runsOfAll(ends: readonly PartitionEnds[]): Run[] {
  return ends.map(({ partition, low, high }) => ({ partition, from: low, to: high, wanted: null }));
}

/** Returns the runs of some positions of a topic, each position once, in the order of the log. */
export function runsOf(positions: readonly Position[]): Run[] {
  const runs: Run[] = [];
  for (const [partition, group] of Map.groupBy(positions, (position) => position.partition)) {
    let offsets: number[] = [];
    const end = () => {
      if (offsets.length === 0) return;
      runs.push({ partition, from: offsets[0]!, to: offsets.at(-1)! + 1, wanted: new Set(offsets) });
      offsets = [];
    };
    for (const offset of group.map((position) => position.offset).toSorted((a, b) => a - b)) {
      if (offset - (offsets.at(-1) ?? offset) > MAX_GAP) end();
      offsets.push(offset);
    }
    end();
  }
  return runs;
}
