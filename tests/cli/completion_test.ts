/** `completion`: its scripts in real shells. The program has the name of an installed one. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { EXIT } from "../../src/cli/exit_codes.ts";
import { Child, CLI } from "../support/child.ts";
import { testCommandLines } from "../support/command_lines.ts";
import { Folder } from "../support/folder.ts";

testCommandLines([
  { args: ["completion", "bsh"], code: EXIT.usage, stderr: /^error: .* it is "bsh"; did you mean "bash"\?$/ },
  {
    args: ["completion", "bash", "--name", "a;b"],
    code: EXIT.usage,
    stderr: /^error: Option "--name" must be the name/,
  },
  { args: ["completion", "fish", "--", "dlq", "dis"], code: EXIT.ok, stdout: /^dismiss\tdlq dismiss$/ },
]);

/** Runs a script in a shell in which `activejob` is this command line, in a folder with an `app.ts`. */
async function runIn(shell: string, script: string): Promise<string> {
  await using folder = await Folder.create({
    "app.ts": "",
    "activejob": `#!/bin/sh\nexec "${Deno.execPath()}" run -A --no-check "${CLI}" "$@"\n`,
  });
  await Deno.chmod(`${folder.path}/activejob`, 0o755);
  await using child = new Child(["-c", script], {
    program: shell,
    cwd: folder.path,
    env: { PATH: `${folder.path}:${Deno.env.get("PATH")}` },
  });
  const { code, stdout, stderr } = await child.ended();
  assertEquals([code, stderr], [0, []], stdout.join("\n"));
  return stdout.join("\n");
}

const has = (program: string) =>
  new Deno.Command("sh", { args: ["-c", `command -v ${program}`], stdout: "null" }).outputSync().success;

Deno.test({
  name: "bash completes commands, actions, options and the file of --app, and runs nothing of the typed line",
  ignore: !has("bash"),
  async fn() {
    // A shell that is not interactive has no Tab: the function that the script registers is called as bash calls it.
    const output = await runIn(
      "bash",
      `source <(activejob completion bash)
      complete_line() {
        COMP_LINE="$1" COMP_POINT="\${#1}"; shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _activejob activejob "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[COMP_CWORD - 1]}"
        echo "$COMP_LINE: \${COMPREPLY[*]}"
      }
      complete_line 'activejob dlq dismiss --d' activejob dlq dismiss --d
      complete_line 'activejob status --app ' activejob status --app ''
      complete_line 'activejob dlq $(touch made) s' activejob dlq '$(touch made)' s
      ls`,
    );
    assertEquals(output.split("\n"), [
      "activejob dlq dismiss --d: --dry-run --debug",
      "activejob status --app : app.ts",
      "activejob dlq $(touch made) s: ",
      "activejob",
      "app.ts",
    ]);
  },
});

Deno.test({
  name: "zsh completes at a Tab",
  ignore: !has("zsh"),
  async fn() {
    const output = await runIn(
      "zsh",
      // A shell that outlives its terminal takes all of a processor: it has an end of its own if this test is killed.
      `zmodload zsh/zpty; zpty shell timeout --foreground --signal KILL 120 zsh -fi
      zpty -w shell 'autoload -U compinit; compinit -D -u; source <(activejob completion zsh); echo re''ady'
      zpty -r shell seen '*ready*'
      zpty -w -n shell $'activejob dlq requ\\t'
      zpty -r shell seen '*requeue*' && zpty -w -n shell $'--dry\\t'
      zpty -r shell seen '*--dry-run*' && echo "$seen"
      zpty -d shell`,
    );
    assertMatch(output, /--dry-run/);
    assert(!output.includes("not found"), output);
  },
});
