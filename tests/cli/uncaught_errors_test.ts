/** Errors that no job catches: rejections are reported, an error in a timer ends the process. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { EXIT } from "../../src/cli/exit_codes.ts";
import { cli } from "../support/child.ts";

Deno.test("an unhandled rejection is reported with the running job, and the worker continues", async () => {
  const { code, stdout, stderr } = await cli(["worker", "--app", "tests/cli/apps/rejection.ts", "--once"]);
  assertEquals(code, EXIT.ok, stderr.join("\n"));
  assertEquals(stdout, ["left one behind", "the next one"]);
  const errors = stderr.map((line) => JSON.parse(line)).filter(({ event }) => event === "error.occurred");
  assertEquals(errors.length, 1);
  assertEquals(errors[0].where, "unhandled rejection while 1 job still runs: CarelessJob from default/0@0");
  assertEquals(errors[0].error.message, "left behind");
});

Deno.test("an unhandled rejection of a job that has ended is reported with its origin", async () => {
  const { code, stderr } = await cli(["worker", "--app", "tests/cli/apps/ended.ts", "--once"]);
  assertEquals(code, EXIT.ok, stderr.join("\n"));
  const errors = stderr.map((line) => JSON.parse(line)).filter(({ event }) => event === "error.occurred");
  assertEquals(errors.map(({ where }) => where), ["unhandled rejection of a job that has ended, or of no job"]);
  assertStringIncludes(errors[0].error.stack, "tests/cli/apps/ended.ts");
});

Deno.test("an error in a timer ends the process, and names the jobs that it cuts off", async () => {
  const { code, stderr } = await cli(["worker", "--app", "tests/cli/apps/crash.ts"]);
  assertEquals(code, 1);
  const text = stderr.join("\n");
  assertStringIncludes(text, "Error: thrown in a timer");
  assertMatch(
    text,
    /^error: An error that no job caught ends the process while 1 job still runs: CrashJob from default\/0@0; .*: deno run -A .* skip --app tests\/cli\/apps\/crash\.ts default\/0@0$/m,
  );
});
