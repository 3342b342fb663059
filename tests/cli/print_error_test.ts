/** Errors as lines on standard error. */
import { assert, assertEquals } from "@std/assert";
import { cli } from "../support/child.ts";

Deno.test("--debug adds the stack of an error", async () => {
  const [plain, debug] = await Promise.all([
    cli(["worker", "--app", "tests/cli/apps/broken.ts"]),
    cli(["worker", "--app", "tests/cli/apps/broken.ts", "--debug"]),
  ]);
  assertEquals(plain.stderr.length, 1);
  assertEquals(debug.stderr[0], plain.stderr[0]);
  assert(debug.stderr.some((line) => /^ +at .*broken\.ts/.test(line)), debug.stderr.join("\n"));
});
