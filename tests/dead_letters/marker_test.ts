/** Markers: written, and read from records that any client may have written. */
import { assertEquals } from "@std/assert";
import { markerRecord, readMarker } from "../../src/dead_letters/marker.ts";

const MARKER = {
  position: { topic: "dead.jobs", partition: 3, offset: 41 },
  handling: { action: "requeued", by: "ada", at: new Date(1000) },
} as const;
const stored = { offset: 0, headers: [], timestampMs: 1 };

Deno.test("a marker that is written is read again, also from bytes", () => {
  const { key, value } = markerRecord(MARKER);
  assertEquals(key, "dead.jobs/3@41");
  assertEquals(readMarker({ ...stored, key: key!, value }), MARKER);
  const bytes = (text: unknown) => new TextEncoder().encode(text as string);
  assertEquals(readMarker({ ...stored, key: bytes(key), value: bytes(value) }), MARKER);
});

Deno.test("the name in a marker is cut", () => {
  const { key, value } = markerRecord({ ...MARKER, handling: { ...MARKER.handling, by: "x".repeat(10_000) } });
  assertEquals(readMarker({ ...stored, key: key!, value })!.handling.by.length, 255);
});

Deno.test("any other record is not a marker", () => {
  const { key, value } = markerRecord(MARKER) as { key: string; value: string };
  const forged = { action: "requeued", by: "ada", at: new Date(1000).toISOString() };
  const others = [
    [null, value],
    [key, null],
    ["dead/0", value],
    ["dead/0@-1", value],
    ["dead/0@1e3", value],
    [`dead/0@${"9".repeat(17)}`, value],
    ["/0@1", value],
    [key, "{"],
    [key, "null"],
    [key, JSON.stringify({ ...forged, action: "deleted" })],
    [key, JSON.stringify({ ...forged, by: 1 })],
    [key, JSON.stringify({ ...forged, at: 1 })],
    [key, JSON.stringify({ ...forged, at: "yesterday" })],
    [key, JSON.stringify({ ...forged, more: "x".repeat(10_000) })],
    [key, new Uint8Array([0xff])],
  ] as const;
  for (const [key, value] of others) assertEquals(readMarker({ ...stored, key, value }), null, `${key} ${value}`);
});
