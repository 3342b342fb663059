/** The command line under the import map of another project, and as another copy of the library than the App's. */
import { assertEquals } from "@std/assert";
import { copyProject } from "../../tasks/copy.ts";
import { root } from "../../tasks/process.ts";
import { Child } from "../support/child.ts";

const APP = (library: string) => `
import { activeJobTopic, App, Job } from "${library}";
class HelloJob extends Job {
  perform(name: string) {
    console.log("hello " + name);
  }
}
class SadJob extends Job {
  static override queue = "sad";
  perform() {
    throw new Error("as always");
  }
}
const app = new App({
  name: "elsewhere",
  broker: "memory:",
  jobs: [HelloJob, SadJob],
  topics: [activeJobTopic("default"), activeJobTopic("sad")],
  backoff: { initialMs: 5, maxMs: 5, jitter: 0 },
});
await HelloJob.performLater("you");
if (Deno.env.has("SAD")) await SadJob.performLater();
await app.flush();
export default app;
`;

/** Creates a project of a user, in a temporary folder. */
async function project(files: Readonly<Record<string, string>>): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "activejob-kafka-" });
  for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${path}/${name}`, text);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

const MAPPED = {
  "deno.json": JSON.stringify({
    imports: {
      "@activejob/kafka": new URL("mod.ts", root).href,
      "@activejob/kafka/cli": new URL("src/cli/mod.ts", root).href,
    },
  }),
  "app file.ts": APP("@activejob/kafka"),
};

Deno.test("the command line runs from another project by its name in the import map", async () => {
  await using elsewhere = await project(MAPPED);
  await using child = new Child(["@activejob/kafka/cli", "worker", "--app", "app file.ts", "--once"], {
    cwd: elsewhere.path,
  });
  const { code, stdout, stderr } = await child.ended();
  assertEquals(code, 0, stderr.join("\n"));
  assertEquals(stdout, ["hello you"]);
});

Deno.test("the command line that is printed for a stuck partition can be run unchanged", async () => {
  await using elsewhere = await project(MAPPED);
  await using child = new Child(["@activejob/kafka/cli", "worker", "--app", "app file.ts", "--once"], {
    cwd: elsewhere.path,
    env: { SAD: "1" },
  });
  const { code, stderr } = await child.ended();
  assertEquals(code, 3);
  const remedy = "deno run -A @activejob/kafka/cli skip --app 'app file.ts' sad/0@0";
  assertEquals(stderr.at(-1), `error: 1 partition is stuck: sad/0@0 (to pass it over: ${remedy})`);
  const paused = stderr.filter((line) => line.includes("partition.paused")).map((line) => JSON.parse(line));
  assertEquals(paused.at(-1).remedy, remedy);

  const shell = new Deno.Command("sh", {
    args: ["-c", remedy.replace("deno", '"$0"'), Deno.execPath()],
    cwd: elsewhere.path,
    env: { NO_COLOR: "1", SAD: "1" },
  });
  const skipped = await shell.output();
  assertEquals(new TextDecoder().decode(skipped.stdout), "Passed over sad/0@0\n");
});

Deno.test("the command line of one copy of the library works on an App of another copy", async () => {
  await using copy = await copyProject();
  await using elsewhere = await project({ "app.ts": APP(new URL("mod.ts", root).href) });
  const main = new URL("src/cli/mod.ts", copy.url).pathname;
  const run = async (...args: string[]) => {
    await using child = new Child([main, ...args], { cwd: elsewhere.path });
    return await child.ended();
  };
  const [worked, enqueued, applied, skipped] = await Promise.all([
    run("worker", "--app", "app.ts", "--once"),
    run("enqueue", "--app", "app.ts", "HelloJob", '["them"]'),
    run("topics", "apply", "--app", "app.ts"),
    run("skip", "--app", "app.ts", "default/0@0"),
  ]);
  assertEquals(worked.stdout, ["hello you"]);
  assertEquals(enqueued.stdout, ["default/0@1"]);
  assertEquals(applied.stdout, [
    "default: unchanged",
    "sad: unchanged",
    "elsewhere_scheduled_jobs: unchanged",
    "elsewhere_workers: unchanged",
    "elsewhere_control: unchanged",
  ]);
  assertEquals(skipped.stdout, ["Passed over default/0@0"]);
  assertEquals([worked.code, enqueued.code, applied.code, skipped.code], [0, 0, 0, 0]);
});

Deno.test("the command line of one copy serves health and metrics of a worker of another copy", async () => {
  await using copy = await copyProject();
  await using elsewhere = await project({ "app.ts": APP(new URL("mod.ts", root).href) });
  const main = new URL("src/cli/mod.ts", copy.url).pathname;
  const health = ["--health-port", "0", "--health-host", "127.0.0.1"];
  await using child = new Child([main, "worker", "--app", "app.ts", ...health], { cwd: elsewhere.path });
  const url = (await child.line(/^Health on /)).replace("Health on ", "");
  await child.line(/"event":"job\.performed"/);
  const ready = await fetch(`${url}/readyz`);
  assertEquals([ready.status, await ready.text()], [200, "ok\n"]);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const performed = 'activejob_jobs_total{topic="default",job_class="HelloJob",outcome="performed"} 1';
  const lag = 'activejob_partition_lag{group="elsewhere",topic="default",partition="0"} 0';
  const lines = metrics.split("\n");
  assertEquals([performed, lag].map((line) => lines.includes(line)), [true, true], metrics);
});

Deno.test("help prints a command line that can be typed again", async () => {
  await using copy = await copyProject();
  const main = new URL("src/cli/mod.ts", copy.url).pathname;
  const started = async (module: string, cwd: string, options = ["-A"]) => {
    await using child = new Child([module, "--help"], { cwd, options });
    return (await child.ended()).stdout.find((line) => line.includes("<command>"))?.trim();
  };
  const byName = "deno run -A @activejob/kafka/cli <command> [options]";
  const byPath = `deno run -A ${main} <command> [options]`;
  const source = new URL("src/", copy.url).pathname;
  assertEquals(await started(main, source), byName);
  // The deno.json of the checkout has the name, but applies inside of the checkout only.
  assertEquals(await started(main, "/"), byPath);
  // Without the permission to read, Deno does not prompt.
  assertEquals(await started(main, source, ["--no-prompt"]), byPath);
});
