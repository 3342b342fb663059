/** Copying and measuring records. */
import { Buffer } from "node:buffer";
import { assertEquals } from "@std/assert";
import { copyRecord, sizeOf } from "../../src/broker/record.ts";

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
