/** The first frame of a stack that is the user's. */
import { assertEquals, assertMatch } from "@std/assert";
import { findSyntaxError, findUserFrame } from "../../src/support/stack_trace.ts";

const LIBRARY = new URL("../../src/", import.meta.url).href;

Deno.test("findUserFrame() passes over the library, its other copies and the runtime", () => {
  const cases: [stack: unknown, frame: string | null][] = [
    [undefined, null],
    [5, null],
    ["Error: no frames", null],
    ["Error: at file:///in/the/message.ts:1:1", null],
    [`Error: x\n    at new App (${LIBRARY}app/app.ts:1:2)\n    at file:///shop/app.ts:3:4`, "file:///shop/app.ts:3:4"],
    ["Error: x\n    at async Function.f (file:///a%20b/(c).ts:3:4)", "file:///a%20b/(c).ts:3:4"],
    ["Error: x\n    at f (/shop/app.cjs:3:4)", "/shop/app.cjs:3:4"],
    ["Error: x\n    at f (C:\\shop\\app.cjs:3:4)", "C:\\shop\\app.cjs:3:4"],
    ["Error: x\n    at ext:core/01_core.js:1:2\n    at node:events:1:2\n    at <anonymous>", null],
    [
      "Error: x\n    at https://jsr.io/@activejob/kafka/0.1.0/src/app/app.ts:1:2\n    at https://shop.example/app.ts:3:4",
      "https://shop.example/app.ts:3:4",
    ],
    ["Error: x\n    at file:///shop/node_modules/@jsr/activejob__kafka/src/app/app.js:1:2", null],
  ];
  for (const [stack, frame] of cases) assertEquals(findUserFrame(stack), frame, String(stack));
  assertMatch(findUserFrame(new Error().stack)!, /\/tests\/support\/stack_trace_test\.ts:\d+:\d+$/);
});

Deno.test("findSyntaxError() finds the place where Node and Bun have it, and takes no other line for one", () => {
  const withStack = (stack: string) => Object.assign(new SyntaxError("Expression expected"), { stack });
  const position = { file: "/shop/jobs/bad.ts", line: 3, column: 40 };
  const cases: [error: object, place: string | null][] = [
    [
      withStack("file:///shop/jobs/bad.ts:3\n  return 1 +;\n  ^\n\nSyntaxError: x\n    at f (node:a:1:2)"),
      "file:///shop/jobs/bad.ts:3",
    ],
    [withStack("SyntaxError: in /shop/a.ts:3\n    at file:///shop/app.ts:3:4"), null],
    [Object.assign(new Error("x"), { stack: "/shop/a.ts:3\nError: x" }), null],
    [{ name: "BuildMessage", message: "Unexpected ;", position }, "/shop/jobs/bad.ts:3:40"],
    [{ name: "BuildMessage", message: "no place", position: null }, null],
    [{ position }, null],
  ];
  for (const [error, place] of cases) assertEquals(findSyntaxError(error), place);
});
