/** The first hour, as a user has it: an empty folder, `init`, a job performed, jobs of one's own, and their tests. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { deno, root } from "../../tasks/process.ts";
import { Child, cli } from "../support/child.ts";

/** A new project, in an empty folder. */
async function newProject(): Promise<{ cwd: string } & AsyncDisposable> {
  const parent = await Deno.makeTempDir({ prefix: "activejob-kafka-" });
  const { code, stderr } = await cli(["init", "shop"], { cwd: parent });
  assertEquals(code, 0, stderr.join("\n"));
  return { cwd: `${parent}/shop`, [Symbol.asyncDispose]: () => Deno.remove(parent, { recursive: true }) };
}

/** Starts a task as it is written, permissions included, without the process of the task between. */
async function start(task: string, cwd: string, broker: string): Promise<Child> {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${cwd}/deno.json`));
  const [deno, run, ...args] = tasks[task].split(" ");
  assertEquals([deno, run], ["deno", "run"]);
  return new Child(args, { cwd, env: { BROKER_URL: broker }, options: [] });
}

Deno.test("from an empty folder to a job that another process enqueued is performed, by the tasks of init", async () => {
  await using project = await newProject();
  await using worker = await start("worker", project.cwd, "sqlite:jobs.db");
  await worker.line(/Worker of group shop started/);
  await using enqueue = await start("enqueue", project.cwd, "sqlite:jobs.db");
  const { code, stdout, stderr } = await enqueue.ended();
  assertEquals(code, 0, stderr.join("\n"));
  assertEquals(stdout, ["Enqueued WelcomeJob to default/0@0"]);
  await worker.line(/WelcomeJob from default\/0@0: Welcome, user 42/);
  await worker.line(/Performed WelcomeJob from default\/0@0/);
  worker.signal("SIGTERM");
  assertEquals((await worker.ended()).code, 0);
});

Deno.test("the tasks of init may do what a file needs and no more, and on a Kafka they say what is missing", async () => {
  await using project = await newProject();
  const config = await Deno.readTextFile(`${project.cwd}/deno.json`);
  // Each permission is for something by name.
  assertEquals(config.match(/(--allow-all|-A|--allow-\w+)(?=[ "])/g), null);
  const library = decodeURIComponent(root.pathname).replace(/\/$/, "");
  assertStringIncludes(config, ` --no-prompt --allow-env=BROKER_URL --allow-read=.,${library} --allow-write=jobs.db @`);
  for (const task of ["worker", "enqueue"]) {
    await using child = await start(task, project.cwd, "kafka://127.0.0.1:1");
    const { code, stderr } = await child.ended();
    assertEquals(code, 1);
    assertMatch(stderr.join("\n"), /error: .*Requires env access to "NODE_ENV", run again with the --allow-env flag/);
  }
});

/** Jobs whose names are as nasty as names can be, and which all go together. */
const JOBS = [
  ["admin/refresh", "--queue", "low"],
  // The same class name, and the parent's.
  ["Refresh", "--parent", "Admin::RefreshJob"],
  ["import", "--parent", "Job"],
  ["billing/invoices/deliver_overdue_payment_reminders_all", "--queue", "q".repeat(249)],
  ["deliver_overdue_payment_reminders_all", "--parent", "billing/invoices/deliver_overdue_payment_reminders_all"],
];

Deno.test("a new project with jobs is formatted, linted, checked, and its tests pass, as it was generated", async () => {
  await using project = await newProject();
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await deno(args, { cwd: project.cwd, env: { BROKER_URL: undefined } });
    assertEquals(code, 0, `deno ${args.join(" ")}\n${stdout}${stderr}`);
    return stdout + stderr;
  };
  await run("task", "generate", "job", "by_task");
  for (const job of JOBS) {
    const { code, stderr } = await cli(["generate", "job", ...job], project);
    assertEquals(code, 0, stderr.join("\n"));
  }
  await Promise.all([run("fmt", "--check"), run("lint"), run("check")]);
  assertMatch(await run("task", "test"), /\bok \| 7 passed \| 0 failed\b/);
});
