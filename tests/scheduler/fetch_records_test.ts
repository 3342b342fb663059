/** Records at given offsets: few calls, and none is taken for missing that cannot be read yet. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { LogPage, ReadOptions, StoredRecord } from "../../src/broker/broker.ts";
import { BrokerError } from "../../src/errors.ts";
import { fetchRecords } from "../../src/scheduler/fetch_records.ts";

const RECORD_BYTES = 1000;

/** A log with these offsets, of which everything before `lastStable` can be read. */
function logOf(offsets: readonly number[], lastStable: number) {
  let reads = 0;
  const read = (_topic: string, _partition: number, { from, maxBytes }: ReadOptions): Promise<LogPage> => {
    reads++;
    const found = offsets.filter((offset) => offset >= from && offset < lastStable);
    const records = found.slice(0, Math.max(1, Math.floor(maxBytes / RECORD_BYTES)))
      .map((offset): StoredRecord => ({ offset, key: "k", value: "", headers: [], timestampMs: 0 }));
    const next = found[records.length] ?? Math.max(from, lastStable);
    return Promise.resolve({ records, next, low: 0, high: 1_000_000, lastStable });
  };
  return { admin: { read }, reads: () => reads };
}

async function fetch(log: ReturnType<typeof logOf>, offsets: readonly number[]): Promise<number[]> {
  const found: number[] = [];
  const { signal } = new AbortController();
  const options = { admin: log.admin, topic: "t", partition: 0, values: true, signal };
  await fetchRecords(offsets, options, ({ offset }) => void found.push(offset));
  return found;
}

Deno.test("records that are close together are read with few calls, and those that are gone are left out", async () => {
  const all = Array.from({ length: 10_000 }, (_, n) => n);
  const log = logOf(all.filter((n) => n % 7 !== 0), 10_000);
  assertEquals(await fetch(log, all), all.filter((n) => n % 7 !== 0));
  assert(log.reads() < 20, `${log.reads()} reads`);
  const far = logOf(all, 10_000);
  assertEquals(await fetch(far, [5, 5000, 9999]), [5, 5000, 9999]);
  assertEquals([far.reads(), await fetch(far, [])], [3, []]);
});

Deno.test("a record beyond the end of what can be read is not taken for a missing one", async () => {
  await assertRejects(() => fetch(logOf([1, 2, 3, 4], 3), [2, 4]), BrokerError, "Cannot read t/0@4 yet");
});
