/** The first hour, as a user has it: an empty folder, `init`, a job performed, jobs of one's own, and their tests. */
import { assertEquals, assertMatch } from "@std/assert";
import { deno } from "../../tasks/process.ts";
import { Child, cli } from "../child.ts";

/** A new project, in an empty folder. */
async function newProject(): Promise<{ cwd: string } & AsyncDisposable> {
  const parent = await Deno.makeTempDir({ prefix: "activejob-kafka-" });
  const { code, stderr } = await cli(["init", "shop"], { cwd: parent });
  assertEquals(code, 0, stderr.join("\n"));
  return { cwd: `${parent}/shop`, [Symbol.asyncDispose]: () => Deno.remove(parent, { recursive: true }) };
}

Deno.test("from an empty folder to a job that another process enqueued is performed, by the tasks of init", async () => {
  await using project = await newProject();
  const { tasks } = JSON.parse(await Deno.readTextFile(`${project.cwd}/deno.json`));
  // As the task has it, permissions included, without the process of the task between.
  const start = (task: string) => {
    const [deno, run, ...args] = tasks[task].split(" ");
    assertEquals([deno, run], ["deno", "run"]);
    const env = { BROKER_URL: "sqlite:jobs.db" };
    return new Child(args, { cwd: project.cwd, env, options: ["--no-prompt"] });
  };
  await using worker = start("worker");
  await worker.line(/Worker of group shop started/);
  await using enqueue = start("enqueue");
  const { code, stdout, stderr } = await enqueue.ended();
  assertEquals(code, 0, stderr.join("\n"));
  assertEquals(stdout, ["Enqueued WelcomeJob to default/0@0"]);
  await worker.line(/WelcomeJob from default\/0@0: Welcome, user 42/);
  await worker.line(/Performed WelcomeJob from default\/0@0/);
  worker.signal("SIGTERM");
  assertEquals((await worker.ended()).code, 0);
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
