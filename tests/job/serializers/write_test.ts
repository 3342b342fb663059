/**
 * Writing arguments: accepted values are read as they were written, and a value that would change is refused with its path.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Job } from "@activejob/kafka";
import { PoisonError, SerializationError } from "../../../src/errors.ts";
import { inspectJson } from "../../../src/job/serializers/read.ts";
import { MAX_DEPTH, serialize, type Session } from "../../../src/job/serializers/write.ts";
import { codec } from "../../support/codec.ts";
import { forSeeds, type Random } from "../../support/random.ts";

type Values = readonly unknown[];

class EchoJob extends Job {
  perform(..._values: unknown[]) {}
}

/** Writes a value and reads it as a worker does. */
function roundTrip(values: Values): unknown {
  return codec.readArguments(codec.read(codec.write(EchoJob.of(...values), "default")));
}

function newSession(): Session {
  return { serializers: [], isPlainOnly: false, isSerialized: false, bigints: undefined, undefineds: undefined };
}

function write(values: Values): Values {
  return serialize(values, "arguments", newSession());
}

function written(values: Values): string {
  return JSON.stringify(write(values));
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
    [1e20, "1e+20"],
    [123456789012345680000, "123456789012345680000.0"],
    [1e-6, "0.000001"],
    [-1e-7, "-0.0000001"],
    [1.5e-9, "0.0000000015"],
    [1e-10, "1e-10"],
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
  const session = newSession();
  const copy = serialize([5n, { "a/b~c": [1, 2n ** 60n, -7n] }, 5], "arguments", session);
  assertEquals(JSON.stringify(copy), '[5,{"a/b~c":[1,1152921504606846976,-7]},5]');
  assertEquals(session.bigints, ["/arguments/0", "/arguments/1/a~1b~0c/2"]);
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
  const copy = write(values);
  assertEquals(values, [{ a: 1 }, { b: 2n ** 60n, c: [-0] }]);
  assert(copy !== values && copy[0] !== values[0]);
  const frozen = Object.freeze([Object.freeze({ big: 2n ** 60n })]);
  assertEquals(written(frozen), '[{"big":1152921504606846976}]');
});

class Money {
  readonly cents = 5;
}

Deno.test("serialize() refuses values that JSON would change silently, with their path", () => {
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
    [[() => 1], "Cannot serialize arguments[0]: unsupported type, an anonymous function; pass plain data"],
    [[Money], 'Cannot serialize arguments[0]: unsupported type, the class "Money"; pass plain data'],
    [[Symbol("s")], "Cannot serialize arguments[0]: unsupported type, Symbol(s); pass plain data"],
    [[NaN], "Cannot serialize arguments[0]: JSON has no NaN"],
    [[{ a: [0, -Infinity] }], "Cannot serialize arguments[0].a[1]: JSON has no -Infinity"],
    [[new Number(1)], 'an instance of "Number"'],
    [[Promise.resolve(1)], 'an instance of "Promise"'],
    [[new Money()], 'an instance of "Money"; pass plain data'],
    [[{ toJSON: () => 1 }], "Cannot serialize arguments[0]: unsupported type, an object with a toJSON method"],
    [[{ a: { [Symbol("k")]: 1 } }], "Cannot serialize arguments[0].a: its key Symbol(k) is not a string"],
    [[{ _aj_symbol_keys: [] }], 'Cannot serialize arguments[0]: its key "_aj_symbol_keys" is reserved'],
    [
      [1, { user: { at: new Date(NaN) } }],
      "Cannot serialize arguments[1].user.at: ActiveJob::Serializers::TimeSerializer: it is an invalid Date",
    ],
    [[new (class Day extends Date {})()], 'an instance of "Day"; pass plain data, or list a serializer in the App'],
    [[Object.assign(new Date(), { note: 1 })], 'an instance of "Date"'],
    [[Object.assign(new Map(), { note: 1 })], 'an instance of "Map"'],
    [[new (class extends Map {})()], "an instance of"],
    [[new Int8Array(2)], 'an instance of "Int8Array"'],
    [[new Map([["a", { b: [() => 1] }]])], "arguments[0].entries[0][1].b[0]: unsupported type, an anonymous function"],
    [[new Set([new Money()])], 'arguments[0].values[0]: unsupported type, an instance of "Money"'],
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
    [
      [new Proxy({ at: new Date(NaN) }, {})],
      "arguments[0].at: ActiveJob::Serializers::TimeSerializer: it is an invalid Date",
    ],
    [circle, "Cannot serialize arguments[0].back[0]: it is circular"],
    [[1, { a: tree }], "Cannot serialize arguments[1].a.kids[1].parent: it is circular"],
    [[1, proto], "Cannot serialize arguments[1].__proto__: JSON has no NaN"],
  ];
  for (const [values, message] of cases) {
    assertThrows(() => write(values), SerializationError, message);
  }
});

Deno.test("serialize() finds within a moment that a value is nested too deeply, however often its parts are shared", () => {
  let tower: unknown = 1;
  for (let level = 0; level < 600; level++) tower = { a: tower, b: tower };
  assertThrows(() => write([tower]), SerializationError, "it is nested deeper than 500");
  const circle: { shared: unknown; self?: unknown } = { shared: null };
  let shared: unknown = circle;
  for (let level = 0; level < 60; level++) shared = [shared, shared];
  circle.shared = shared;
  const path = `arguments[0].shared${"[0]".repeat(60)}`;
  assertThrows(() => write([circle]), SerializationError, `${path}: it is circular`);
});

Deno.test("serialize() refuses a toJSON that was added to a built-in prototype", () => {
  for (const { prototype } of [Object, Array]) {
    Object.defineProperty(prototype, "toJSON", { value: () => "other", configurable: true });
    try {
      assertThrows(() => write([[1]]), SerializationError, "with a toJSON method");
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
      return reads++ === 0 ? 1 : () => 2;
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

Deno.test("serialize() and inspectJson() have the same limit of depth, and cause no stack overflow beyond it", () => {
  assertEquals(roundTrip(nested(MAX_DEPTH)), nested(MAX_DEPTH));
  for (const depth of [MAX_DEPTH + 1, 100_000]) {
    assertThrows(() => write(nested(depth)), SerializationError, "nested deeper than 500");
    assertThrows(() => inspectJson(nested(depth)), PoisonError, "nested deeper than 500");
  }
});
