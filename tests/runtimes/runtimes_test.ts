/** The library, its test kit and its command line in Node and Bun, from a package as JSR makes it, on the embedded brokers. */
import { assertEquals, assertMatch } from "@std/assert";
import { findMissingRuntimes, otherRuntimes } from "../../tasks/runtimes.ts";
import { OtherProject, PACKED_CLI } from "../support/other_runtimes.ts";

const ignore = await findMissingRuntimes() !== null;
const project = ignore ? null : await OtherProject.create();
await project?.writePrograms("docs/node_and_bun.md", "page");
addEventListener("unload", () => project !== null && Deno.removeSync(project.folder, { recursive: true }));

/** The output of the jobs of `perform.ts`, in order. */
const VALUES = [1, 250].map((ms) => `0 ${ms} at ${new Date(ms).toISOString()} with a,${2n ** 64n}`).join(", ");

for (const { name, program } of otherRuntimes) {
  const run = (args: readonly string[], env: Record<string, string> = {}) => project!.run(program, args, { env });

  Deno.test({
    name: `${name} performs jobs on the memory broker and on SQLite`,
    ignore,
    async fn() {
      const brokers = ["memory:", `sqlite:${name}.db`];
      const { code, stdout, stderr } = await run(["tests/runtimes/programs/perform.ts", ...brokers]);
      assertEquals([code, stdout], [0, [`memory: ${VALUES}; 0 0`, `sqlite: ${VALUES}; 0 0`]], stderr.join("\n"));
    },
  });

  Deno.test({
    name: `${name} passes the conformance suite of the memory broker and of SQLite`,
    ignore,
    async fn() {
      const { code, stdout, stderr } = await run(["tests/runtimes/programs/conformance.ts", "memory", "sqlite"]);
      const counts = stdout.map((line) => line.replace(/\d+ cases/, "… cases")).sort();
      assertEquals([code, counts], [0, [
        "memory: … cases, 0 failed, 15 left out",
        "sqlite: … cases, 0 failed, 0 left out",
      ]], stderr.join("\n"));
    },
  });

  Deno.test({
    name: `${name} runs the test kit`,
    ignore,
    async fn() {
      const { code, stdout, stderr } = await run(["tests/runtimes/programs/test_kit.ts"]);
      assertEquals([code, stdout], [0, ["AssertionError", "RangeError"]], stderr.join("\n"));
    },
  });

  Deno.test({
    name: `${name} runs the test of docs/node_and_bun.md with its own runner`,
    ignore,
    async fn() {
      const runner = name === "Bun" ? "test" : "--test";
      const { code, stdout, stderr } = await run([runner, "page/welcome_job.test.ts"]);
      const output = [...stdout, ...stderr].join("\n");
      assertEquals(code, 0, output);
      assertMatch(output, /^\W*(?:pass 1|1 pass)$/m);
    },
  });

  Deno.test({
    name: `${name} runs the command line: a worker ends at TERM and at an uncaught error, web serves the dashboard`,
    ignore,
    async fn() {
      const env = { BROKER_URL: `sqlite:${name}-cli.db` };
      const app = ["--app", "tests/runtimes/programs/app.ts"];
      const cli = (...args: string[]) => run([PACKED_CLI, ...args], env);
      assertEquals((await cli("topics", "apply", ...app)).code, 0);
      assertEquals((await cli("enqueue", ...app, "HelloJob", '["Ada"]')).stdout, ["default/0@0"]);
      {
        await using worker = project!.start(program, [PACKED_CLI, "worker", ...app, "--health-port", "0"], { env });
        const url = (await worker.line(/^Health on /)).replace("Health on ", "").replace("0.0.0.0", "127.0.0.1");
        await worker.line(/^Hello, Ada$/);
        await worker.line(/Performed HelloJob/);
        assertEquals(await (await fetch(`${url}/livez`)).text(), "ok\n");
        assertMatch(await (await fetch(`${url}/metrics`)).text(), /^activejob_worker_state\{state="running"\} 1$/m);
        worker.signal("SIGTERM");
        const { code, stderr } = await worker.ended();
        assertEquals([code, stderr.some((line) => /Worker of group other-runtimes stopped/.test(line))], [0, true]);
      }
      assertEquals((await cli("enqueue", ...app, "CrashJob", "[]")).code, 0);
      const crashed = await cli("worker", ...app);
      assertEquals(crashed.code, 1);
      assertMatch(crashed.stderr.join("\n"), /An error that no job caught ends the process while .* CrashJob from /);
      assertMatch(crashed.stderr.join("\n"), /thrown in a timer/);
      {
        await using web = project!.start(program, [PACKED_CLI, "web", ...app, "--port", "0"], { env });
        const url = (await web.line(/^Dashboard on /)).replace("Dashboard on ", "");
        const response = await fetch(`${url}about`);
        assertEquals([response.status, /other-runtimes/.test(await response.text())], [200, true]);
        web.signal("SIGTERM");
        assertEquals((await web.ended()).code, 0);
      }
      const refused = await cli("init", "shop");
      assertEquals([refused.code, refused.stderr], [1, [
        'error: "init" writes files for Deno: start it with "deno run -A jsr:@activejob/kafka/cli init"',
      ]]);
      await Deno.writeTextFile(`${project!.folder}/broken.ts`, 'import "./broken_job.ts";\n');
      await Deno.writeTextFile(
        `${project!.folder}/broken_job.ts`,
        "export class X {\n  perform() { return 1 +; }\n}\n",
      );
      const [broken] = (await cli("worker", "--app", "broken.ts")).stderr;
      assertMatch(broken!, /^error: Cannot load the App from "broken\.ts": .*, at .*\/broken_job\.ts:2\b/);
      const [missing] = (await cli("worker", "--app", "nowhere.ts")).stderr;
      assertMatch(
        missing!,
        /^error: Cannot load the App: there is no module "nowhere\.ts" \(file:\/\/.*\/nowhere\.ts\)$/,
      );
    },
  });
}
