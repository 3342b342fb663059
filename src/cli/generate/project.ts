/**
 * Plans a new project: a configuration with tasks, an App, a job with its test, and the programs that enqueue it and that
 * restart a worker after each edit. Existing files are completed, or are a conflict.
 */
import { formatConfig, mergeConfig } from "./deno_config.ts";
import { APP_FILE, planApplicationJob, planJobList } from "./job.ts";
import { parseJobName } from "./job_name.ts";
import { getLibraryImports } from "./library.ts";
import type { Plan, PlannedFile, Read } from "./plan.ts";
import { createTasks, type ProjectTasks } from "./tasks.ts";
import { formatImport, formatJobTest, joinLines, PACKAGE } from "./templates.ts";

const WELCOME = parseJobName("welcome");

/** The command of each task: `deno task worker`, or the whole command line if another task has that name. */
export type ProjectCommands = Readonly<Record<keyof ProjectTasks, string>>;

/**
 * Plans a project.
 *
 * @param name the project's name: client id, consumer group and prefix of the topics of its App
 * @throws {CommandError} if an existing file cannot be completed
 */
export function planProject(name: string, read: Read): Plan & { readonly commands: ProjectCommands } {
  const { file: config, notes, commands } = planConfig(read);
  return {
    files: [
      config,
      planGitignore(read),
      ...planApplicationJob(read),
      { path: `jobs/${WELCOME.path}.ts`, text: formatWelcomeJob() },
      { path: `jobs/${WELCOME.path}_test.ts`, text: formatJobTest(WELCOME, undefined, "42") },
      planJobList(WELCOME, read),
      { path: APP_FILE, text: formatAppFile(name) },
      { path: "enqueue.ts", text: formatEnqueueProgram() },
      { path: "dev.ts", text: formatDevProgram() },
    ],
    notes,
    commands,
  };
}

function planConfig(read: Read): { file: PlannedFile; notes: string[]; commands: ProjectCommands } {
  const path = read("deno.json") === null && read("deno.jsonc") !== null ? "deno.jsonc" : "deno.json";
  const text = read(path);
  const tasks = createTasks();
  const entries = { tasks: { ...tasks }, imports: getLibraryImports() };
  const merged = text === null ? { text: formatConfig(entries), kept: [] } : mergeConfig(path, text, entries);
  const commands = Object.fromEntries(
    Object.entries(tasks).map((
      [name, line],
    ) => [name, merged.kept.includes(`tasks "${name}"`) ? line : `deno task ${name}`]),
  ) as ProjectCommands;
  return {
    file: { path, text: merged.text, inserted: text !== null },
    commands,
    notes: merged.kept.map((entry) => `${path} has ${entry} already: it is left as it is`),
  };
}

/** The database must not be committed to the repository. */
function planGitignore(read: Read): PlannedFile {
  const path = ".gitignore";
  const text = read(path) ?? "";
  const line = "jobs.db*";
  if (text.split("\n").includes(line)) return { path, text };
  return { path, text: `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}${line}\n`, inserted: true };
}

function formatAppFile(name: string): string {
  return joinLines(
    `import { activeJobTopic, App } from "${PACKAGE}";`,
    'import { jobs } from "./jobs/mod.ts";',
    "",
    "// A topic for each queue that a job names.",
    'const queues = new Set(["default"]);',
    "for (const { queue } of jobs) {",
    '  if (typeof queue === "string") queues.add(queue);',
    "}",
    "",
    "export const app: App = new App({",
    `  name: "${name}", // client id and consumer group`,
    "  // Each project needs its own, so that no two on one Kafka share a topic.",
    `  queuePrefix: "${name}",`,
    '  broker: Deno.env.get("BROKER_URL") ?? "sqlite:jobs.db", // "kafka://localhost:9092"',
    "  jobs,",
    "  topics: Array.from(queues, (queue) => activeJobTopic(queue)),",
    '  deadLetterQueue: { topic: "dead_jobs", maxRetries: 3 },',
    "});",
  );
}

function formatWelcomeJob(): string {
  return joinLines(
    formatImport("ApplicationJob", "./application_job.ts"),
    "",
    `export class ${WELCOME.className} extends ApplicationJob {`,
    "  perform(userId: number) {",
    "    this.logger.info(`Welcome, user ${userId}`);",
    "  }",
    "}",
  );
}

function formatEnqueueProgram(): string {
  return joinLines(
    formatImport("app", `./${APP_FILE}`),
    formatImport(WELCOME.className, `./jobs/${WELCOME.path}.ts`),
    "",
    `const job = await ${WELCOME.className}.performLater(42);`,
    "const { topic, partition, offset } = await job.delivered();",
    `console.log(\`Enqueued ${WELCOME.className} to \${topic}/\${partition}@\${offset}\`);`,
    "await app.close();",
  );
}

/** A program of the project's own: `deno run --watch` takes a file only, and watches what it imports. */
function formatDevProgram(): string {
  return joinLines(
    "// A worker that restarts after each edit: deno task dev",
    `import { main } from "${PACKAGE}/cli";`,
    `import "./${APP_FILE}"; // so that the App and its jobs are watched`,
    "",
    `const app = import.meta.resolve("./${APP_FILE}");`,
    'Deno.exit(await main(["worker", "--app", app, ...Deno.args]));',
  );
}
