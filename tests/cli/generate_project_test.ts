/** The first hour, as a user has it: an empty folder, `init`, jobs, their tests. What is generated is as Deno wants it. */
import { assertEquals, assertMatch } from "@std/assert";
import { deno } from "../../tasks/process.ts";
import { cli } from "../child.ts";

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
  const parent = await Deno.makeTempDir({ prefix: "activejob-kafka-" });
  const cwd = `${parent}/shop`;
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await deno(args, { cwd, env: { BROKER_URL: "memory:" } });
    assertEquals(code, 0, `deno ${args.join(" ")}\n${stdout}${stderr}`);
    return stdout + stderr;
  };
  try {
    assertEquals((await cli(["init", "shop"], { cwd: parent })).code, 0);
    await run("task", "generate", "job", "by_task");
    for (const job of JOBS) assertEquals((await cli(["generate", "job", ...job], { cwd })).code, 0);
    await Promise.all([run("fmt", "--check"), run("lint"), run("check")]);
    assertMatch(await run("task", "test"), /\bok \| 7 passed \| 0 failed\b/);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
});
