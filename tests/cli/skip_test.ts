/** `skip`. */
import { EXIT } from "../../src/cli/exit_codes.ts";
import { testCommandLines } from "../support/command_lines.ts";

const HELLO = "tests/cli/apps/hello.ts";

testCommandLines([
  {
    args: ["skip", "--app", HELLO],
    code: EXIT.usage,
    stderr: /^error: "skip" needs one record, such as default\/0@41/,
  },
  { args: ["skip", "--app", HELLO, "default"], code: EXIT.usage, stderr: /but it is given "default"$/ },
  { args: ["skip", "--app", HELLO, "default/0@1e99"], code: EXIT.usage, stderr: /but it is given "default\/0@1e99"$/ },
  {
    args: ["skip", "--app", HELLO, "nope/0@1"],
    code: EXIT.failed,
    stderr: /^error: No topic declares the queue "nope"/,
  },
  { args: ["skip", "--app", HELLO, "default/0@0"], code: EXIT.ok, stdout: /^Passed over default\/0@0$/ },
  {
    args: ["skip", "--app", HELLO, "default/0@1"],
    code: EXIT.failed,
    stderr: /^error: Cannot skip default\/0@1: group "hello" is at offset 0/,
  },
]);
