/** The command line as a whole: which command runs, and the help that an error points to. */
import { assertEquals, assertMatch } from "@std/assert";
import { EXIT } from "../../src/cli/exit_codes.ts";
import { VERSION } from "../../src/support/version.ts";
import { cli } from "../support/child.ts";
import { testCommandLines } from "../support/command_lines.ts";

testCommandLines([
  { args: ["--version"], code: EXIT.ok, stdout: new RegExp(`^@activejob/kafka ${VERSION.replaceAll(".", "\\.")}$`) },
  { args: ["--help"], code: EXIT.ok, stdout: /^Background jobs on Kafka\.$/ },
  { args: ["help", "worker"], code: EXIT.ok, stdout: /^Perform jobs until stopped\.$/ },
  { args: ["enqueue", "--app", "--help"], code: EXIT.ok, stdout: /^Enqueue one job, / },
  { args: [], code: EXIT.usage, stderr: /^Background jobs on Kafka\.$/ },
  { args: ["wroker"], code: EXIT.usage, stderr: /^error: Unknown command "wroker"; did you mean "worker"\?/ },
  { args: ["help", "skipp"], code: EXIT.usage, stderr: /^error: Unknown command "skipp"; did you mean "skip"\?/ },
  { args: ["--app", "x"], code: EXIT.usage, stderr: /^error: Unknown option "--app": the command comes first$/ },
]);

Deno.test("a wrong command line points to the help of its command, if there is one", async () => {
  for (
    const [args, help] of [[["worker", "--onec"], " worker"], [["help", "wroker"], ""], [["--app", "x"], ""]] as const
  ) {
    const { stderr } = await cli(args);
    assertEquals(stderr.at(-1), `Help: deno run -A @activejob/kafka/cli${help} --help`);
  }
});

Deno.test("each command has a help page with usage, options and examples", async () => {
  for (const command of ["worker", "topics", "skip", "enqueue"]) {
    const { stdout } = await cli(["help", command]);
    const text = stdout.join("\n");
    assertMatch(text, new RegExp(`\nUsage:\n  deno run -A @activejob/kafka/cli ${command} --app MODULE \\[options\\]`));
    assertMatch(text, /\nOptions:\n {2}--app MODULE/);
    assertMatch(text, new RegExp(`\nExamples:\n  deno run -A @activejob/kafka/cli ${command} `));
  }
});
