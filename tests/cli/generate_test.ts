/** `generate` on a disk: its output, the files that it writes, and command lines that it refuses. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { EXIT } from "../../src/cli/exit_codes.ts";
import { cli } from "../support/child.ts";
import { Folder, normalizeActions, SMALL_PROJECT } from "../support/folder.ts";

Deno.test("generate job creates files, finds identical ones, and overwrites with --force only", async () => {
  await using project = await Folder.create(SMALL_PROJECT);
  const made = await project.run("generate", "job", "admin/refresh", "--queue", "low");
  assertEquals(normalizeActions(made.stdout), [
    "create jobs/admin/refresh_job.ts",
    "create jobs/admin/refresh_job_test.ts",
    "insert jobs/mod.ts",
  ]);
  assertEquals(made.code, EXIT.ok);
  const files = project.files();
  assertStringIncludes(files["jobs/mod.ts"]!, "\n  AJob,\n  AdminRefreshJob,\n");

  const again = await project.run("generate", "job", "Admin::RefreshJob", "--queue", "low");
  assertEquals(normalizeActions(again.stdout).map((line) => line.split(" ")[0]), [
    "identical",
    "identical",
    "identical",
  ]);

  const mine = `${files["jobs/admin/refresh_job.ts"]}// mine\n`;
  await Deno.writeTextFile(`${project.path}/jobs/admin/refresh_job.ts`, mine);
  await Deno.remove(`${project.path}/jobs/admin/refresh_job_test.ts`);
  const refused = await project.run("generate", "job", "admin/refresh", "--queue", "low");
  assertEquals(normalizeActions(refused.stdout).map((line) => line.split(" ")[0]), ["conflict", "create", "identical"]);
  assertEquals(refused.stderr, [
    'error: "jobs/admin/refresh_job.ts" exists and differs: nothing was written; --skip keeps existing files and writes missing ones, --force overwrites',
  ]);
  assertEquals(refused.code, EXIT.failed);
  assertEquals(project.files()["jobs/admin/refresh_job.ts"], mine);
  assertEquals(project.files()["jobs/admin/refresh_job_test.ts"], undefined);

  const forced = await project.run("generate", "job", "admin/refresh", "--queue", "low", "--force");
  assertEquals(normalizeActions(forced.stdout).map((line) => line.split(" ")[0]), ["force", "create", "identical"]);
  assertEquals(project.files(), files);
});

Deno.test("--dry-run prints every new line, and writes nothing", async () => {
  await using project = await Folder.create(SMALL_PROJECT);
  const { code, stdout } = await project.run("generate", "job", "refresh", "--queue", "low", "--dry-run");
  assertEquals(code, EXIT.ok);
  for (
    const line of [
      "create     jobs/refresh_job.ts",
      "           + export class RefreshJob extends ApplicationJob {",
      '           +   static override queue = "low";',
      '           +     queue: "low",',
      "insert     jobs/mod.ts",
      "           +   RefreshJob,",
    ]
  ) assertEquals(stdout.filter((printed) => printed === line).length, 1, line);
  assertEquals(stdout.includes("           +   AJob,"), false);
  assertEquals(stdout.at(-1), "Nothing was written (--dry-run)");
  assertEquals(project.files(), SMALL_PROJECT);

  const made = await project.run("init", "--dry-run", "shop");
  assertEquals(made.stdout.at(-1), "Nothing was written (--dry-run)");
  assertEquals(project.files(), SMALL_PROJECT);
});

/** Command lines that are refused, without writing anything. */
const REFUSED: readonly {
  readonly args: readonly string[];
  readonly code: number;
  readonly stderr: string;
  readonly files?: Readonly<Record<string, string>>;
}[] = [
  { args: [], code: EXIT.usage, stderr: '"generate" needs a kind, such as "job", and a name, but nothing is given' },
  { args: ["jbo", "x"], code: EXIT.usage, stderr: '"generate" does not have the kind "jbo"; did you mean "job"?' },
  { args: ["job"], code: EXIT.usage, stderr: '"generate job" needs one name, but none is given' },
  { args: ["job", "a", "b"], code: EXIT.usage, stderr: '"generate job" needs one name, but it is given "a" "b"' },
  { args: ["job", ""], code: EXIT.usage, stderr: "A job's name must be words of letters and digits" },
  { args: ["job", "../x"], code: EXIT.usage, stderr: "a job stays within jobs/" },
  { args: ["job", "application"], code: EXIT.usage, stderr: '"ApplicationJob" is the parent of the project\'s jobs' },
  { args: ["job", "x", "--queue", "a b"], code: EXIT.usage, stderr: 'Option "--queue" must be a topic name' },
  {
    args: ["job", "x", "--queue", "q".repeat(245)],
    code: EXIT.usage,
    stderr: 'and its topic would be "shop_qqq',
    files: { ...SMALL_PROJECT, "app.ts": 'new App({ queuePrefix: "shop" });\n' },
  },
  { args: ["job", "x", "--parent", "../x"], code: EXIT.usage, stderr: "A job's name must be" },
  { args: ["job", "x", "--parent", "XJob"], code: EXIT.usage, stderr: '"XJob" cannot be its own parent' },
  {
    args: ["job", "x", "--parent", "admin/base"],
    code: EXIT.failed,
    stderr: 'Cannot extend "Admin::BaseJob": there is no "jobs/admin/base_job.ts", generate it first',
  },
  {
    args: ["job", "x"],
    code: EXIT.failed,
    stderr: 'Cannot extend "ApplicationJob": "jobs/application_job.ts" has no class "ApplicationJob"',
    files: { ...SMALL_PROJECT, "jobs/application_job.ts": "export class Base {}\n" },
  },
  {
    args: ["job", "x", "--queue", "dead"],
    code: EXIT.failed,
    stderr: 'Cannot use the queue "dead": app.ts has it as a dead letter topic',
    files: { ...SMALL_PROJECT, "app.ts": 'const deadLetterQueue = { topic: "dead" };\n' },
  },
  {
    args: ["job", "x"],
    code: EXIT.failed,
    stderr: 'There is no "app.ts" here: go to the project\'s folder, or create a project with "init"',
    files: { "main.ts": "" },
  },
  {
    args: ["job", "x"],
    code: EXIT.failed,
    stderr:
      'Add this by hand, then run it again: import { XJob } from "./x_job.ts"; and the entry XJob in the App\'s jobs',
    files: { ...SMALL_PROJECT, "jobs/mod.ts": "export const jobs = load();\n" },
  },
  {
    args: ["job", "x"],
    code: EXIT.failed,
    stderr: 'Cannot read "jobs/mod.ts"',
    files: { "app.ts": "", "jobs/application_job.ts": SMALL_PROJECT["jobs/application_job.ts"]!, "jobs/mod.ts/x": "" },
  },
];

for (const { args, code, stderr, files = SMALL_PROJECT } of REFUSED) {
  Deno.test(`"generate ${args.join(" ")}" is refused: ${stderr}`, async () => {
    await using project = await Folder.create(files);
    const before = project.files();
    const ended = await project.run("generate", ...args);
    assertStringIncludes(ended.stderr[0] ?? "", stderr);
    assertEquals(ended.code, code);
    assertEquals(ended.stdout, []);
    assertEquals(project.files(), before);
  });
}

Deno.test("notes name the lines that an App must add if init did not create it", async () => {
  await using project = await Folder.create({ ...SMALL_PROJECT, "app.ts": "export const app = 1;\n" });
  const { code, stdout } = await project.run("generate", "job", "x", "--queue", "low", "--parent", "Job");
  assertEquals(code, EXIT.ok);
  assertEquals(stdout.filter((line) => line.startsWith("note: ")), [
    "note: app.ts does not import jobs/mod.ts: add the new job to its jobs",
    'note: app.ts does not name the queue "low": add activeJobTopic("low") to its topics',
  ]);
  assertStringIncludes(project.files()["jobs/x_job.ts"]!, 'import { Job } from "@activejob/kafka";');
});

Deno.test("generate has a help page with flags and examples", async () => {
  const { stdout } = await cli(["generate", "job", "--help"]);
  assertMatch(
    stdout.join("\n"),
    /\nUsage:\n.* generate \[options\] job name\n[^]*\n {2}--queue NAME .*\n {2}--parent CLASS [^]*\nExamples:\n/,
  );
});
