import { Buffer } from "node:buffer";
import { assertEquals } from "@std/assert";
import { keyBytes, takeIn, valueBytes } from "../../../src/worker/partition/decode.ts";

Deno.test("takeIn() keeps nothing of the fetch that a record lies in, headers included", () => {
  const fetch = Buffer.from("keyvalueheader");
  const record = takeIn({
    offset: 3,
    key: fetch.subarray(0, 3),
    value: fetch.subarray(3, 8),
    headers: [["header", fetch.subarray(8)], ["none", null]],
    timestampMs: 0,
  }, 4);
  fetch.fill("x");
  const read = [keyBytes(record), valueBytes(record), ...record.headers.map(([, bytes]) => bytes)];
  assertEquals(read.map((bytes) => bytes && new TextDecoder().decode(bytes)), ["key", "value", "header", null]);
  // All of it counts as what waits, 3 + 5 + ("header" + 6) + "none".
  assertEquals([record.bytes, record.memoryBytes], [5, 24]);
  for (const [, bytes] of record.headers) assertEquals(bytes?.buffer === fetch.buffer, false);
});

Deno.test("takeIn() takes a text for the bytes that it stands for", () => {
  for (const [key, value] of [["key", "value"], ["cl\u00e9", "\ufffd \u{1f600}"], ["", ""]] as const) {
    const rest = { offset: 3, headers: [], timestampMs: 0 };
    const asText = takeIn({ ...rest, key, value }, 4);
    assertEquals(asText, takeIn({ ...rest, key: Buffer.from(key), value: Buffer.from(value) }, 4));
    assertEquals(asText.encoding, "utf8");
  }
});
