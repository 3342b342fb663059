/** The envelopes of the bench. */
import { assertEquals } from "@std/assert";
import { envelope, ENVELOPE_BYTES, records } from "../../bench/payload.ts";

Deno.test("envelope() has exactly so many bytes", () => {
  assertEquals([envelope(7).length, envelope(123_456, 300_000).length], [ENVELOPE_BYTES, 300_000]);
});

Deno.test("records() yields each record once, in lists that are limited in number and in bytes", () => {
  const lists = [...records({ jobs: 2500 })];
  assertEquals(lists.map((list) => list.length), [1000, 1000, 500]);
  assertEquals(
    lists.flat().map(({ value }) => JSON.parse(value).arguments[0]),
    Array.from({ length: 2500 }, (_, index) => index),
  );
  assertEquals(new Set(lists.flat().map(({ key }) => key)).size, 1000);
  assertEquals([...records({ jobs: 5, bytes: 300, listBytes: 700 })].map((list) => list.length), [2, 2, 1]);
  assertEquals([...records({ jobs: 2, bytes: 300, listBytes: 10 })].map((list) => list.length), [1, 1]);
});
