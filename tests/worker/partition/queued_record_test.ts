/** The copy of a record: byte for byte, and nothing of a fetch stays alive. */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import {
  dropContent,
  keyBytes,
  toQueuedRecord,
  valueBytes,
  valueText,
} from "../../../src/worker/partition/queued_record.ts";
import { forSeeds } from "../../support/random.ts";
import { recordOf } from "../../support/worker.ts";

Deno.test("toQueuedRecord() keeps key and value byte for byte", () => {
  const bom = new Uint8Array([0xef, 0xbb, 0xbf, 0x7b, 0x7d]);
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  for (const bytes of [bom, all, new Uint8Array(), new TextEncoder().encode("žluťoučký 日本 \u0000")]) {
    const copy = toQueuedRecord(recordOf(bytes, { key: bytes }), 1);
    assertEquals(new Uint8Array(valueBytes(copy)!), bytes);
    assertEquals(new Uint8Array(keyBytes(copy)!), bytes);
  }
  forSeeds(300, (random) => {
    const bytes = Uint8Array.from({ length: random.integer(0, 20) }, () => random.integer(0, 255));
    const copy = toQueuedRecord(recordOf(bytes, { key: bytes }), 1);
    assertEquals(new Uint8Array(valueBytes(copy)!), bytes);
    assertEquals(new Uint8Array(keyBytes(copy)!), bytes);
    assertEquals(copy.bytes, bytes.length);
  });
  const tombstone = toQueuedRecord(recordOf(null), 1);
  assertEquals([valueBytes(tombstone), keyBytes(tombstone), tombstone.bytes], [null, null, 0]);
});

Deno.test("toQueuedRecord() keeps nothing of the broker's memory alive", () => {
  // As kafkajs delivers records: Buffers that are views into one fetch.
  const fetched = Buffer.from("key,value,header");
  const [key, value, header] = [fetched.subarray(0, 3), fetched.subarray(4, 9), fetched.subarray(10)];
  const headers = [["a", header], ["none", null], ["a", header]] as const;
  const copy = toQueuedRecord({ offset: 4, key, value, headers, timestampMs: 7 }, 9);
  fetched.fill(0);
  assertEquals(Buffer.from(keyBytes(copy)!).toString(), "key");
  assertEquals(copy.value, "value");
  assertEquals(copy.headers.map(([name, bytes]) => [name, bytes === null ? null : new TextDecoder().decode(bytes)]), [
    ["a", "header"],
    ["none", null],
    ["a", "header"],
  ]);
  for (const [, bytes] of copy.headers) assert(bytes === null || bytes.buffer !== fetched.buffer);
  assertEquals([copy.offset, copy.next, copy.timestampMs, copy.isFinished], [4, 9, 7, false]);
});

Deno.test("toQueuedRecord() keeps large bytes as bytes, and copies them if they are a part of a larger buffer", () => {
  const fetched = Buffer.alloc(300_000, "x");
  for (const [value, isCopy] of [[fetched, false], [fetched.subarray(0, 100_000), true]] as const) {
    const copy = toQueuedRecord(recordOf(value), 1);
    assert(Buffer.isBuffer(copy.value));
    assertEquals([copy.value.length, copy.value.buffer !== fetched.buffer], [value.length, isCopy]);
    assertEquals(valueText(copy), value.toString());
    assertEquals(Buffer.compare(valueBytes(copy)!, value), 0);
  }
  const invalid = toQueuedRecord(recordOf(new Uint8Array(100_000).fill(0xff)), 1);
  assertEquals([valueText(invalid), valueBytes(invalid)!.length], [null, 100_000]);
});

Deno.test("toQueuedRecord() counts key, value and headers as memory", () => {
  const fetched = Buffer.from("keyvalueheader");
  const copy = toQueuedRecord({
    offset: 3,
    key: fetched.subarray(0, 3),
    value: fetched.subarray(3, 8),
    headers: [["header", fetched.subarray(8)], ["none", null]],
    timestampMs: 0,
  }, 4);
  // 3 + 5 + ("header" + 6) + "none".
  assertEquals([copy.bytes, copy.memoryBytes], [5, 24]);
});

Deno.test("toQueuedRecord() treats a string as its bytes in UTF-8", () => {
  for (const [key, value] of [["key", "value"], ["cl\u00e9", "\ufffd \u{1f600}"], ["", ""]] as const) {
    const rest = { offset: 3, headers: [], timestampMs: 0 };
    const asText = toQueuedRecord({ ...rest, key, value }, 4);
    assertEquals(asText, toQueuedRecord({ ...rest, key: Buffer.from(key), value: Buffer.from(value) }, 4));
    assertEquals(asText.encoding, "utf8");
  }
});

Deno.test("dropContent() frees key, value and headers: a finished record may be tracked for long", () => {
  const record = toQueuedRecord(recordOf("value", { key: "key", headers: [["a", new Uint8Array(1)]] }), 1);
  dropContent(record);
  assertEquals([record.key, record.value, record.headers.length], [null, null, 0]);
});
