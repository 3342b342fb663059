/** A test of a mutant that waits in vain fails, and the others run as they would without a limit. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { deno } from "../../../tasks/process.ts";

const TESTS = `
const never = () => new Promise<void>(() => {});
Deno.test("waits for nothing", never);
Deno.test("waits, and would clean up for long", async () => {
  const timer = setInterval(() => {}, 10);
  try {
    await never();
  } finally {
    clearInterval(timer);
  }
});
Deno.test({ name: "is an object", fn: async (t) => void await t.step("with a step", () => {}) });
Deno.test(function isNamedAfterItsFunction() {});
Deno.test("ends soon", () => new Promise((resolve) => setTimeout(resolve, 20)));
Deno.test("ends while timers are faked", async () => {
  const { setInterval } = globalThis;
  globalThis.setInterval = () => { throw new Error("It is faked"); };
  await new Promise((resolve) => setTimeout(resolve, 20));
  globalThis.setInterval = setInterval;
});
`;

Deno.test("limit_tests.ts fails a test that takes longer than TEST_LIMIT_MS", async () => {
  const path = await Deno.makeTempFile({ suffix: "_test.ts" });
  await Deno.writeTextFile(path, TESTS);
  const args = ["test", "-A", "--no-check", "--preload=tasks/mutation/limit_tests.ts", path];
  const { stdout } = await deno(args, { env: { TEST_LIMIT_MS: "500" } });
  await Deno.remove(path);
  const outcomes = [...stdout.matchAll(/^(\w.*) \.\.\. (ok|FAILED) \(/gm)].map(([, name, outcome]) => [name, outcome]);
  assertEquals(outcomes, [
    ["waits for nothing", "FAILED"],
    ["waits, and would clean up for long", "FAILED"],
    ["is an object", "ok"],
    ["isNamedAfterItsFunction", "ok"],
    ["ends soon", "ok"],
    ["ends while timers are faked", "ok"],
  ], stdout);
  assertStringIncludes(stdout, "error: Error: The test did not end within 500 ms");
  assertStringIncludes(stdout, "error: Promise resolution is still pending but the event loop has already resolved.");
});
