import { Buffer } from "node:buffer";
import { assertEquals } from "@std/assert";
import { utf8Length } from "../../src/support/utf8.ts";

Deno.test("utf8Length() returns the size in bytes, whatever the length and the characters", () => {
  for (const text of ["", "job", "\u00fc", "\u6f22", "\u{1f600}", "\ud800", "a\udc00b", "\u6f22".repeat(9000)]) {
    assertEquals(utf8Length(text), Buffer.byteLength(text), text.slice(0, 20));
  }
});
