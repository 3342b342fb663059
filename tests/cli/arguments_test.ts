/** Flags that are unknown, lack a value, or have one that does not fit. */
import { EXIT } from "../../src/cli/exit_codes.ts";
import { testCommandLines } from "../support/command_lines.ts";

const HELLO = "tests/cli/apps/hello.ts";

testCommandLines([
  {
    args: ["topics", "apply", "--app", HELLO, "--timeout-ms", "2147483648"],
    code: EXIT.usage,
    stderr: /^error: Option "--timeout-ms" must be an integer from 1 to 2147483647, but it is "2147483648"$/,
  },
  {
    args: ["topics", "apply", "--app", HELLO, "--timeout-ms", "2147483647"],
    code: EXIT.ok,
    stdout: /^default: unchanged$/,
  },
  {
    args: ["worker", "--onec"],
    code: EXIT.usage,
    stderr: /^error: Unknown option "--onec" of "worker"; did you mean "--once"\?/,
  },
  { args: ["worker", "-x"], code: EXIT.usage, stderr: /^error: Unknown option "-x" of "worker"/ },
  { args: ["worker"], code: EXIT.usage, stderr: /^error: Option "--app MODULE" is missing/ },
  { args: ["worker", "--app="], code: EXIT.usage, stderr: /^error: Option "--app" needs a value: --app MODULE$/ },
  {
    args: ["worker", "--once=yes"],
    code: EXIT.usage,
    stderr: /^error: Option "--once" does not take a value, but it is "yes"$/,
  },
  {
    args: ["worker", "--app", HELLO, "--concurrency", "0"],
    code: EXIT.usage,
    stderr: /^error: Option "--concurrency" must be an integer from 1 to 2147483647, but it is "0"$/,
  },
  {
    args: ["worker", "--app", HELLO, "--concurrency=-1"],
    code: EXIT.usage,
    stderr: /^error: Option "--concurrency" must be an integer from 1 to 2147483647, but it is "-1"$/,
  },
]);
