/** The first hour of a user: an empty folder, `init`, a performed job, an edit, further jobs, and their tests. */
import { assertEquals, assertMatch } from "@std/assert";
import { deno, root } from "../../../tasks/process.ts";
import { cli } from "../../support/child.ts";
import { createProject } from "../../support/new_project.ts";

const FILE = "sqlite:jobs.db";

Deno.test("the tasks of a new project enqueue a job, and perform it in another process", async () => {
  await using project = await createProject("shop");
  await using worker = await project.start("worker", FILE);
  await worker.line(/Worker of group shop started/);
  await using enqueue = await project.start("enqueue", FILE);
  const { code, stdout, stderr } = await enqueue.ended();
  assertEquals(code, 0, stderr.join("\n"));
  assertEquals(stdout, ["Enqueued WelcomeJob to shop_default/0@0"]);
  await worker.line(/WelcomeJob from shop_default\/0@0: Welcome, user 42/);
  await worker.line(/Performed WelcomeJob from shop_default\/0@0/);
  worker.signal("SIGTERM");
  assertEquals((await worker.ended()).code, 0);
});

Deno.test("the dev task stops its worker cleanly after an edit of a job, and performs with the new code", async () => {
  await using project = await createProject("shop");
  await using dev = await project.start("dev", FILE);
  await dev.line(/Worker of group shop started/);
  const job = `${project.cwd}/jobs/welcome_job.ts`;
  await Deno.writeTextFile(job, (await Deno.readTextFile(job)).replace("Welcome, user", "Hello again, user"));
  await dev.line(/Worker of group shop stopped/);
  await dev.count(/Worker of group shop started/, 2);
  await using enqueue = await project.start("enqueue", FILE);
  assertEquals((await enqueue.ended()).stdout, ["Enqueued WelcomeJob to shop_default/0@0"]);
  await dev.line(/WelcomeJob from shop_default\/0@0: Hello again, user 42/);
  await dev.line(/Performed WelcomeJob from shop_default\/0@0/);
});

Deno.test("the tasks of a new project have permissions by name, except for the addresses of a Kafka's brokers", async () => {
  await using project = await createProject("shop");
  const { tasks } = JSON.parse(await Deno.readTextFile(`${project.cwd}/deno.json`));
  const library = decodeURIComponent(root.pathname).replace(/\/$/, "");
  const kafka = "--allow-net --allow-env=BROKER_URL";
  const file = "--allow-read=jobs.db,jobs.db-wal,jobs.db-shm --allow-write=jobs.db";
  const cliFlags = `--no-prompt ${kafka} --allow-read=.,${library} --allow-write=jobs.db @activejob/kafka/cli`;
  assertEquals(tasks, {
    dev: `deno run --watch --no-clear-screen --no-prompt ${kafka} ${file} dev.ts`,
    worker: `deno run ${cliFlags} worker --app app.ts`,
    enqueue: `deno run --no-prompt ${kafka} ${file} enqueue.ts`,
    topics: `deno run ${cliFlags} topics apply --app app.ts`,
    test: "deno test --allow-env=BROKER_URL",
    generate: "deno run --allow-read=. --allow-write=. @activejob/kafka/cli generate",
  });
});

/** Jobs with difficult names, which all work together. */
const JOBS = [
  ["admin/refresh", "--queue", "low"],
  // The same class name, and the parent's.
  ["Refresh", "--parent", "Admin::RefreshJob"],
  ["import", "--parent", "Job"],
  // With the prefix "shop_" the longest name of a topic.
  ["billing/invoices/deliver_overdue_payment_reminders_all", "--queue", "q".repeat(244)],
  ["deliver_overdue_payment_reminders_all", "--parent", "billing/invoices/deliver_overdue_payment_reminders_all"],
];

Deno.test("a new project with jobs is formatted, linted and type-checked, and its tests pass", async () => {
  await using project = await createProject("shop");
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
