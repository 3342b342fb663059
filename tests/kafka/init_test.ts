/** A project of `init` moves to a Kafka by `BROKER_URL` alone, with its own tasks and their permissions. */
import { assertEquals, assertMatch } from "@std/assert";
import { createProject, type NewProject } from "../support/new_project.ts";
import { brokers } from "../support/kafka/cluster.ts";
import { until } from "../support/until.ts";

const KAFKA = `kafka://${brokers.join(",")}`;

/** A name that no earlier run has used: it is the prefix of the topics. */
const createName = () => `shop-${crypto.randomUUID()}`;

async function runTask(project: NewProject, task: string, broker = KAFKA) {
  await using child = await project.start(task, broker);
  return await child.ended();
}

Deno.test("the tasks of a new project create topics, enqueue and perform on a Kafka", async () => {
  const name = createName();
  await using project = await createProject(name);
  const topics = await runTask(project, "topics");
  assertEquals(topics.stdout, [
    `${name}_default: created`,
    `${name}_dead_jobs: created`,
    `${name}_dead_jobs_handled: created`,
    `${name}_${name}_scheduled_jobs: created`,
    `${name}_${name}_workers: created`,
  ], topics.stderr.join("\n"));
  for (const task of ["worker", "dev"]) {
    await using worker = await project.start(task, KAFKA);
    await worker.line(/"event":"worker\.started"/);
    const enqueued = await runTask(project, "enqueue");
    assertEquals(enqueued.code, 0, enqueued.stderr.join("\n"));
    const position = enqueued.stdout[0]!.replace("Enqueued WelcomeJob to ", "");
    assertMatch(position, new RegExp(`^${name}_default/\\d+@\\d+$`));
    await worker.line(new RegExp(`Performed WelcomeJob from ${position} `));
    worker.signal("SIGTERM");
    if (task === "worker") assertEquals((await worker.ended()).code, 0);
  }
});

Deno.test("topics apply prints a warning for a topic that the group of another project uses", async () => {
  const name = createName();
  await using project = await createProject(name);
  await runTask(project, "topics");
  const worker = await runTask(project, "enqueue");
  assertEquals(worker.code, 0, worker.stderr.join("\n"));
  await using once = await project.start("worker", KAFKA, "--once");
  assertEquals((await once.ended()).code, 0);
  // The App's own group is not another project's.
  assertEquals((await runTask(project, "topics")).stderr.filter((line) => line.startsWith("warning: ")), []);
  const app = `${project.cwd}/app.ts`;
  await Deno.writeTextFile(app, (await Deno.readTextFile(app)).replace(`name: "${name}"`, 'name: "copied"'));
  // The search for groups has a limit of time, which a busy broker with the groups of other tests may exceed.
  const warnings = await until(async () => {
    const { code, stderr } = await runTask(project, "topics");
    assertEquals(code, 0);
    const found = stderr.filter((line) => line.startsWith("warning: "));
    return found.length > 0 ? found : null;
  }, () => "a warning");
  assertEquals(warnings.length, 1);
  assertMatch(warnings[0]!, new RegExp(`^warning: topic "${name}_default" has committed offsets of group "${name}", `));
});
