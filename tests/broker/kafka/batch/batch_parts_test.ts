/** A batch that is read in parts: the same records as at once, within limits, and one unreadable record for the rest. */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import type { NewRecord, StoredRecord } from "../../../../src/broker/broker.ts";
import { type BatchPart, batchParts } from "../../../../src/broker/kafka/batch/batch_parts.ts";
import { crc32c } from "../../../../src/broker/kafka/batch/crc32c.ts";
import { decodeBatch } from "../../../support/kafka/batches.ts";
import { TooLargeError } from "../../../../src/broker/kafka/batch/decompression_errors.ts";
import { COMPRESSIONS, Field, HEADER_BYTES } from "../../../../src/broker/kafka/batch/layout.ts";
import { forSeeds, type Random } from "../../../support/random.ts";
import { boundsOf, packedBatch, withChecksum, withRecords } from "../../../support/kafka/packed_batch.ts";

const MAX_BYTES = 16 * 1024 * 1024;

async function read(data: Buffer, { from = 0, maxRecordBytes = MAX_BYTES } = {}): Promise<BatchPart[]> {
  return await Array.fromAsync(batchParts(data, boundsOf(data), from, maxRecordBytes));
}

function recordsOf(parts: readonly BatchPart[]): StoredRecord[] {
  return parts.flatMap(({ records }) => [...records]).map((record) => ({ ...record, value: asText(record.value) }));
}

/** A short string that is different for each value. */
function asText(value: StoredRecord["value"]): string | null {
  if (value === null) return null;
  const bytes = Buffer.from(value);
  return bytes.length < 100 ? bytes.toString() : `${bytes.length} bytes, checksum ${crc32c(bytes, 0, bytes.length)}`;
}

function randomRecord(random: Random): NewRecord {
  const text = (max: number) => "abc "[random.integer(0, 3)]!.repeat(random.integer(0, max));
  return {
    key: random.chance(0.5) ? null : text(10),
    value: random.chance(0.1) ? null : text(random.chance(0.05) ? 300_000 : 2000),
    headers: random.chance(0.7) ? [] : [["a", Buffer.from(text(10))], ["none", null]],
  };
}

for (const compression of COMPRESSIONS) {
  Deno.test(`batchParts() reads a batch in ${compression} as it is read at once`, async () => {
    const batches: { data: Buffer; from: number }[] = [];
    forSeeds(15, (random) => {
      const records = Array.from({ length: random.integer(1, 200) }, () => randomRecord(random));
      batches.push({ data: packedBatch(records, compression), from: random.integer(0, records.length - 1) });
    });
    for (const { data, from } of batches) {
      const expected = decodeBatch(data, boundsOf(data), from, 100_000_000);
      const parts = await read(data, { from });
      assertEquals(recordsOf(parts), recordsOf([{ records: expected, next: 0 }]));
      assertEquals(parts.at(-1)!.next, boundsOf(data).lastOffset + 1);
      for (const { records, next } of parts.slice(0, -1)) assertEquals(next, records.at(-1)!.offset + 1);
    }
  });

  Deno.test(`batchParts() passes over a record in ${compression} that is too large, and reads those beside it`, async () => {
    const values = ["a", "x".repeat(3_000_000), "b", "c", "y".repeat(2_000_000)];
    const data = packedBatch(values.map((value) => ({ value })), compression);
    const parts = await read(data, { maxRecordBytes: 1_000_000 });
    const records = recordsOf(parts);
    assertEquals(records.map(({ offset, value }) => [offset, value]), [[0, "a"], [1, null], [2, "b"], [3, "c"], [
      4,
      null,
    ]]);
    assertEquals(records.map(({ unreadable }) => unreadable), [
      undefined,
      "The record has 3000009 bytes, but at most 1000000 are unpacked",
      undefined,
      undefined,
      "The record has 2000009 bytes, but at most 1000000 are unpacked",
    ]);
    assertEquals(parts.at(-1)!.next, 5);
  });

  Deno.test(`batchParts() gives at most 1 MiB and 10,000 records at once of a batch in ${compression}`, async () => {
    const large = packedBatch(Array.from({ length: 12 }, () => ({ value: "x".repeat(400_000) })), compression);
    for (const { records } of await read(large)) {
      assert(records.reduce((sum, { value }) => sum + value!.length, 0) <= 1024 * 1024 + 400_000);
    }
    const small = packedBatch(Array.from({ length: 25_000 }, () => ({ value: "" })), compression);
    const parts = await read(small);
    assertEquals(recordsOf(parts).length, 25_000);
    for (const { records } of parts) assert(records.length <= 10_000);
  });
}

Deno.test("batchParts() unpacks no further than it is read: neither time nor memory for the rest", async () => {
  const data = packedBatch(
    [{ value: "a".repeat(70_000) }, ...Array(300).fill({ value: "x".repeat(1_000_000) })],
    "zstd",
  );
  const before = Deno.memoryUsage().rss;
  const parts = batchParts(data, boundsOf(data), 0, MAX_BYTES);
  const first = await parts.next();
  assertEquals(first.value!.records.length, 1);
  assert(Deno.memoryUsage().rss - before < 50_000_000);
  await parts.return(undefined);
  assertEquals(await parts.next(), { value: undefined, done: true });
});

Deno.test("batchParts() hands over the records before the damage, and one unreadable record for the others", async () => {
  const sound = packedBatch(Array.from({ length: 100 }, (_, n) => ({ value: `${n}`.repeat(3000) })));
  const packed = packedBatch(Array.from({ length: 100 }, (_, n) => ({ value: `${n}`.repeat(3000) })), "gzip");
  const cut = withRecords(packed, packed.subarray(HEADER_BYTES, HEADER_BYTES + (packed.length >> 1)), "gzip");
  const fewer = withChecksum(Buffer.from(sound));
  fewer.writeInt32BE(150, Field.count);
  fewer.writeInt32BE(149, Field.lastOffsetDelta);
  for (
    const [data, last, problem] of [
      [cut, 99, "unexpected end of file"],
      [withChecksum(fewer), 149, "it has 100 records, and announces 150"],
    ] as const
  ) {
    const parts = await read(data, { from: 3 });
    const records = recordsOf(parts);
    const unreadable = records.at(-1)!;
    assertEquals(
      records.slice(0, -1).map(({ value }) => value),
      records.slice(0, -1).map((_, n) => asText(`${n + 3}`.repeat(3000))),
    );
    assert(records.length > 1, "Expected some records before the damage");
    assertEquals(unreadable.offset, records.length - 1 + 3);
    assertEquals(unreadable.unreadable, `The batch with offsets 0 to ${last} cannot be read: ${problem}`);
    assertEquals(parts.at(-1)!.next, last + 1);
  }
});

Deno.test("batchParts() and readRecords() never throw anything else, whatever the bytes are", async () => {
  const batches: Buffer[] = [];
  forSeeds(300, (random) => {
    const compression = COMPRESSIONS[random.integer(0, COMPRESSIONS.length - 1)]!;
    const records = Array.from({ length: random.integer(1, 20) }, () => randomRecord(random));
    const data = packedBatch(records, compression);
    for (let count = random.integer(1, 5); count > 0; count--) {
      data[random.integer(HEADER_BYTES, data.length - 1)] = random.integer(0, 255);
    }
    batches.push(withChecksum(data));
  });
  for (const data of batches) {
    const bounds = boundsOf(data);
    const parts = await read(data, { maxRecordBytes: 100_000 });
    assertEquals(parts.at(-1)!.next, bounds.lastOffset + 1);
    try {
      decodeBatch(data, bounds, 0, 1_000_000);
    } catch (error) {
      const isExpected = error instanceof TooLargeError || (error as Error).name === "UnreadableBatchError";
      assert(isExpected, String(error));
    }
  }
});
