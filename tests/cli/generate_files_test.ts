/** `init` and `generate` on a disk: which words they say, what they never overwrite, and where they never write. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { EXIT } from "../../src/cli/exit_codes.ts";
import { projectName } from "../../src/cli/generate/project_name.ts";
import { cli } from "../support/child.ts";

/** A project that has an App and one job. */
const SMALL = {
  "app.ts": 'import { jobs } from "./jobs/mod.ts"; // "low"\n',
  "jobs/mod.ts": 'import { AJob } from "./a_job.ts";\n\nexport const jobs = [\n  AJob,\n];\n',
  "jobs/application_job.ts": "export abstract class ApplicationJob {}\n",
};

/** A folder with files, removed when it is disposed of. */
class Folder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async of(files: Readonly<Record<string, string>>): Promise<Folder> {
    const folder = new Folder(await Deno.makeTempDir({ prefix: "activejob-kafka-" }));
    for (const [name, text] of Object.entries(files)) {
      await Deno.mkdir(`${folder.path}/${name.replace(/[^/]*$/, "")}`, { recursive: true });
      await Deno.writeTextFile(`${folder.path}/${name}`, text);
    }
    return folder;
  }

  run(...args: string[]) {
    return cli(args, { cwd: this.path });
  }

  /** Every file with its text. */
  files(under = ""): Record<string, string> {
    const found: Record<string, string> = {};
    for (const { name, isDirectory } of Deno.readDirSync(`${this.path}/${under}`)) {
      if (isDirectory) Object.assign(found, this.files(`${under}${name}/`));
      else found[`${under}${name}`] = Deno.readTextFileSync(`${this.path}/${under}${name}`);
    }
    return found;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Deno.remove(this.path, { recursive: true });
  }
}

const words = (lines: readonly string[]) => lines.map((line) => line.trim().replace(/ +/, " "));

Deno.test("generate job creates, then finds all identical, and overwrites with --force only", async () => {
  await using project = await Folder.of(SMALL);
  const made = await project.run("generate", "job", "admin/refresh", "--queue", "low");
  assertEquals(words(made.stdout), [
    "create jobs/admin/refresh_job.ts",
    "create jobs/admin/refresh_job_test.ts",
    "insert jobs/mod.ts",
  ]);
  assertEquals(made.code, EXIT.ok);
  const files = project.files();
  assertStringIncludes(files["jobs/mod.ts"]!, "\n  AJob,\n  AdminRefreshJob,\n");

  const again = await project.run("generate", "job", "Admin::RefreshJob", "--queue", "low");
  assertEquals(words(again.stdout).map((line) => line.split(" ")[0]), ["identical", "identical", "identical"]);

  const mine = `${files["jobs/admin/refresh_job.ts"]}// mine\n`;
  await Deno.writeTextFile(`${project.path}/jobs/admin/refresh_job.ts`, mine);
  await Deno.remove(`${project.path}/jobs/admin/refresh_job_test.ts`);
  const refused = await project.run("generate", "job", "admin/refresh", "--queue", "low");
  assertEquals(words(refused.stdout).map((line) => line.split(" ")[0]), ["conflict", "create", "identical"]);
  assertEquals(refused.stderr, [
    'error: "jobs/admin/refresh_job.ts" is there and differs: nothing was written; --skip keeps what is there and writes what is missing, --force overwrites',
  ]);
  assertEquals(refused.code, EXIT.failed);
  assertEquals(project.files()["jobs/admin/refresh_job.ts"], mine);
  assertEquals(project.files()["jobs/admin/refresh_job_test.ts"], undefined);

  const forced = await project.run("generate", "job", "admin/refresh", "--queue", "low", "--force");
  assertEquals(words(forced.stdout).map((line) => line.split(" ")[0]), ["force", "create", "identical"]);
  assertEquals(project.files(), files);
});

Deno.test("--dry-run shows every line that would be written, and writes nothing", async () => {
  await using project = await Folder.of(SMALL);
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
  assertEquals(project.files(), SMALL);

  const made = await project.run("init", "--dry-run", "shop");
  assertEquals(made.stdout.at(-1), "Nothing was written (--dry-run)");
  assertEquals(project.files(), SMALL);
});

/** What is refused, and why. Nothing is written then. */
const REFUSED: readonly {
  readonly args: readonly string[];
  readonly code: number;
  readonly stderr: string;
  readonly files?: Readonly<Record<string, string>>;
}[] = [
  { args: [], code: EXIT.usage, stderr: '"generate" can make a "job", but it is not said what to make' },
  { args: ["jbo", "x"], code: EXIT.usage, stderr: '"generate" cannot make a "jbo"; did you mean "job"?' },
  { args: ["job"], code: EXIT.usage, stderr: '"generate job" needs one name, but none is given' },
  { args: ["job", "a", "b"], code: EXIT.usage, stderr: '"generate job" needs one name, but it is given "a" "b"' },
  { args: ["job", ""], code: EXIT.usage, stderr: "A job's name must be words of letters and digits" },
  { args: ["job", "../x"], code: EXIT.usage, stderr: "a job stays within jobs/" },
  { args: ["job", "application"], code: EXIT.usage, stderr: '"ApplicationJob" is the parent of the project\'s jobs' },
  { args: ["job", "x", "--queue", "a b"], code: EXIT.usage, stderr: 'Option "--queue" must be a topic name' },
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
    files: { ...SMALL, "jobs/application_job.ts": "export class Base {}\n" },
  },
  {
    args: ["job", "x", "--queue", "dead"],
    code: EXIT.failed,
    stderr: 'Cannot use the queue "dead": app.ts has it as a dead letter topic',
    files: { ...SMALL, "app.ts": 'const deadLetterQueue = { topic: "dead" };\n' },
  },
  {
    args: ["job", "x"],
    code: EXIT.failed,
    stderr: 'There is no "app.ts" here: go to the project\'s folder, or make a project with "init"',
    files: { "main.ts": "" },
  },
  {
    args: ["job", "x"],
    code: EXIT.failed,
    stderr: 'Add by hand, then run it again: import { XJob } from "./x_job.ts"; and the entry XJob in the App\'s jobs',
    files: { ...SMALL, "jobs/mod.ts": "export const jobs = load();\n" },
  },
  {
    args: ["job", "x"],
    code: EXIT.failed,
    stderr: 'Cannot read "jobs/mod.ts"',
    files: { "app.ts": "", "jobs/application_job.ts": SMALL["jobs/application_job.ts"], "jobs/mod.ts/x": "" },
  },
];

for (const { args, code, stderr, files = SMALL } of REFUSED) {
  Deno.test(`"generate ${args.join(" ")}" is refused: ${stderr}`, async () => {
    await using project = await Folder.of(files);
    const before = project.files();
    const ended = await project.run("generate", ...args);
    assertStringIncludes(ended.stderr[0] ?? "", stderr);
    assertEquals(ended.code, code);
    assertEquals(ended.stdout, []);
    assertEquals(project.files(), before);
  });
}

Deno.test({
  name: "nothing is written through a link that leads out of the project",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using outside = await Folder.of({ "kept.ts": "" });
    await using project = await Folder.of(SMALL);
    await Deno.symlink(outside.path, `${project.path}/jobs/admin`);
    const refused = await project.run("generate", "job", "admin/refresh");
    assertMatch(refused.stderr[0]!, /^error: "jobs\/admin\/refresh_job\.ts" leads out of the project, to "/);
    // A link to nothing would be written through as well.
    await Deno.symlink(`${outside.path}/new.ts`, `${project.path}/jobs/x_job.ts`);
    const dangling = await project.run("generate", "job", "x", "--force");
    assertMatch(dangling.stderr[0]!, /^error: "jobs\/x_job\.ts" is a link that leads nowhere$/);
    assertEquals([refused.code, dangling.code], [EXIT.failed, EXIT.failed]);
    assertEquals(outside.files(), { "kept.ts": "" });
  },
});

Deno.test("an App that does not follow its jobs is told what it needs", async () => {
  await using project = await Folder.of({ ...SMALL, "app.ts": "export const app = 1;\n" });
  const { code, stdout } = await project.run("generate", "job", "x", "--queue", "low", "--parent", "Job");
  assertEquals(code, EXIT.ok);
  assertEquals(stdout.filter((line) => line.startsWith("note: ")), [
    "note: app.ts does not import jobs/mod.ts: its jobs must list the new one",
    'note: app.ts does not name the queue "low": its topics need activeJobTopic("low")',
  ]);
  assertStringIncludes(project.files()["jobs/x_job.ts"]!, 'import { Job } from "@activejob/kafka";');
});

Deno.test("line breaks of Windows stay, and make no difference", async () => {
  const crlf = Object.fromEntries(Object.entries(SMALL).map(([name, text]) => [name, text.replaceAll("\n", "\r\n")]));
  await using project = await Folder.of(crlf);
  await project.run("generate", "job", "x");
  const { "jobs/mod.ts": list, "jobs/x_job.ts": job } = project.files();
  assertEquals(list!.replaceAll("\r\n", "").includes("\n"), false);
  await Deno.writeTextFile(`${project.path}/jobs/x_job.ts`, job!.replaceAll("\n", "\r\n"));
  const again = await project.run("generate", "job", "x");
  assertEquals(words(again.stdout).map((line) => line.split(" ")[0]), ["identical", "identical", "identical"]);
});

Deno.test("init completes a folder that has a deno.json and a .gitignore, and tells what it left", async () => {
  await using project = await Folder.of({
    "my shop/deno.jsonc": '{\n  // ours\n  "tasks": {\n    "test": "deno test -A"\n  }\n}\n',
    "my shop/.gitignore": "node_modules",
  });
  const { code, stdout } = await project.run("init", "my shop");
  assertEquals(code, EXIT.ok);
  assertEquals(words(stdout).slice(0, 2), ["insert deno.jsonc", "insert .gitignore"]);
  assertEquals(
    stdout.find((line) => line.startsWith("note: ")),
    'note: deno.jsonc has tasks "test" already: it is left as it is',
  );
  assertEquals(stdout.slice(stdout.indexOf("Next:")), [
    "Next:",
    "  cd 'my shop'",
    "  deno task worker     # performs jobs; in another terminal:",
    "  deno task enqueue",
    "  deno task test",
    "  deno task generate job admin/refresh",
  ]);
  const files = project.files();
  assertEquals(files["my shop/.gitignore"], "node_modules\njobs.db*\n");
  assertMatch(files["my shop/deno.jsonc"]!, /^{\n {2}\/\/ ours\n {2}"tasks": {\n {4}"test": "deno test -A",\n/);
  assertStringIncludes(files["my shop/app.ts"]!, 'name: "my-shop",');

  const again = await project.run("init", "my shop");
  assertEquals(
    words(again.stdout).slice(0, 8).map((line) => line.split(" ")[0]),
    Array(7).fill("identical").concat("note:"),
  );
  assertEquals(project.files(), files);
  await Deno.writeTextFile(`${project.path}/my shop/app.ts`, "// mine\n");
  await Deno.remove(`${project.path}/my shop/enqueue.ts`);
  const refused = await project.run("init", "my shop");
  assertMatch(
    refused.stderr[0]!,
    /^error: "app\.ts" is there and differs: nothing was written; --skip keeps what is there/,
  );
  assertEquals(project.files()["my shop/enqueue.ts"], undefined);
  const skipped = await project.run("init", "my shop", "--skip");
  assertEquals(words(skipped.stdout).filter((line) => /^(skip|create) /.test(line)), [
    "skip app.ts",
    "create enqueue.ts",
  ]);
  assertEquals(skipped.code, EXIT.ok);
  assertEquals(project.files(), { ...files, "my shop/app.ts": "// mine\n" });
  const both = await project.run("init", "my shop", "--skip", "--force");
  assertEquals(both.stderr[0], 'error: Option "--force" overwrites what differs, and "--skip" keeps it: give one');
  const more = await project.run("init", "a", "b");
  assertEquals(more.stderr[0], 'error: "init" takes one directory, but it is given "a" "b"');
});

Deno.test("init and generate have a help with their flags and examples", async () => {
  const [init, generate] = await Promise.all([cli(["help", "init"]), cli(["generate", "job", "--help"])]);
  assertMatch(
    init.stdout.join("\n"),
    /\nUsage:\n.* init \[options\] \[directory\]\n[^]*\n {2}--force .*\n {2}--skip .*\n {2}--dry-run .*\n/,
  );
  assertMatch(
    generate.stdout.join("\n"),
    /\nUsage:\n.* generate \[options\] job name\n[^]*\n {2}--queue NAME .*\n {2}--parent CLASS [^]*\nExamples:\n/,
  );
});

Deno.test("init does not say that a task performs jobs which was there before", async () => {
  await using project = await Folder.of({ "deno.json": '{ "tasks": { "worker": "vite", "generate": "make" } }\n' });
  const { stdout } = await project.run("init");
  await using fresh = await Folder.of({});
  await fresh.run("init");
  const { tasks } = JSON.parse(fresh.files()["deno.json"]!);
  assertEquals(stdout.slice(stdout.indexOf("Next:") + 1), [
    `  ${tasks.worker}     # performs jobs; in another terminal:`,
    "  deno task enqueue",
    "  deno task test",
    `  ${tasks.generate} job admin/refresh`,
  ]);
});

Deno.test("init calls a project as its folder, in plain letters, and tells where that cannot be", async () => {
  const names: readonly (readonly [folder: string, name: string | null])[] = [
    ["my shop", "my-shop"],
    ["Ünï", "Uni"],
    ["a.b_c-1", "a.b_c-1"],
    [".hidden", "hidden"],
    ["Größe", null],
    ["日本 shop", null],
    ["…", null],
    ["x".repeat(250), "x".repeat(200)],
  ];
  assertEquals(names.map(([folder]) => projectName(folder)), names.map(([, name]) => name));
  await using project = await Folder.of({});
  const { stdout } = await project.run("init", "日本");
  assertEquals(
    stdout.find((line) => line.startsWith("note: ")),
    'note: "日本" cannot be the name of a client and a consumer group: app.ts says "app"',
  );
  assertStringIncludes(project.files()["日本/app.ts"]!, 'name: "app",');
});
