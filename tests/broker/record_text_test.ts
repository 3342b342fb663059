import { assertEquals } from "@std/assert";
import { strictTextOf, textOf } from "../../src/broker/record_text.ts";

const BYTES = new TextEncoder().encode("\ufeffčaj");
const NOT_UTF8 = Uint8Array.of(0x61, 0xff);

Deno.test("textOf() decodes bytes, and replaces those that are not UTF-8", () => {
  assertEquals([textOf("čaj"), textOf(BYTES), textOf(NOT_UTF8), textOf(null)], ["čaj", "\ufeffčaj", "a\ufffd", null]);
});

Deno.test("strictTextOf() returns null for bytes that are not UTF-8, and for more than the limit", () => {
  assertEquals([strictTextOf(BYTES, 7), strictTextOf(BYTES, 6)], ["\ufeffčaj", null]);
  assertEquals([strictTextOf("čaj", 3), strictTextOf("čaj", 2)], ["čaj", null]);
  assertEquals([strictTextOf(NOT_UTF8, 10), strictTextOf(null, 10)], [null, null]);
});
