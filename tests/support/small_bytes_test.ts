/** Small arrays of bytes: each has its own bytes, zeros at first, whatever its length. */
import { assertEquals } from "@std/assert";
import { allocateBytes, copyBytes } from "../../src/support/small_bytes.ts";

Deno.test("arrays of any length have bytes of their own, and are zeros at first", () => {
  const lengths = Array.from({ length: 2000 }, (_, n) => (n * 37) % 700);
  const arrays = lengths.map((length, n) => {
    const bytes = allocateBytes(length);
    assertEquals([bytes.length, bytes.every((byte) => byte === 0)], [length, true]);
    return bytes.fill(n % 255 + 1);
  });
  arrays.forEach((bytes, n) => assertEquals(bytes.every((byte) => byte === n % 255 + 1), true));
});

Deno.test("a copy is a view into no more than 8 KiB, also of a view into much more", () => {
  const large = new Uint8Array(1_000_000).fill(7);
  const copy = copyBytes(large.subarray(10, 13));
  large.fill(8);
  assertEquals([copy, copy.buffer.byteLength], [new Uint8Array([7, 7, 7]), 8192]);
});
