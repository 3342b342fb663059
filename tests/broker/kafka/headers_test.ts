import { assertEquals, assertStrictEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import type { IHeaders } from "kafkajs";
import type { Headers } from "../../../src/broker/broker.ts";
import { headersFor, headersFrom } from "../../../src/broker/kafka/headers.ts";
import { NO_HEADERS } from "../../../src/broker/record.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);
const plain = (headers: Headers) => headers.map(([name, value]) => [name, value && [...value]]);

Deno.test("headersFrom() answers the one empty list for no headers", () => {
  assertStrictEquals(headersFrom({}), NO_HEADERS);
  assertStrictEquals(headersFrom(undefined), NO_HEADERS);
});

Deno.test("headersFrom() leaves out what a plain object answers by itself", () => {
  // As kafkajs decodes them: it adds to what `{}` has under that name.
  const decoded = {
    constructor: [Object, Buffer.from([1])],
    toString: [Object.prototype.toString, Buffer.from([2]), Buffer.from([3])],
    ["__proto__"]: [Object.prototype, null],
    twice: [Buffer.from([4]), null],
  } as unknown as IHeaders;
  assertEquals(plain(headersFrom(decoded)), [
    ["constructor", [1]],
    ["toString", [2]],
    ["toString", [3]],
    ["__proto__", null],
    ["twice", [4]],
    ["twice", null],
  ]);
});

Deno.test("headersFor() makes an object without a prototype, and nothing of nothing", () => {
  assertEquals(headersFor(undefined), undefined);
  assertEquals(headersFor([]), undefined);
  const object = headersFor([["constructor", bytes(1)], ["__proto__", bytes(2)], ["constructor", bytes(3)]])!;
  assertEquals(Object.getPrototypeOf(object), null);
  assertEquals(Object.keys(object), ["constructor", "__proto__"]);
  assertEquals((object["constructor"] as Buffer[]).map((value) => [...value]), [[1], [3]]);
});
