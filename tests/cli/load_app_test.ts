/** Modules that do not export one App, or cannot be loaded. */
import { assertEquals, assertMatch } from "@std/assert";
import { EXIT } from "../../src/cli/exit_codes.ts";
import { Child } from "../support/child.ts";
import { testCommandLines } from "../support/command_lines.ts";

testCommandLines([
  {
    args: ["worker", "--app", "tests/cli/apps/throws_undefined.ts"],
    code: EXIT.failed,
    stderr: /^error: Cannot load the App from "tests\/cli\/apps\/throws_undefined\.ts": the module threw undefined$/,
  },
  {
    args: ["worker", "--app", "nowhere.ts"],
    code: EXIT.failed,
    stderr: /^error: Cannot load the App: there is no module "nowhere\.ts" \(file:\/\/.*\/nowhere\.ts\)$/,
  },
  {
    args: ["worker", "--app", "src/support/validation.ts"],
    code: EXIT.failed,
    stderr:
      /^error: Cannot find the App in "src\/support\/validation\.ts": it must export one as "app" or as its default, but /,
  },
  {
    args: ["worker", "--app", "tests/cli/apps/two.ts"],
    code: EXIT.failed,
    stderr: /^error: Cannot choose an App of "tests\/cli\/apps\/two\.ts": "app" and its default are different Apps$/,
  },
  {
    args: ["worker", "--app", "tests/cli/apps/other_name.ts"],
    code: EXIT.failed,
    stderr: /but it exports "shop" \(an App: export it as "app"\)$/,
  },
  {
    args: ["worker", "--app", "tests/cli/apps/broken.ts"],
    code: EXIT.failed,
    stderr:
      /^error: Cannot load the App from "tests\/cli\/apps\/broken\.ts": InvalidConfigurationError: Unknown option "concurency" of new App\(\); did you mean "concurrency"\?/,
  },
  {
    args: ["worker", "--app", "tests/cli/apps/not_app.ts"],
    code: EXIT.failed,
    stderr: /^error: Cannot find the App in "tests\/cli\/apps\/not_app\.ts": its "app" is not an App, but an object$/,
  },
  {
    args: ["worker", "--app", "tests/cli/apps/throws.ts"],
    code: EXIT.failed,
    stderr: /: Error: boom at load, at file:\/\/.*\/tests\/cli\/apps\/throws\.ts:2:\d+ \(--debug shows the stack\)$/,
  },
]);

Deno.test("loadApp() rejects if a top-level await does not end within the limit", async () => {
  await using child = new Child(["tests/cli/apps/load_within.ts"]);
  const { code, stdout } = await child.ended();
  assertEquals(stdout, [
    'Cannot load the App from "tests/cli/apps/never_loads.ts" within 50 ms: a top-level await does not end',
  ]);
  assertEquals(code, EXIT.failed);
});

Deno.test("a runtime that is too old is the one line that the command line prints", async () => {
  // Node 20 lacks both.
  const program = `delete JSON.rawJSON;
    delete Promise.withResolvers;
    const { main } = await import("./src/cli/mod.ts");
    Deno.exit(await main(["worker", "--app", "tests/cli/apps/refusing.ts"]));`;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), { args: ["eval", program] }).output();
  const line = /^error: This runtime is too old for @activejob\/kafka: use Deno 2\.9, .*\n$/;
  assertMatch(new TextDecoder().decode(stderr), line);
  assertEquals(code, EXIT.failed);
});
