/** `topics apply`. */
import { EXIT } from "../../src/cli/exit_codes.ts";
import { testCommandLines } from "../support/command_lines.ts";

const HELLO = "tests/cli/apps/hello.ts";

testCommandLines([
  {
    args: ["topics", "apply", "--app", "tests/cli/apps/shared_topic.ts"],
    code: EXIT.ok,
    stdout: /^default: unchanged$/,
    stderr:
      /^warning: topic "default" has committed offsets of group "stock", and this App's group is another: [^\n]*"queuePrefix" of its own$/,
  },
  { args: ["topics"], code: EXIT.usage, stderr: /^error: "topics" needs an action, but none is given \(apply\)$/ },
  {
    args: ["topics", "list"],
    code: EXIT.usage,
    stderr: /^error: "topics" needs an action, but it is "list" \(apply\)$/,
  },
  { args: ["topics", "apply", "--app", HELLO], code: EXIT.ok, stdout: /^default: unchanged$/ },
  {
    args: ["topics", "apply", "--app", "tests/cli/apps/away.ts", "--timeout-ms", "100"],
    code: EXIT.failed,
    stderr: /^error: The broker "memory:" did not respond within 100 ms/,
  },
]);
