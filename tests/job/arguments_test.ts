/** Arguments on the wire: what passes comes back as it was, what would change is refused with its path. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { PoisonError, SerializationError } from "../../src/errors.ts";
import { holdsUnsafeInteger, MAX_DEPTH, parseExactly, serialize } from "../../src/job/arguments.ts";
import { forSeeds, type Random } from "../support/random.ts";

/** Through the wire and back, as an envelope's reader does it. */
function roundTrip(value: unknown): unknown {
  const text = JSON.stringify(serialize(value, "arguments"));
  const parsed = JSON.parse(text);
  return holdsUnsafeInteger(parsed) ? parseExactly(text) : parsed;
}

function written(value: unknown): string {
  return JSON.stringify(serialize(value, "arguments"));
}

function nested(depth: number): unknown {
  let value: unknown = "core";
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
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

Deno.test("serialize() writes a bigint that a number can hold as the same integer, which is read as a number", () => {
  assertEquals(roundTrip([5n, -(2n ** 53n) + 1n]), [5, -(2 ** 53) + 1]);
});

Deno.test("parseExactly() reads integers beyond 2^53 as bigints, and leaves everything else alone", () => {
  const text =
    '[9007199254740993, 1, 1.5, 1e300, 9007199254740992.0, "9007199254740993", {"a": -18446744073709551616}]';
  assertEquals(holdsUnsafeInteger(JSON.parse(text)), true);
  assertEquals(parseExactly(text), [
    ...[9007199254740993n, 1, 1.5, 1e300, 2 ** 53, "9007199254740993"],
    { a: -18446744073709551616n },
  ]);
  assertEquals(holdsUnsafeInteger([1, 1.5, "9007199254740993", null, { a: [2 ** 53 - 1] }]), false);
});

function someValue(random: Random, depth = 0): unknown {
  const kind = random.integer(0, depth < 4 ? 7 : 5);
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
      return Array.from({ length: random.integer(0, 4) }, () => someValue(random, depth + 1));
    default: {
      const names = ["a", "__proto__", "constructor", "toString", "", "é", "_a"];
      const entries = Array.from({ length: random.integer(0, 3) }, () => [
        random.pick(names),
        someValue(random, depth + 1),
      ]);
      return Object.fromEntries(entries);
    }
  }
}

Deno.test("serialize() and parsing give back whatever can be written", () => {
  forSeeds(500, (random) => {
    const value = [someValue(random), someValue(random)];
    assertEquals(roundTrip(value), value);
  });
});

Deno.test("serialize() changes nothing of the value, and answers it itself where nothing is written otherwise", () => {
  const value = [{ a: [1, "b", null] }, 2.5];
  assert(serialize(value, "arguments") === value);
  const changed = [{ a: 1 }, { b: 2n }];
  const copy = serialize(changed, "arguments") as unknown[];
  assert(copy !== changed && copy[0] === changed[0] && copy[1] !== changed[1]);
  assertEquals(changed, [{ a: 1 }, { b: 2n }]);
});

class Money {
  readonly cents = 5;
}

Deno.test("serialize() refuses what JSON would change silently, and says where it stands", () => {
  const sparse = [1];
  sparse.length = 3;
  const circle: unknown[] = [];
  circle.push({ back: circle });
  const tree: { kids: unknown[] } = { kids: ["leaf"] };
  tree.kids.push({ parent: tree });
  const proto = { ["__proto__"]: NaN };
  const cases: [unknown, string][] = [
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
    [[{ a: { [Symbol("k")]: 1 } }], "Cannot serialize arguments[0].a: its key Symbol(k) is no text"],
    [[{ _aj_symbol_keys: [] }], 'Cannot serialize arguments[0]: its key "_aj_symbol_keys" is reserved'],
    [[{ _aj_anything: 1 }], 'its key "_aj_anything" is reserved'],
    [[{ a: undefined }], "Cannot serialize arguments[0].a: unsupported type undefined"],
    [sparse, "Cannot serialize arguments[1]: unsupported type undefined"],
    [[1, [undefined]], "arguments[1][0]: unsupported type undefined; leave it out, or pass null"],
    [circle, "Cannot serialize arguments[0].back: it is circular"],
    [[1, { a: tree }], "Cannot serialize arguments[1].a.kids[1].parent: it is circular"],
    [[1, proto], "Cannot serialize arguments[1].__proto__: JSON has no NaN"],
  ];
  for (const [value, message] of cases) assertThrows(() => serialize(value, "arguments"), SerializationError, message);
});

Deno.test("serialize() takes objects without a prototype, and with getters, for plain data", () => {
  const bare = Object.assign(Object.create(null), { a: 1 });
  const getter = Object.defineProperty({}, "a", { enumerable: true, get: () => 2n ** 64n });
  assertEquals(written([bare, getter]), '[{"a":1},{"a":18446744073709551616}]');
  const key = { ["__proto__"]: 5, big: 2n ** 64n };
  assertEquals(written([key]), '[{"__proto__":5,"big":18446744073709551616}]');
});

Deno.test("serialize() and holdsUnsafeInteger() agree about the depth, and stay on the stack beyond it", () => {
  assertEquals(roundTrip(nested(MAX_DEPTH)), nested(MAX_DEPTH));
  for (const depth of [MAX_DEPTH + 1, 100_000]) {
    assertThrows(() => serialize(nested(depth), "arguments"), SerializationError, "nested deeper than 500");
    assertThrows(() => holdsUnsafeInteger(nested(depth)), PoisonError, "nested deeper than 500");
  }
});
