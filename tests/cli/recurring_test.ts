/** `recurring`: its arguments and its output. */
import { assertEquals } from "@std/assert";
import { EXIT } from "../../src/cli/exit_codes.ts";
import { formatRecurring } from "../../src/cli/recurring.ts";
import { testCommandLines } from "../support/command_lines.ts";

const APP = ["--app", "tests/cli/apps/recurring.ts"];

testCommandLines([
  { args: ["recurring", ...APP, "lst"], code: EXIT.usage, stderr: /did you mean "list"\?/ },
  { args: ["recurring", ...APP, "run"], code: EXIT.usage, stderr: /"recurring run" needs one id/ },
  {
    args: ["recurring", ...APP, "list", "--json"],
    code: EXIT.ok,
    stdout:
      /^\[\{"id":"nightly","jobClass":"NightlyJob","schedule":"0 3 \* \* \*","timeZone":"Europe\/Prague","nextAtMs":\d+,/,
  },
  {
    args: ["recurring", "--app", "tests/cli/apps/refusing.ts", "list"],
    code: EXIT.ok,
    stdout: /^$/,
    stderr: /^note: the App has no recurring jobs: list them in its option "recurring"$/,
  },
  { args: ["recurring", ...APP, "run", "nightly"], code: EXIT.ok, stdout: /^default\/0@0$/ },
  {
    args: ["recurring", ...APP, "run", "nigthly"],
    code: EXIT.failed,
    stderr: /^error: No recurring job has the id "nigthly"; did you mean "nightly"\?/,
  },
]);

Deno.test("recurring list shows columns", () => {
  const job = { jobClass: "A", timeZone: null, lastAtMs: null, lastJobId: null };
  assertEquals(
    formatRecurring([
      { ...job, id: "a", schedule: "every 5 minutes", nextAtMs: 0 },
      { ...job, id: "longer", schedule: "0 3 * * *", timeZone: "UTC", nextAtMs: 60_000, lastAtMs: 0 },
    ]),
    [
      "a       A  every 5 minutes  -    last -                         next 1970-01-01T00:00:00.000Z",
      "longer  A  0 3 * * *        UTC  last 1970-01-01T00:00:00.000Z  next 1970-01-01T00:01:00.000Z",
    ],
  );
});
