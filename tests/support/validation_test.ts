/** The option checks: every wrong value is named, and a key that does not exist comes with the nearest one. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { InvalidConfigurationError } from "../../src/errors.ts";
import {
  boolean,
  type Check,
  checkOptions,
  copyFrozen,
  didYouMean,
  fraction,
  integerFrom,
  milliseconds,
  nonEmptyString,
  oneOf,
  optionsOf,
  show,
  timeLimit,
  topicName,
} from "../../src/support/validation.ts";

Deno.test("checkOptions() names the key, the value and the allowed values", () => {
  const checks = { count: integerFrom(1), inner: optionsOf<{ on: boolean }>("inner", { on: boolean }) };
  const cases: [unknown, string][] = [
    [{ count: 0 }, 'Option "count" of it must be an integer from 1 up, but it is 0'],
    [{ count: "5" }, 'Option "count" of it must be an integer from 1 up, but it is "5"'],
    [{ count: 5n }, "but it is 5n"],
    [{ count: null }, "but it is null"],
    [{ count: [1] }, "but it is an array"],
    [{ count: () => 1 }, 'but it is the function "count"'],
    [{ conut: 1 }, 'Unknown option "conut" of it; did you mean "count"? (declared: "count", "inner")'],
    [{ zzzzzz: 1 }, 'Unknown option "zzzzzz" of it (declared: "count", "inner")'],
    [{ constructor: 1 }, 'Unknown option "constructor" of it'],
    [JSON.parse('{"__proto__": 1}'), 'Unknown option "__proto__" of it'],
    [{ inner: { onn: true } }, 'Unknown option "onn" of inner; did you mean "on"?'],
    [{ inner: { on: 1 } }, 'Option "on" of inner must be true or false, but it is 1'],
    [{ inner: 5 }, "The options of inner must be an object, but they are 5"],
    [undefined, "The options of it must be an object, but they are undefined"],
    [[], "The options of it must be an object, but they are an array"],
    ["x", 'The options of it must be an object, but they are "x"'],
  ];
  for (const [options, message] of cases) {
    assertThrows(
      () => checkOptions("it", options as { count: number; inner: { on: boolean } }, checks),
      InvalidConfigurationError,
      message,
    );
  }
  checkOptions("it", { count: undefined, inner: { on: true } }, checks);
});

Deno.test("each check accepts right values, and nothing else", () => {
  const long = "a".repeat(250);
  const cases: [string, Check, readonly unknown[], readonly unknown[]][] = [
    ["integerFrom(1)", integerFrom(1), [1, 2 ** 53 - 1], [0, 1.5, 2 ** 53, NaN, Infinity, "1", null, true, 1n]],
    ["milliseconds", milliseconds, [0, 2 ** 31 - 1], [-1, 0.5, 2 ** 31, NaN, "5", null]],
    ["timeLimit", timeLimit, [1, 2 ** 31 - 1], [0, -1, 2 ** 31, null]],
    ["boolean", boolean, [true, false], [0, 1, "true", null]],
    ["nonEmptyString", nonEmptyString, ["a", " "], ["", 5, null]],
    ["oneOf", oneOf("a", "b"), ["a", "b"], ["c", "", 5, null, ["a"]]],
    ["share", fraction, [0, 0.5, 1], [-0.1, 1.1, NaN, "0", null]],
    ["topicName", topicName, ["a", "A-b_c.9", "..."], ["", ".", "..", "a b", "a/b", "é", long, 5, null]],
  ];
  for (const [name, check, good, bad] of cases) {
    for (const value of good) assertEquals(check(value), null, `${name} of ${show(value)}`);
    for (const value of bad) assert(check(value) !== null, `${name} of ${show(value)}`);
  }
});

Deno.test("didYouMean() suggests the nearest word, and lists all", () => {
  assertEquals(
    didYouMean("defualt", ["default", "orders"]),
    '; did you mean "default"? (declared: "default", "orders")',
  );
  assertEquals(didYouMean("Orders", ["default", "orders"]), '; did you mean "orders"? (declared: "default", "orders")');
  assertEquals(didYouMean("mailers", ["default"]), ' (declared: "default")');
  assertEquals(didYouMean("x", []), " (none is declared)");
});

function revoked<T extends object>(target: T): T {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

Deno.test("show() quotes and cuts, calls no method of the value, and never throws", () => {
  const hostile = new Proxy({}, {
    get() {
      throw new Error("no");
    },
  });
  const cases: [unknown, string][] = [
    ["a\n\u001b[31m", '"a\\n\\u001b[31m"'],
    ["x".repeat(101), `"${"x".repeat(100)}…"`],
    [class Money {}, 'the class "Money"'],
    [5n, "5n"],
    [null, "null"],
    [undefined, "undefined"],
    [Symbol("s"), "Symbol(s)"],
    [new Date(0), 'an instance of "Date"'],
    [{}, "an object"],
    [Object.create(null), "an object"],
    [Object.create({}), "an object"],
    [new class {}(), "an object"],
    [hostile, "an object"],
    [[1], "an array"],
    [revoked({}), "an object"],
    [revoked(() => 1), "a function"],
    [
      class Long {
        static name = "x".repeat(101);
      },
      `the class "${"x".repeat(100)}…"`,
    ],
    [
      class Odd {
        static name = Symbol("s") as unknown as string;
      },
      "the class Symbol(s)",
    ],
    [Object.assign(() => 1, { toString: () => assert(false) }), "an anonymous function"],
    [class {}, "an anonymous class"],
  ];
  for (const [value, shown] of cases) assertEquals(show(value), shown);
});

Deno.test("copyFrozen() freezes a copy, with the lists and plain objects in it, and leaves everything else as it is", () => {
  class Source {
    name = "x";
  }
  const given = { list: [1], inner: { deep: 1 }, source: new Source(), fn: () => 1, text: "a" };
  const copy = copyFrozen(given);
  assertEquals(copy, given);
  assert(copy.source === given.source && copy.fn === given.fn);
  for (const part of [copy, copy.list, copy.inner]) assert(Object.isFrozen(part));
  for (const part of [given, given.list, given.inner, given.source]) assert(!Object.isFrozen(part));
});
