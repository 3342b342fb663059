/**
 * The parts of `@std/assert` on which this project relies: above all, an assertion fails when it must. It runs on the
 * stand-in, and with `deno task test:jsr` on the published package.
 */
import * as std from "@std/assert";

/** Assertions that must fail. */
const FAILING: Readonly<Record<string, () => unknown>> = {
  "assert of 0": () => std.assert(0),
  "assertEquals of unequal objects": () => std.assertEquals({ a: [1] }, { a: [2] }),
  "assertEquals of a class and a plain object": () => std.assertEquals<unknown>(new URL("a:b"), {}),
  "assertEquals of unequal bytes": () => std.assertEquals(Uint8Array.of(1), Uint8Array.of(2)),
  "assertNotEquals of equal objects": () => std.assertNotEquals({ a: 1 }, { a: 1 }),
  "assertStrictEquals of two objects": () => std.assertStrictEquals({}, {}),
  "assertStringIncludes": () => std.assertStringIncludes("abc", "d"),
  "assertMatch": () => std.assertMatch("abc", /d/),
  "assertThrows of nothing": () => std.assertThrows(() => {}),
  "assertThrows of another class": () => std.assertThrows(() => JSON.parse("{"), RangeError),
  "assertThrows of another message": () => std.assertThrows(() => JSON.parse("{"), SyntaxError, "nowhere"),
  "assertRejects of nothing": () => std.assertRejects(() => Promise.resolve()),
  "assertRejects of another class": () => std.assertRejects(() => Promise.reject(new Error("x")), RangeError),
};

for (const [name, assertion] of Object.entries(FAILING)) {
  Deno.test(`${name} fails with an AssertionError`, async () => {
    let thrown: unknown;
    try {
      await assertion();
    } catch (error) {
      thrown = error;
    }
    if (!(thrown instanceof std.AssertionError)) throw new Error(`It did not: ${thrown}`);
  });
}

Deno.test("assertions that hold pass, and return the thrown error", async () => {
  std.assert("a");
  std.assertEquals({ a: [1, new Map([["b", NaN]])] }, { a: [1, new Map([["b", NaN]])] });
  std.assertNotEquals([1], [2]);
  std.assertStrictEquals(NaN, NaN);
  std.assertStringIncludes("abc", "b");
  std.assertMatch("abc", /b/);
  const error = new RangeError("too far");
  std.assertStrictEquals(
    std.assertThrows(
      () => {
        throw error;
      },
      RangeError,
      "far",
    ),
    error,
  );
  std.assertStrictEquals(await std.assertRejects(() => Promise.reject(error), Error, "too"), error);
});
