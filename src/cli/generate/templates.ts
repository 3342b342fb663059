/** The texts of the files about one job. They are formatted as `deno fmt` formats them, and linted as `deno lint` likes. */
import { type JobName, wayUp } from "./job_name.ts";

/** The package, as the import map of a project has it. */
export const PACKAGE = "@activejob/kafka";

/** `deno fmt` breaks lines that are longer, in characters. */
const LINE_WIDTH = 80;

/** The class that a job extends. */
export interface Parent {
  readonly className: string;
  /** What it is called in the job's file. */
  readonly localName: string;
  /** Where it is imported from, seen from the job's file. */
  readonly specifier: string;
  /** Whether it may be a job of its own, whose `perform` the compiler wants overridden by name. */
  readonly performs: boolean;
}

/** An import of one name, on as many lines as `deno fmt` gives it. */
export function importOf(name: string, specifier: string, localName: string = name): string {
  if (name === localName) return `import { ${name} } from "${specifier}";`;
  return short(`import { ${name} as ${localName} } from "${specifier}";`) ??
    `import {\n${short(`  ${name} as ${localName},`) ?? `  ${name}\n    as ${localName},`}\n} from "${specifier}";`;
}

/** A job. */
export function jobFile(job: JobName, parent: Parent, queue: string | undefined): string {
  const statics = [
    ...(job.jobName === job.className ? [] : [statement("  static override jobName =", `"${job.jobName}";`)]),
    ...(queue === undefined ? [] : [statement("  static override queue =", `"${queue}";`)]),
  ];
  const override = parent.performs ? "override " : "";
  return lines(
    importOf(parent.className, parent.specifier, parent.localName),
    "",
    statement(`export class ${job.className}`, `extends ${parent.localName} {`),
    ...statics,
    ...(statics.length === 0 ? [] : [""]),
    "  // Its parameters are the arguments of performLater.",
    `  ${override}perform() {`,
    '    this.logger.info("Nothing to do yet");',
    "  }",
    "}",
  );
}

/**
 * The test of a job.
 *
 * @param args what the job is enqueued with, as code
 */
export function jobTestFile(job: JobName, queue: string | undefined, args: string = ""): string {
  return lines(
    `import { TestApp } from "${PACKAGE}/testing";`,
    `import { app } from "${wayUp(job)}app.ts";`,
    importOf(job.className, `./${job.path.split("/").at(-1)}.ts`),
    "",
    `Deno.test("${job.jobName} is enqueued and performed", async () => {`,
    "  await using test = TestApp.of(app);",
    `  await ${job.className}.performLater(${args});`,
    `  test.assertEnqueuedWith(${job.className}, {`,
    `    args: [${args}],`,
    ...(queue === undefined ? [] : [statement("    queue:", `"${queue}",`)]),
    "  });",
    "  await test.performEnqueuedJobs();",
    "  test.assertPerformedJobs(1);",
    "});",
  );
}

/** The class that the project's jobs extend. */
export function applicationJobFile(): string {
  return lines(
    importOf("Job", PACKAGE),
    "",
    "/** What all jobs of this project have in common. */",
    "export abstract class ApplicationJob extends Job {}",
  );
}

/** `jobs/mod.ts` before the first job. */
export function emptyJobList(): string {
  return lines(
    "// Every job of this project. `generate job` adds to it.",
    `import type { JobClass } from "${PACKAGE}";`,
    "",
    "export const jobs: JobClass[] = [",
    "];",
  );
}

/** The lines of a file. */
export function lines(...texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join("");
}

/** Two halves on one line, or the second one on a line of its own, further in. */
function statement(first: string, second: string): string {
  const indent = /^ */.exec(first)![0];
  return short(`${first} ${second}`) ?? `${first}\n${indent}  ${second}`;
}

function short(line: string): string | null {
  return line.length <= LINE_WIDTH ? line : null;
}
