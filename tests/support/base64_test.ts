/** Base64 as in Deno. `tests/runtimes` performs a job with bytes in Node, which has other functions for it. */
import { assertEquals, assertThrows } from "@std/assert";
import { decodeBase64, encodeBase64 } from "../../src/support/base64.ts";

Deno.test("encodeBase64() and decodeBase64() are inverse, and refuse what is not Base64", () => {
  const bytes = new Uint8Array([0, 1, 250, 255]);
  assertEquals(encodeBase64(bytes), "AAH6/w==");
  assertEquals(decodeBase64("AAH6 /w=="), bytes);
  assertThrows(() => decodeBase64("AAH6*w=="));
});
