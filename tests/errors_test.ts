/** Each thrown value can be described, as plain data and without a further throw. */
import { assert, assertEquals } from "@std/assert";
import {
  BrokerError,
  describeError,
  EnqueueError,
  type ErrorInfo,
  InvalidConfigurationError,
  isErrorOf,
  MAX_CAUSES,
  MAX_ERROR_TEXT,
  originalError,
  UnknownTopicError,
} from "../src/errors.ts";

class StrangeError extends Error {
  override name = "StrangeError";
}

function refuse(): never {
  throw new Error("no");
}

const throwing = new Proxy({}, {
  get() {
    throw new Error("no");
  },
  getPrototypeOf() {
    throw new Error("no");
  },
  has() {
    throw new Error("no");
  },
});

const revoked = Proxy.revocable({}, {});
revoked.revoke();

class Getters extends Error {}
for (const name of ["name", "message", "stack"]) {
  Object.defineProperty(Getters.prototype, name, {
    get() {
      throw new Error(name);
    },
  });
}

Deno.test("describeError() describes errors and whatever else is thrown", () => {
  const cases: [unknown, string, string][] = [
    [new TypeError("no"), "TypeError", "no"],
    [new StrangeError("odd"), "StrangeError", "odd"],
    [new Error(""), "Error", ""],
    [undefined, "undefined", ""],
    [null, "null", "null"],
    ["text", "string", "text"],
    [42, "number", "42"],
    [10n, "bigint", "10"],
    [Symbol("s"), "symbol", "Symbol(s)"],
    [{ message: "plain" }, "Object", "plain"],
    [{}, "Object", "{}"],
    [Object.create(null), "Error", "(no message)"],
    [
      { code: 404, ok: false, text: "a\nb", size: 2n, none: null },
      "Object",
      '{ code: 404, ok: false, text: "a\\nb", size: 2n, none: null }',
    ],
    [{ response: { password: "no" }, at: () => {} }, "Object", "{ response: …, at: … }"],
    [{ a: 1, b: 2, c: 3, d: 4, e: 5, f: 6 }, "Object", "{ a: 1, b: 2, c: 3, d: 4, e: 5, … }"],
    [{ text: "x".repeat(1_000_000) }, "Object", `{ text: "${"x".repeat(100)}" }`],
    [
      Object.defineProperty({ n: 1 }, "thrown", { enumerable: true, get: () => refuse() }),
      "Object",
      "{ n: 1, thrown: … }",
    ],
    [{ toString: () => "in its own words" }, "Object", "in its own words"],
    [[1, "a"], "Array", "1,a"],
    [throwing, "Error", "(no message)"],
    [revoked.proxy, "Error", "(no message)"],
    [{ name: { toString: () => "named" }, message: 5 }, "named", "5"],
    [{ name: "", message: Symbol("m") }, "Object", "Symbol(m)"],
  ];
  for (const [thrown, errorClass, message] of cases) {
    const info = describeError(thrown);
    assertEquals([info.errorClass, info.message], [errorClass, message]);
  }
});

Deno.test("describeError() accepts getters that throw and circular causes", () => {
  const getters = Object.create(Getters.prototype);
  assertEquals(describeError(getters), { errorClass: "Getters", message: "(no message)" });
  const circle = new Error("round");
  circle.cause = circle;
  assertEquals(describeError(circle).message, "round");
  assert(describeError(circle).stack?.includes("errors_test.ts"));
});

Deno.test("describeError() describes causes, without circles and to a limited depth", () => {
  const chain = ({ message, cause }: ErrorInfo): string[] => [message, ...(cause === undefined ? [] : chain(cause))];
  const root = new TypeError("away");
  assertEquals(describeError(new Error("no", { cause: root })).cause, describeError(root));
  assertEquals(chain(describeError(new Error("no", { cause: "a string" }))), ["no", "a string"]);
  for (const cause of [undefined, null]) assertEquals(chain(describeError(new Error("no", { cause }))), ["no"]);
  const [first, second] = [new Error("first"), new Error("second")];
  [first.cause, second.cause] = [second, first];
  assertEquals(chain(describeError(first)), ["first", "second"]);
  const deep = Array.from({ length: 100 }, (_, n) => n).reduce((cause, n) => new Error(`${n}`, { cause }), new Error());
  assertEquals(chain(describeError(deep)).length, 1 + MAX_CAUSES);
  const throwing = Object.defineProperty(new Error("no"), "cause", { get: () => refuse() });
  assertEquals(chain(describeError(throwing)), ["no"]);
});

Deno.test("describeError() cuts long strings, and returns plain data", () => {
  const huge = new Error("m".repeat(1_000_000));
  huge.name = "N".repeat(1_000_000);
  const info = describeError(huge);
  for (const part of [info.errorClass, info.message, info.stack!]) assertEquals(part.length, MAX_ERROR_TEXT);
  assertEquals(structuredClone(info), info);
});

Deno.test("EnqueueError has whether the job may be in the log, and its cause", () => {
  const cause = new Error("away");
  const error = new EnqueueError("Cannot enqueue", { written: "unknown", cause });
  assertEquals([error.name, error.written, error.cause], ["EnqueueError", "unknown", cause]);
});

Deno.test("originalError() returns the thrown value, by its own description only", () => {
  for (const thrown of [new StrangeError("x"), "text", undefined, throwing]) {
    const info = describeError(thrown);
    assert(Object.is(originalError(info), thrown));
    assert(originalError({ ...info }) === undefined);
  }
});

Deno.test("isErrorOf() finds the errors of another copy of the library by their classes", async () => {
  const copy = await import("../src/errors.ts?copy");
  const classes = [InvalidConfigurationError, UnknownTopicError, BrokerError];
  const others = [copy.InvalidConfigurationError, copy.UnknownTopicError, copy.BrokerError];
  assert(!(new copy.BrokerError("gone") instanceof BrokerError));
  assertEquals(
    others.map((Other) => classes.map((Class) => isErrorOf(new Other("gone"), Class))),
    [[true, false, false], [false, true, false], [false, false, true]],
  );
});
