/** The bounded copy of details: nothing that a job can give is lost in silence, and nothing makes the copy throw. */
import { assert, assertEquals } from "@std/assert";
import { toPlainData } from "../../src/monitor/plain_data.ts";

/** The copy, as it is read back from a line. */
const copied = (value: unknown) => JSON.parse(JSON.stringify({ value: toPlainData(value) })).value;

Deno.test("toPlainData() copies plain data as it is", () => {
  const plain = { text: "a", n: -0.5, yes: true, none: null, list: [1, ["a"], { b: [] }], empty: {}, "": 1 };
  assertEquals(copied(plain), plain);
  assertEquals([copied("a"), copied(1), copied(null), toPlainData(undefined)], ["a", 1, null, undefined]);
});

Deno.test("toPlainData() copies an error with its name, message, stack, causes and properties", () => {
  const cause = new RangeError("below");
  const error = Object.assign(new TypeError("boom", { cause }), { code: "E1", response: { status: 500n } });
  const { errorClass, message, stack, ...others } = copied({ error }).error;
  assertEquals([errorClass, message, stack], ["TypeError", "boom", error.stack]);
  assertEquals(others, {
    code: "E1",
    response: { status: "500" },
    cause: { errorClass: "RangeError", message: "below", stack: cause.stack },
  });
  const { errors } = copied(new AggregateError([new Error("one"), 2], "both"));
  assertEquals([errors[0].message, errors[1]], ["one", 2]);
});

Deno.test("toPlainData() bounds the message of an error, also where a field of its class holds it", () => {
  class ResponseError extends Error {
    override message = "m".repeat(9000);
  }
  assertEquals(copied(new ResponseError()).message.length, 4000);
});

Deno.test("toPlainData() bounds an error: a long message, a deep chain of causes, a circle of them", () => {
  let error = new Error("x".repeat(1_000_000));
  for (let n = 0; n < 1000; n++) error = new Error(`${n}`, { cause: error });
  assert(JSON.stringify(copied(error)).length < 50_000);
  assert(JSON.stringify(copied(new Error("x".repeat(1_000_000)))).length < 10_000);
  const circle = new Error("circle");
  circle.cause = circle;
  assertEquals(copied(circle).message, "circle");
  assertEquals(copied(Object.assign(new Error("own"), { self: circle })).self.message, "circle");
});

Deno.test("toPlainData() copies values that JSON leaves out", () => {
  const cases: [unknown, unknown][] = [
    [new Map<unknown, unknown>([["a", 1], [{ b: 2 }, new Set([3])]]), [["a", 1], [{ b: 2 }, [3]]]],
    [new Set(["a", 1n]), ["a", "1"]],
    [2n ** 64n, "18446744073709551616"],
    [Symbol("a"), "Symbol(a)"],
    [function named() {}, "[function named]"],
    [() => {}, "[function]"],
    [class Named {}, "[function Named]"],
    [[NaN, Infinity, -Infinity], ["NaN", "Infinity", "-Infinity"]],
    [new Date(0), "1970-01-01T00:00:00.000Z"],
    [new Date(NaN), "Invalid Date"],
    [/a+/g, "/a+/g"],
    [new URL("http://a/b"), "http://a/b"],
    [new Uint8Array([1, 2]), [1, 2]],
    [new BigInt64Array([1n]), ["1"]],
    [new Float64Array([0.5, NaN]), [0.5, "NaN"]],
    [new ArrayBuffer(7), "[ArrayBuffer of 7 bytes]"],
    [new DataView(new ArrayBuffer(7)), "[DataView of 7 bytes]"],
    [[new Number(1), new String("a"), new Boolean(false)], [1, "a", false]],
    [new WeakMap(), "[WeakMap]"],
    [Promise.resolve(), "[Promise]"],
    [Object.create(null, { a: { value: 1, enumerable: true } }), { a: 1 }],
    [JSON.parse('{"__proto__":{"a":1}}'), JSON.parse('{"__proto__":{"a":1}}')],
    [{ toJSON: () => new Map([["a", 1n]]) }, [["a", "1"]]],
  ];
  for (const [value, copy] of cases) {
    assertEquals([JSON.stringify(copied(value)), JSON.stringify(copied({ value }))], [
      JSON.stringify(copy),
      JSON.stringify({ value: copy }),
    ]);
  }
});

Deno.test("toPlainData() never throws, and keeps the properties beside an unreadable one", () => {
  const circle: Record<string, unknown> = { list: [] };
  (circle.list as unknown[]).push(circle);
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const fail = () => {
    throw new Error("no");
  };
  const shared = { a: 1 };
  const hostile = {
    first: 1,
    circle,
    revoked: proxy,
    trapped: new Proxy({ a: 1 }, { ownKeys: fail }),
    throwingPrototype: new Proxy({}, { getPrototypeOf: fail }),
    toJSON: undefined,
    asJSON: { toJSON: fail },
    get getter() {
      return fail();
    },
    error: Object.defineProperties(new Error("hidden"), { message: { get: fail }, stack: { get: fail } }),
    nothing: {
      get inner() {
        throw null;
      },
    },
    named: Object.defineProperty(() => {}, "name", { get: fail }),
    shared: [shared, shared],
    last: 2,
  };
  const copy = copied(hostile);
  assertEquals([copy.first, copy.last, copy.circle, copy.getter], [
    1,
    2,
    { list: ["(circular)"] },
    "(cannot be read: no)",
  ]);
  assertEquals([copy.trapped, copy.throwingPrototype, copy.asJSON], Array(3).fill("(cannot be read: no)"));
  assertEquals([copy.revoked.startsWith("(cannot be read: "), copy.named], [true, "[function]"]);
  assertEquals([copy.shared, copy.nothing, copy.error.errorClass], [
    [{ a: 1 }, { a: 1 }],
    { inner: "(cannot be read: null)" },
    "Error",
  ]);
});

Deno.test("toPlainData() is bounded in depth, in number and in length, and notes what it leaves out", () => {
  let deep: unknown = "end";
  for (let n = 0; n < 100_000; n++) deep = [deep];
  assertEquals(JSON.stringify(copied(deep)), '[[[[[["(too deep)"]]]]]]');
  const list = copied(Array.from({ length: 1_000_000 }, (_, n) => n));
  assertEquals([list.length, list[99], list[100]], [101, 99, "(999900 more)"]);
  assertEquals(copied(new Array(1e9)).length, 101);
  assertEquals(copied(new Uint8Array(1e8)).length, 101);
  const names = copied(Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`n${n}`, n])));
  assertEquals([Object.keys(names).length, names["…"]], [101, "(900 more)"]);
  const text = copied("x".repeat(1_000_000));
  assertEquals([text.length, text.at(-1)], [8193, "…"]);
  // One object in many places, and many long strings: each within its own bound.
  let wide: unknown = "leaf";
  for (let n = 0; n < 6; n++) wide = Array(50).fill(wide);
  const texts = Object.fromEntries(Array.from({ length: 90 }, (_, n) => [`${n}`.padEnd(8000), "y".repeat(8000)]));
  const errors = Array.from({ length: 100 }, () => new Error("z".repeat(5000), { cause: new Error("z".repeat(5000)) }));
  for (const value of [wide, texts, errors]) assert(JSON.stringify(copied(value)).length < 100_000);
});
