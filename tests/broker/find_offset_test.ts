/** The place of a time in a log, also in one with gaps. */
import { assert, assertEquals } from "@std/assert";
import { findOffset } from "../../src/broker/find_offset.ts";
import type { StoredRecord } from "../../src/broker/record.ts";

/** A log whose record at an offset was appended at ten times the offset. */
function createLog(offsets: readonly number[], high: number) {
  let reads = 0;
  const records = offsets.map((offset): StoredRecord => ({
    offset,
    timestampMs: offset * 10,
    key: null,
    value: "",
    headers: [],
  }));
  return {
    find: (timeMs: number) =>
      findOffset(
        {
          read(_topic, _partition, { from }) {
            reads++;
            const record = records.find(({ offset }) => offset >= from);
            const found = record === undefined ? [] : [record];
            const next = record === undefined ? high : record.offset + 1;
            return Promise.resolve({ records: found, next, low: 0, high, lastStable: high });
          },
        },
        { topic: "default", partition: 0 },
        { low: 0, high },
        timeMs,
      ),
    reads: () => reads,
  };
}

Deno.test("findOffset() finds the first record of a time or later", async () => {
  const log = createLog(Array.from({ length: 1000 }, (_, at) => at), 1000);
  for (
    const [timeMs, offset] of [[-1, 0], [0, 0], [1, 1], [4990, 499], [4991, 500], [9990, 999], [9991, 1000]] as const
  ) {
    assertEquals(await log.find(timeMs), offset);
  }
  assert(log.reads() <= 7 * 11, `${log.reads()} reads`);
});

Deno.test("findOffset() passes over gaps, and ends in an empty log", async () => {
  const log = createLog([5, 6, 900], 1000);
  const found = [await log.find(0), await log.find(60), await log.find(61), await log.find(9001)];
  // A place in a gap leads to the record after it.
  assertEquals(found.map((offset) => [5, 6, 900, 1000].find((each) => each >= offset)), [5, 6, 900, 1000]);
  assertEquals(await createLog([], 0).find(5), 0);
});
