/** Copying and measuring records. */
import { Buffer } from "node:buffer";
import { assertEquals } from "@std/assert";
import type { NewRecord } from "../../src/broker/broker.ts";
import { copyRecord, isLargerThan, sizeOf } from "../../src/broker/record.ts";

Deno.test("copyRecord() also copies the bytes of a Buffer, whose slice() shares its memory", () => {
  const bytes = Buffer.from("job");
  const record = copyRecord({ key: bytes, value: bytes, headers: [["header", bytes]] }, 0);
  bytes.fill("x");
  for (const copy of [record.key, record.value, record.headers[0]![1]]) {
    assertEquals(Buffer.from(copy!).toString(), "job");
  }
});

Deno.test("sizeOf() counts the bytes of a string, not its characters", () => {
  const record = copyRecord(
    { key: "\u00fc", value: "\u{1f600}", headers: [["name", new Uint8Array(5)], ["none", null]] },
    0,
  );
  assertEquals(sizeOf(record), 2 + 4 + 9 + 4);
  assertEquals(sizeOf({ value: "\u6f22", headers: [["\u00fc", null]] }), 3 + 2);
  assertEquals(sizeOf({ key: null, value: null }), 0);
});

Deno.test("sizeOf() returns the size in bytes, whatever the length and the characters", () => {
  for (const text of ["", "job", "\u00fc", "\u6f22", "\u{1f600}", "\ud800", "a\udc00b", "\u6f22".repeat(9000)]) {
    assertEquals(sizeOf({ value: text }), Buffer.byteLength(text), text.slice(0, 20));
  }
});

Deno.test("isLargerThan() compares the size in bytes, also where the number of characters alone does not tell", () => {
  for (const value of ["x".repeat(10), "\u6f22".repeat(10), new Uint8Array(10)]) {
    const record: NewRecord = { key: "k", value, headers: [["name", new Uint8Array(5)]] };
    const bytes = sizeOf(record);
    assertEquals([isLargerThan(record, bytes), isLargerThan(record, bytes - 1)], [false, true]);
    const bare: NewRecord = { key: "k", value };
    assertEquals([isLargerThan(bare, bytes - 9), isLargerThan(bare, bytes - 10)], [false, true]);
  }
  assertEquals(isLargerThan({ value: null }, 0), false);
});
