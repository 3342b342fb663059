/** The headers of a trace that are accepted. */
import { assertEquals } from "@std/assert";
import { INCOMING, isTraceparent } from "../../src/monitor/trace_headers.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const GOOD = `00-${TRACE}-${SPAN}-01`;

Deno.test("isTraceparent() is true for what W3C allows", () => {
  for (const text of [GOOD, `00-${TRACE}-${SPAN}-00`, `00-${TRACE}-${SPAN}-ff`, `01-${TRACE}-${SPAN}-01`]) {
    assertEquals(isTraceparent(text), true, text);
  }
  assertEquals(isTraceparent(`cc-${TRACE}-${SPAN}-01-what-comes-later`), true);
});

Deno.test("isTraceparent() is false for everything else", () => {
  const bad = [
    "",
    "00",
    `ff-${TRACE}-${SPAN}-01`,
    `0-${TRACE}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE.slice(1)}-${SPAN}-01`,
    `00-${TRACE}0-${SPAN}-01`,
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE}-${SPAN}-0g`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-01-`,
    `01-${TRACE}-${SPAN}-01more`,
    `01-${TRACE}-${SPAN}-01-${"x".repeat(500)}`,
    `01-${TRACE}-${SPAN}-01-\u0000`,
    ` ${GOOD}`,
    `${GOOD}\n`,
    `${GOOD}, ${GOOD}`,
  ];
  for (const text of bad) assertEquals(isTraceparent(text), false, JSON.stringify(text));
});

Deno.test("INCOMING reads the last header of a name, and ignores a malformed traceparent", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const get = (name: string, ...values: (Uint8Array | null)[]) =>
    INCOMING.get(values.map((value) => [name, value] as const), name);
  assertEquals(get("traceparent"), undefined);
  assertEquals(get("traceparent", bytes("no"), bytes(GOOD)), GOOD);
  assertEquals(get("traceparent", bytes(GOOD), bytes("no")), undefined);
  assertEquals(get("traceparent", bytes(GOOD), null), undefined);
  assertEquals(get("tracestate", bytes("a=b")), "a=b");
  assertEquals(get("tracestate", new Uint8Array([0xff])), undefined);
  assertEquals(get("baggage", bytes("x".repeat(8192)))?.length, 8192);
  assertEquals(get("baggage", bytes("x".repeat(8193))), undefined);
  assertEquals(INCOMING.keys([["a", null], ["b", bytes("c")]]), ["a", "b"]);
});
