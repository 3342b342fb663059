/** The test kit in the test runner: files side by side, sanitizers on, and the output of failing tests. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { deno } from "../../tasks/process.ts";

const SUITE = "tests/testing/suite";

Deno.test("test files that share an App run side by side and leave nothing behind", async () => {
  const files = ["one", "two", "three"].map((name) => `${SUITE}/${name}.ts`);
  const { code, stdout, stderr } = await deno(["test", "--parallel", "--no-check", "--trace-leaks", ...files], {
    env: { DENO_JOBS: "3", NO_COLOR: "1" },
  });
  assertEquals(code, 0, `${stdout}${stderr}`);
  assertMatch(stdout, /ok \| 15 passed \| 0 failed/);
});

Deno.test("a failing test lists the jobs, at the line of the test", async () => {
  const { code, stdout } = await deno(["test", "--no-check", `${SUITE}/failing.ts`], { env: { NO_COLOR: "1" } });
  assertEquals(code, 1);
  const shown = [
    "error: AssertionError: 2 jobs expected, but 1 was enqueued: CountJob(7) on default\n  t.assertEnqueuedJobs(2);",
    "error: AssertionError: No job of class CountJob was enqueued with { args: [ 8 ] }; enqueued: CountJob(7) on default\n" +
    "  args[0]: 8 expected, but it is 7\n  t.assertEnqueuedWith(CountJob, { args: [8] });",
    "error: RangeError: no order 7\n    throw new RangeError(`no order ${id}`);",
    'Caused by: "BrokenJob(7) on default at attempt 1, from default/0@0"',
  ];
  for (const text of shown) assertStringIncludes(stdout, text);
});
