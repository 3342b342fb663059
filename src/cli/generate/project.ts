/**
 * The templates of a new project, and its plan: a configuration with tasks, an App, a job with its test, and a program that
 * enqueues it. What is there already is completed, or is a conflict.
 */
import { quoted } from "../invocation.ts";
import { libraryFolder, libraryImports } from "./library.ts";
import { mergeConfig, newConfig } from "./deno_config.ts";
import { APP, applicationJob, jobList } from "./job.ts";
import { readJobName } from "./job_name.ts";
import type { Plan, PlannedFile, Read } from "./plan.ts";
import { importOf, jobTestFile, lines, PACKAGE } from "./templates.ts";

const WELCOME = readJobName("welcome");

/**
 * The tasks of a project: each may do what it needs on the file, and no more. A worker reads its modules, which it loads by
 * name; whatever is imported plainly needs no permission. What is missing is an error, never a question.
 */
function tasks(): ProjectCommands & Readonly<Record<string, string>> {
  const modules = [".", libraryFolder()].filter((path) => path !== null).map((path) => path.replaceAll(",", ",,"));
  const database = "--allow-write=jobs.db";
  const worker = `--no-prompt --allow-env=BROKER_URL ${quoted(`--allow-read=${modules.join(",")}`)} ${database}`;
  return {
    worker: `deno run ${worker} ${PACKAGE}/cli worker --app ${APP}`,
    enqueue:
      `deno run --no-prompt --allow-env=BROKER_URL --allow-read=jobs.db,jobs.db-wal,jobs.db-shm ${database} enqueue.ts`,
    test: "deno test --allow-env=BROKER_URL",
    generate: `deno run --allow-read=. --allow-write=. ${PACKAGE}/cli generate`,
  };
}

/** How what is done in a project is started: by its task, or in full where a task of that name was there and is another. */
export type ProjectCommands = Readonly<Record<"worker" | "enqueue" | "generate", string>>;

/**
 * Plans a project.
 *
 * @param name the project's name: client id and consumer group of its App
 * @throws {CommandError} if a file that is there cannot be completed
 */
export function planProject(name: string, read: Read): Plan & { readonly commands: ProjectCommands } {
  const { file: config, notes, commands } = configuration(read);
  return {
    files: [
      config,
      ignored(read),
      ...applicationJob(read),
      { path: `jobs/${WELCOME.path}.ts`, text: welcomeJobFile() },
      { path: `jobs/${WELCOME.path}_test.ts`, text: jobTestFile(WELCOME, undefined, "42") },
      jobList(WELCOME, read),
      { path: APP, text: appFile(name) },
      { path: "enqueue.ts", text: enqueueFile() },
    ],
    notes,
    commands,
  };
}

function configuration(read: Read): { file: PlannedFile; notes: string[]; commands: ProjectCommands } {
  const path = read("deno.json") === null && read("deno.jsonc") !== null ? "deno.jsonc" : "deno.json";
  const text = read(path);
  const entries = { tasks: tasks(), imports: libraryImports() };
  const merged = text === null ? { text: newConfig(entries), kept: [] } : mergeConfig(path, text, entries);
  const command = (task: keyof ProjectCommands) =>
    merged.kept.includes(`tasks "${task}"`) ? entries.tasks[task] : `deno task ${task}`;
  return {
    file: { path, text: merged.text, inserted: text !== null },
    commands: { worker: command("worker"), enqueue: command("enqueue"), generate: command("generate") },
    notes: merged.kept.map((entry) => `${path} has ${entry} already: it is left as it is`),
  };
}

/** The log is no source. */
function ignored(read: Read): PlannedFile {
  const path = ".gitignore";
  const text = read(path) ?? "";
  const line = "jobs.db*";
  if (text.split("\n").includes(line)) return { path, text };
  return { path, text: `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}${line}\n`, inserted: true };
}

function appFile(name: string): string {
  return lines(
    `import { activeJobTopic, App } from "${PACKAGE}";`,
    'import { jobs } from "./jobs/mod.ts";',
    "",
    "// A topic for each queue that a job names.",
    'const queues = new Set(["default", ...jobs.map((job) => job.queue)]);',
    "",
    "export const app: App = new App({",
    `  name: "${name}", // client id and consumer group`,
    "  // For a Kafka, give the tasks the flags that `worker --print-permissions` prints.",
    '  broker: Deno.env.get("BROKER_URL") ?? "sqlite:jobs.db", // "kafka://localhost:9092"',
    "  jobs,",
    "  topics: Array.from(queues, (queue) => activeJobTopic(queue)),",
    '  deadLetterQueue: { topic: "dead_jobs", maxRetries: 3 },',
    "});",
  );
}

function welcomeJobFile(): string {
  return lines(
    importOf("ApplicationJob", "./application_job.ts"),
    "",
    `export class ${WELCOME.className} extends ApplicationJob {`,
    "  perform(userId: number) {",
    "    this.logger.info(`Welcome, user ${userId}`);",
    "  }",
    "}",
  );
}

function enqueueFile(): string {
  return lines(
    importOf("app", "./app.ts"),
    importOf(WELCOME.className, `./jobs/${WELCOME.path}.ts`),
    "",
    `const job = await ${WELCOME.className}.performLater(42);`,
    "const { topic, partition, offset } = await job.delivered();",
    `console.log(\`Enqueued ${WELCOME.className} to \${topic}/\${partition}@\${offset}\`);`,
    "await app.close();",
  );
}
