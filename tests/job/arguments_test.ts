/**
 * Arguments on the wire: accepted values are read as they were written, and a value that would change is refused with
 * its path.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { PoisonError, SerializationError } from "../../src/errors.ts";
import { hasUnsafeInteger, MAX_DEPTH, parseExactly, restoreBigints, serialize } from "../../src/job/arguments.ts";
import { forSeeds, type Random } from "../support/random.ts";

type Values = readonly unknown[];

/** Writes a value and reads it as an envelope's reader does. */
function roundTrip(values: Values): unknown {
  const bigints: string[] = [];
  const text = JSON.stringify({ arguments: serialize(values, "arguments", bigints) });
  let parsed = JSON.parse(text);
  if (hasUnsafeInteger(parsed.arguments)) parsed = parseExactly(text);
  restoreBigints(parsed, bigints);
  return parsed.arguments;
}

function written(values: Values): string {
  return JSON.stringify(serialize(values, "arguments", []));
}

/** Returns arguments of so many levels, the list of arguments included. */
function nested(depth: number): Values {
  let value: unknown = "core";
  for (let level = 1; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return [value];
}

Deno.test("serialize() writes numbers so that each side reads the same number", () => {
  const cases: [unknown, string][] = [
    [0, "0"],
    [-0, "-0.0"],
    [1.5, "1.5"],
    [2 ** 53 - 1, "9007199254740991"],
    [2 ** 53, "9007199254740992.0"],
    [-(2 ** 60), "-1152921504606847000.0"],
    [1e20, "100000000000000000000.0"],
    [1e21, "1e+21"],
    [Number.MAX_VALUE, "1.7976931348623157e+308"],
    [5e-324, "5e-324"],
    [2n ** 53n + 1n, "9007199254740993"],
    [-(2n ** 70n), "-1180591620717411303424"],
  ];
  for (const [value, text] of cases) {
    assertEquals(written([value]), `[${text}]`);
    assertEquals(roundTrip([value]), [value]);
  }
});

Deno.test("a bigint that a number can hold stays a bigint, and is a plain integer on the wire", () => {
  const max = BigInt(Number.MAX_SAFE_INTEGER);
  for (const value of [0n, 5n, -5n, max, -max, max + 1n, -max - 1n]) {
    const nested = [value, { "a/b~c": [1, value], "~1": value }, Number(value)];
    assertEquals(roundTrip(nested), nested);
  }
  const bigints: string[] = [];
  const copy = serialize([5n, { "a/b~c": [1, 2n ** 60n, -7n] }, 5], "arguments", bigints);
  assertEquals(JSON.stringify(copy), '[5,{"a/b~c":[1,1152921504606846976,-7]},5]');
  assertEquals(bigints, ["/arguments/0", "/arguments/1/a~1b~0c/2"]);
});

Deno.test("restoreBigints() ignores pointers to anything but an integer", () => {
  const envelope = () => ({ executions: 3, arguments: [1, "2", 1.5, null, [], { a: 1 }] });
  const forged = [
    "",
    "/",
    "arguments/0",
    "/executions",
    "/arguments",
    "/arguments/1",
    "/arguments/2",
    "/arguments/length",
  ];
  const inherited = [
    "/arguments/__proto__/length",
    "/__proto__/a",
    "/arguments/4/0",
    "/arguments/5/b",
    "/arguments/5/a/b",
  ];
  for (const pointers of [null, 5, {}, "/arguments/0", [5, null, {}, ["/arguments/0"], ...forged, ...inherited]]) {
    const root = envelope();
    restoreBigints(root, pointers);
    assertEquals(root, envelope(), JSON.stringify(pointers));
  }
  const root = envelope();
  restoreBigints(root, ["/arguments/5/a", "/arguments/0", "/arguments/0"]);
  assertEquals(root.arguments as unknown[], [1n, "2", 1.5, null, [], { a: 1n }]);
});

Deno.test("parseExactly() reads integers beyond 2^53 as bigints, and leaves everything else alone", () => {
  const text =
    '[9007199254740993, 1, 1.5, 1e300, 9007199254740992.0, "9007199254740993", {"a": -18446744073709551616}]';
  assertEquals(hasUnsafeInteger(JSON.parse(text)), true);
  assertEquals(parseExactly(text), [
    ...[9007199254740993n, 1, 1.5, 1e300, 2 ** 53, "9007199254740993"],
    { a: -18446744073709551616n },
  ]);
  assertEquals(hasUnsafeInteger([1, 1.5, "9007199254740993", null, { a: [2 ** 53 - 1] }]), false);
});

function someValue(random: Random, depth = 0): unknown {
  const kind = random.integer(0, depth < 4 ? 8 : 6);
  switch (kind) {
    case 0:
      return random.pick([null, true, false]);
    case 1:
      return random.integer(-1000, 1000);
    case 2:
      return (random.next() - 0.5) * 10 ** random.integer(-30, 30);
    case 3:
      return BigInt(random.integer(1, 2 ** 31)) * 2n ** 60n * (random.chance(0.5) ? 1n : -1n);
    case 4:
      return Math.trunc(random.next() * 2 ** random.integer(1, 80));
    case 5:
      return String.fromCharCode(...Array.from({ length: random.integer(0, 5) }, () => random.integer(0, 0xffff)));
    case 6:
      return BigInt(random.integer(-(2 ** 31), 2 ** 31)) * BigInt(random.integer(0, 2 ** 21));
    case 7:
      return Array.from({ length: random.integer(0, 4) }, () => someValue(random, depth + 1));
    default: {
      const names = ["a", "__proto__", "constructor", "toString", "", "é", "_a", "a/b", "~1", "0", "length"];
      const entries = Array.from({ length: random.integer(0, 3) }, () => [
        random.pick(names),
        someValue(random, depth + 1),
      ]);
      return Object.fromEntries(entries);
    }
  }
}

Deno.test("serialize() and parsing return the value that was written", () => {
  forSeeds(500, (random) => {
    const value = [someValue(random), someValue(random)];
    assertEquals(roundTrip(value), value);
  });
});

Deno.test("serialize() leaves the values alone and returns a copy", () => {
  const values = [{ a: 1 }, { b: 2n ** 60n, c: [-0] }];
  const copy = serialize(values, "arguments", []);
  assertEquals(values, [{ a: 1 }, { b: 2n ** 60n, c: [-0] }]);
  assert(copy !== values && copy[0] !== values[0]);
  const frozen = Object.freeze([Object.freeze({ big: 2n ** 60n })]);
  assertEquals(written(frozen), '[{"big":1152921504606846976}]');
});

class Money {
  readonly cents = 5;
}

Deno.test("serialize() refuses values that JSON would change silently, with their path", () => {
  const sparse = [1];
  sparse.length = 3;
  const circle: unknown[] = [];
  circle.push({ back: circle });
  const getters = {
    get a(): number {
      throw new Error("no");
    },
  };
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  class Rows extends Array<number> {}
  const hidden = (target: object) => Object.defineProperty(target, "secret", { value: 1 });
  const calls = function (..._: unknown[]) {
    return arguments;
  };
  const tag = (strings: TemplateStringsArray) => strings;
  const tree: { kids: unknown[] } = { kids: ["leaf"] };
  tree.kids.push({ parent: tree });
  const proto = { ["__proto__"]: NaN };
  const cases: [Values, string][] = [
    [[undefined], "Cannot serialize arguments[0]: unsupported type undefined"],
    [[1, { user: { at: new Date(0) } }], 'serialize arguments[1].user.at: unsupported type, an instance of "Date"'],
    [[() => 1], "Cannot serialize arguments[0]: unsupported type the function"],
    [[Money], 'Cannot serialize arguments[0]: unsupported type the class "Money"'],
    [[Symbol("s")], "Cannot serialize arguments[0]: unsupported type Symbol(s)"],
    [[NaN], "Cannot serialize arguments[0]: JSON has no NaN"],
    [[{ a: [0, -Infinity] }], "Cannot serialize arguments[0].a[1]: JSON has no -Infinity"],
    [[new Map()], 'an instance of "Map"'],
    [[new Set()], 'an instance of "Set"'],
    [[new Uint8Array(2)], 'an instance of "Uint8Array"'],
    [[new URL("https://x.y")], 'an instance of "URL"'],
    [[/x/], 'an instance of "RegExp"'],
    [[new Number(1)], 'an instance of "Number"'],
    [[Promise.resolve(1)], 'an instance of "Promise"'],
    [[new Money()], 'an instance of "Money"; pass plain data'],
    [[{ toJSON: () => 1 }], "Cannot serialize arguments[0]: unsupported type, an object with a toJSON method"],
    [[{ a: { [Symbol("k")]: 1 } }], "Cannot serialize arguments[0].a: its key Symbol(k) is not a string"],
    [[{ _aj_symbol_keys: [] }], 'Cannot serialize arguments[0]: its key "_aj_symbol_keys" is reserved'],
    [[{ _aj_anything: 1 }], 'its key "_aj_anything" is reserved'],
    [[{ a: undefined }], "Cannot serialize arguments[0].a: unsupported type undefined"],
    [sparse, "Cannot serialize arguments[1]: unsupported type undefined"],
    [[[1, , 2]], "Cannot serialize arguments[0][1]: unsupported type undefined, a hole in the array; pass null"],
    [[Object.assign([], { length: 2 ** 31 })], "Cannot serialize arguments[0][0]: unsupported type undefined, a hole"],
    [[[Object.assign([1], { toJSON: () => "x" })]], "arguments[0][0]: unsupported type, an array with a toJSON method"],
    [
      [Object.assign([1], { extra: 1 })],
      'arguments[0]: unsupported type, an array with the property "extra"; pass a plain',
    ],
    [[/(?<y>b)/.exec("abc")], 'arguments[0]: unsupported type, an array with the property "index"'],
    [[hidden([1])], 'arguments[0]: unsupported type, an array with the property "secret"'],
    [[tag`a`], 'arguments[0]: unsupported type, an array with the property "raw"'],
    [[Object.assign([1], { [Symbol("s")]: 1 })], "an array with the property Symbol(s)"],
    [
      [{ rows: Rows.of(1, 2) }],
      'arguments[0].rows: unsupported type, an array of the class "Rows"; pass a plain array',
    ],
    [[Object.setPrototypeOf([1], null)], "arguments[0]: unsupported type, an array of the class"],
    [[Object.setPrototypeOf([1], {})], "arguments[0]: unsupported type, an array of the class"],
    [[hidden({ a: 1 })], 'arguments[0]: its property "secret" is not enumerable, and JSON would drop it'],
    [[calls(1, 2)], "arguments[0]: its key Symbol(Symbol.iterator) is not a string"],
    [[Object.create({ inherited: 1 })], 'an instance of "Object"; pass plain data'],
    [[Object.create(Object.create(null))], "an instance of"],
    [[{ a: getters }], "Cannot serialize arguments[0]: reading it failed"],
    [[1, proxy], "Cannot serialize arguments[1]: reading it failed"],
    [[new Proxy({ at: new Date(0) }, {})], 'arguments[0].at: unsupported type, an instance of "Date"'],
    [[1, [undefined]], "arguments[1][0]: unsupported type undefined; leave it out, or pass null"],
    [circle, "Cannot serialize arguments[0].back[0]: it is circular"],
    [[1, { a: tree }], "Cannot serialize arguments[1].a.kids[1].parent: it is circular"],
    [[1, proto], "Cannot serialize arguments[1].__proto__: JSON has no NaN"],
  ];
  for (const [values, message] of cases) {
    assertThrows(() => serialize(values, "arguments", []), SerializationError, message);
  }
});

Deno.test("serialize() finds within a moment that a value is nested too deeply, however often its parts are shared", () => {
  let tower: unknown = 1;
  for (let level = 0; level < 600; level++) tower = { a: tower, b: tower };
  assertThrows(() => serialize([tower], "arguments", []), SerializationError, "it is nested deeper than 500");
  const circle: { shared: unknown; self?: unknown } = { shared: null };
  let shared: unknown = circle;
  for (let level = 0; level < 60; level++) shared = [shared, shared];
  circle.shared = shared;
  const path = `arguments[0].shared${"[0]".repeat(60)}`;
  assertThrows(() => serialize([circle], "arguments", []), SerializationError, `${path}: it is circular`);
});

Deno.test("serialize() refuses a toJSON that was added to a built-in prototype", () => {
  for (const { prototype } of [Object, Array]) {
    Object.defineProperty(prototype, "toJSON", { value: () => "other", configurable: true });
    try {
      assertThrows(() => serialize([[1]], "arguments", []), SerializationError, "with a toJSON method");
    } finally {
      delete (prototype as { toJSON?: unknown }).toJSON;
    }
  }
  Object.defineProperty(BigInt.prototype, "toJSON", { value: () => "other", configurable: true });
  try {
    assertEquals(roundTrip([5n]), [5n]);
  } finally {
    delete (BigInt.prototype as { toJSON?: unknown }).toJSON;
  }
});

Deno.test("serialize() reads a getter and a proxy once: the checked value is the written value", () => {
  let reads = 0;
  const changing = {
    get a() {
      return reads++ === 0 ? 1 : new Date(0);
    },
  };
  const lists = new Proxy([1, 2], { get: (list, key) => key === "0" ? reads++ : Reflect.get(list, key) });
  assertEquals(roundTrip([changing, lists]), [{ a: 1 }, [1, 2]]);
  assertEquals(reads, 2);
});

Deno.test("serialize() keeps lone surrogates, negative zero, and data of another realm", async () => {
  const { runInNewContext } = await import("node:vm");
  const foreign = runInNewContext('({ list: [1, { a: "b" }] })');
  assertEquals(roundTrip(["\ud800", { "\udc00": "\ud83d\ude00\ud83d" }, -0, foreign]), [
    "\ud800",
    { "\udc00": "\ud83d\ude00\ud83d" },
    -0,
    { list: [1, { a: "b" }] },
  ]);
});

Deno.test("serialize() accepts objects without a prototype and with getters as plain data", () => {
  const bare = Object.assign(Object.create(null), { a: 1 });
  const getter = Object.defineProperty({}, "a", { enumerable: true, get: () => 2n ** 64n });
  assertEquals(written([bare, getter]), '[{"a":1},{"a":18446744073709551616}]');
  const key = { ["__proto__"]: 5, big: 2n ** 64n };
  assertEquals(written([key]), '[{"__proto__":5,"big":18446744073709551616}]');
});

Deno.test("serialize() and hasUnsafeInteger() have the same limit of depth, and cause no stack overflow beyond it", () => {
  assertEquals(roundTrip(nested(MAX_DEPTH)), nested(MAX_DEPTH));
  for (const depth of [MAX_DEPTH + 1, 100_000]) {
    assertThrows(() => serialize(nested(depth), "arguments", []), SerializationError, "nested deeper than 500");
    assertThrows(() => hasUnsafeInteger(nested(depth)), PoisonError, "nested deeper than 500");
  }
});
