/** The contents of the files of one job, as `deno fmt` formats them and `deno lint` accepts them. */
import { formatPathToRoot, type JobName } from "./job_name.ts";

/** The name of the package in the import map of a project. */
export const PACKAGE = "@activejob/kafka";

/** The longest line that `deno fmt` keeps, in characters. */
const LINE_WIDTH = 80;

/** The class that a job extends. */
export interface ParentClass {
  readonly className: string;
  /** Its name in the job's file. */
  readonly localName: string;
  /** The specifier of its import in the job's file. */
  readonly specifier: string;
  /** Whether it may have a `perform` itself, so that the compiler requires `override`. */
  readonly performs: boolean;
}

/** Formats an import of one name, on as many lines as `deno fmt` gives it. */
export function formatImport(name: string, specifier: string, localName: string = name): string {
  if (name === localName) return `import { ${name} } from "${specifier}";`;
  return fitLine(`import { ${name} as ${localName} } from "${specifier}";`) ??
    `import {\n${fitLine(`  ${name} as ${localName},`) ?? `  ${name}\n    as ${localName},`}\n} from "${specifier}";`;
}

/** Formats the file of a job. */
export function formatJobFile(job: JobName, parent: ParentClass, queue: string | undefined): string {
  const statics = [
    ...(job.jobName === job.className ? [] : [formatStatement("  static override jobName =", `"${job.jobName}";`)]),
    ...(queue === undefined ? [] : [formatStatement("  static override queue =", `"${queue}";`)]),
  ];
  const override = parent.performs ? "override " : "";
  return joinLines(
    formatImport(parent.className, parent.specifier, parent.localName),
    "",
    formatStatement(`export class ${job.className}`, `extends ${parent.localName} {`),
    ...statics,
    ...(statics.length === 0 ? [] : [""]),
    "  static {",
    "    // this.retryOn(RangeError, { attempts: 3, wait: { minutes: 1 } });",
    "    // this.discardOn(TypeError);",
    '    // this.beforePerform((job) => job.logger.info("Starting"));',
    "  }",
    "",
    "  // Its parameters are the arguments of performLater.",
    `  ${override}perform() {`,
    '    this.logger.info("Nothing to do yet");',
    "  }",
    "}",
  );
}

/**
 * Formats the test of a job.
 *
 * @param args the arguments of the job, as code
 */
export function formatJobTest(job: JobName, queue: string | undefined, args: string = ""): string {
  return joinLines(
    `import { TestApp } from "${PACKAGE}/testing";`,
    `import { app } from "${formatPathToRoot(job)}app.ts";`,
    formatImport(job.className, `./${job.path.split("/").at(-1)}.ts`),
    "",
    `Deno.test("${job.jobName} is enqueued and performed", async () => {`,
    "  await using test = TestApp.of(app);",
    `  await ${job.className}.performLater(${args});`,
    `  test.assertEnqueuedWith(${job.className}, {`,
    `    args: [${args}],`,
    ...(queue === undefined ? [] : [formatStatement("    queue:", `"${queue}",`)]),
    "  });",
    "  await test.performEnqueuedJobs();",
    "  test.assertPerformedJobs(1);",
    "});",
  );
}

/** Formats the file of the class that the project's jobs extend. */
export function formatApplicationJob(): string {
  return joinLines(
    formatImport("Job", PACKAGE),
    "",
    "/** The settings that all jobs of this project share. */",
    "export abstract class ApplicationJob extends Job {}",
  );
}

/** Formats `jobs/mod.ts` before the first job. */
export function formatEmptyJobList(): string {
  return joinLines(
    "// Every job of this project. `generate job` adds to it.",
    `import type { JobClass } from "${PACKAGE}";`,
    "",
    "export const jobs: JobClass[] = [",
    "];",
  );
}

/** Joins the lines of a file. */
export function joinLines(...texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join("");
}

/** Formats two parts on one line; the second one on an indented line of its own if both do not fit. */
function formatStatement(first: string, second: string): string {
  const indent = /^ */.exec(first)![0];
  return fitLine(`${first} ${second}`) ?? `${first}\n${indent}  ${second}`;
}

/** Returns the line; `null` if it is too long. */
function fitLine(line: string): string | null {
  return line.length <= LINE_WIDTH ? line : null;
}
