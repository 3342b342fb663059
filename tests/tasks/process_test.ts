/** Child processes of the tasks. */
import { assert, assertEquals } from "@std/assert";
import { deno } from "../../tasks/process.ts";
import { until } from "../support/until.ts";

/** A program that starts a process which never ends, and says its id. */
const PROGRAM = `
  const { pid } = new Deno.Command(Deno.execPath(), {
    args: ["eval", "setInterval(() => {}, 1000)"], stdin: "null", stdout: "null", stderr: "null",
  }).spawn();
  console.log(pid);`;

function isRunning(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return !/^State:\s*Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

Deno.test({
  name: "deno() with a process group of its own leaves no process behind, at its end and when it is ended",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const ended = await deno(["eval", `${PROGRAM} Deno.exit(0);`], { ownsGroup: true });
    const pid = Number(ended.stdout);
    assert(pid > 0, ended.stderr);
    await until(() => !isRunning(pid) || null, () => `${pid} runs`);
    const controller = new AbortController();
    const file = await Deno.makeTempFile();
    try {
      const source = `${PROGRAM.replace("console.log(pid)", `Deno.writeTextFileSync("${file}", pid + ";")`)}
        setInterval(() => {}, 1000);`;
      const running = deno(["eval", source], { ownsGroup: true, signal: controller.signal });
      const text = await until(
        () => Deno.readTextFileSync(file).endsWith(";") ? Deno.readTextFileSync(file) : null,
        () => "no process",
      );
      controller.abort();
      assertEquals((await running).code === 0, false);
      await until(() => !isRunning(parseInt(text)) || null, () => `${text} runs`);
    } finally {
      await Deno.remove(file);
    }
  },
});
