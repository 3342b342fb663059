/** Reading batches of records within a number of bytes, by one statement for small records and by measuring for others. */
import { assertEquals } from "@std/assert";
import type { NewRecord } from "../../../src/broker/broker.ts";
import { sizeOf } from "../../../src/broker/record.ts";
import { append } from "../../../src/broker/sqlite/append.ts";
import { read } from "../../../src/broker/sqlite/records.ts";
import { open } from "../../../src/broker/sqlite/schema.ts";
import { createTopic } from "../../../src/broker/sqlite/topics.ts";
import { TemporaryFile } from "./harness.ts";

const MAX_BYTES = 100_000;
const LARGE = "x".repeat(40_000);

/** Appends records, reads all of them, and returns the sizes of the batches: in records, and in bytes. */
function batchesOf(records: readonly NewRecord[]): { readonly counts: number[]; readonly bytes: number[] } {
  using file = new TemporaryFile();
  const connection = open(file.path);
  try {
    connection.write(() => createTopic(connection, { name: "jobs" }), "buffered");
    connection.write(() => append(connection, "jobs", records, () => 0), "buffered");
    const batches = [];
    for (let at = 0; at < records.length;) {
      const batch = read(connection, 1, at, records.length, MAX_BYTES)!;
      batches.push(batch);
      at = batch.next;
    }
    assertEquals(batches.flatMap((batch) => batch.records.map(({ offset }) => offset)), [...records.keys()]);
    return {
      counts: batches.map((batch) => batch.records.length),
      bytes: batches.map((batch) => batch.records.reduce((sum, record) => sum + sizeOf(record), 0)),
    };
  } finally {
    connection.close();
  }
}

const small = (count: number): NewRecord[] => Array.from({ length: count }, () => ({ key: "k", value: "v" }));

Deno.test("sqlite: a batch of small records ends after 500", () => {
  assertEquals(batchesOf(small(1100)).counts, [500, 500, 100]);
});

for (
  const [what, large] of [
    ["value", { key: "k", value: LARGE }],
    ["key", { key: LARGE, value: "v" }],
    ["header", { key: "k", value: "v", headers: [["name", new TextEncoder().encode(LARGE)]] }],
  ] satisfies [string, NewRecord][]
) {
  Deno.test(`sqlite: a batch with records of a large ${what} among small ones has no more bytes than allowed`, () => {
    const { counts, bytes } = batchesOf([...small(100), large, large, ...small(10), large, large, ...small(100)]);
    assertEquals(bytes.filter((size) => size > MAX_BYTES), []);
    assertEquals([counts.length, bytes.reduce((sum, size) => sum + size, 0) > 160_000], [2, true]);
  });
}
