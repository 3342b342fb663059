/** The first frame of a stack that is the user's. */
import { assertEquals, assertMatch } from "@std/assert";
import { findUserFrame } from "../../src/support/stack_trace.ts";

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
