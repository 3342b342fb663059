/** Error messages for a file that is not what it should be: the failed action, the file, and the remedy. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import { DatabaseSync } from "node:sqlite";
import { activeJobTopic, App, BrokerError, EnqueueError, Job, type KafkaOptions } from "../../../mod.ts";
import { cli } from "../../support/child.ts";
import { openBroker, rows, TemporaryFile } from "./harness.ts";

const PROGRAM = new URL("append.ts", import.meta.url).pathname;

/** The bytes of a good file that has a topic. */
async function goodFile(): Promise<Uint8Array<ArrayBuffer>> {
  using file = new TemporaryFile();
  {
    await using broker = openBroker(file.path);
    await broker.admin.create([{ name: "jobs" }]);
  }
  return Deno.readFileSync(file.path);
}

function database(path: string, ...statements: string[]): void {
  using database = new DatabaseSync(path);
  for (const statement of statements) database.exec(statement);
}

const DAMAGED = "the file is damaged: restore it, or move it away together with its -wal and -shm files";

/** Wrong files: a description, how one is made, and the reason in the message. */
const WRONG: readonly (readonly [what: string, make: (path: string) => unknown, why: string])[] = [
  ["a folder", (path) => Deno.mkdirSync(path), "it is a folder, and must be a file"],
  [
    "a text file",
    (path) => Deno.writeTextFileSync(path, "This is no database. ".repeat(20)),
    "the file is not an SQLite database: name another one, or move it away",
  ],
  ["cut off in the middle", async (path) => Deno.writeFileSync(path, (await goodFile()).slice(0, 6000)), DAMAGED],
  ["cut off in its header", async (path) => Deno.writeFileSync(path, (await goodFile()).slice(0, 50)), DAMAGED],
  [
    "a database of something else",
    (path) => database(path, "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE)"),
    "it is an SQLite database of something else (it has 2 tables and indexes that @activejob/kafka did not make), " +
    "and must be a file of its own",
  ],
  [
    "a database of another program that has no tables yet",
    (path) => database(path, "PRAGMA application_id = 42"),
    "it is an SQLite database of something else (it has 0 tables and indexes that @activejob/kafka did not make), " +
    "and must be a file of its own",
  ],
  [
    "of a newer version",
    async (path) => {
      Deno.writeFileSync(path, await goodFile());
      database(path, "PRAGMA user_version = 7");
    },
    "it has version 7 of the tables, but this version of @activejob/kafka knows them up to 5; update it in every " +
    "process that uses the file",
  ],
];

for (const [what, make, why] of WRONG) {
  Deno.test(`sqlite: a file that is ${what} is left unchanged and reported; once it is gone, the same client goes on`, async () => {
    using file = new TemporaryFile();
    await make(file.path);
    const before = contents(file.path);
    await using broker = openBroker(file.path);
    const message = `Cannot open "${file.path}": ${why}`;
    await assertRejects(() => broker.connect(), BrokerError, message);
    const [outcome] = await broker.append("jobs", [{ value: "x" }]);
    if (outcome!.ok) throw new Error("It was appended to");
    assertEquals([outcome!.error.message, outcome!.written], [message, "no"]);
    assertEquals(contents(file.path), before);
    Deno.renameSync(file.path, `${file.path}.away`);
    await broker.admin.create([{ name: "jobs" }]);
    assertEquals((await broker.append("jobs", [{ value: "x" }])).map(({ ok }) => ok), [true]);
  });
}

function contents(path: string): string {
  return Deno.statSync(path).isDirectory ? "a folder" : Buffer.from(Deno.readFileSync(path)).toString("base64");
}

Deno.test("sqlite: damaged pages are reported by the call that reads them", async () => {
  using file = new TemporaryFile();
  Deno.writeFileSync(file.path, await goodFile());
  const pages = rows(file.path, "SELECT rootpage FROM sqlite_schema WHERE tbl_name = 'topics' AND rootpage > 0");
  const bytes = Deno.readFileSync(file.path);
  for (const [page] of pages) bytes.fill(0xa5, (Number(page) - 1) * 4096, Number(page) * 4096);
  Deno.writeFileSync(file.path, bytes);
  await using broker = openBroker(file.path);
  await assertRejects(
    () => broker.admin.describe(["jobs"]),
    BrokerError,
    `Cannot read "${file.path}": ${DAMAGED}`,
  );
});

Deno.test("sqlite: an empty file becomes ours", async () => {
  using file = new TemporaryFile();
  Deno.writeTextFileSync(file.path, "");
  await using broker = openBroker(file.path);
  await broker.admin.create([{ name: "jobs" }]);
  assertEquals((await broker.append("jobs", [{ value: "x" }])).map(({ ok }) => ok), [true]);
});

Deno.test("sqlite: a folder that is missing is named, to the worker, to enqueue and to performLater", async () => {
  using file = new TemporaryFile();
  const folder = `${file.path}.folder`;
  const path = `${folder}/jobs.db`;
  const message = `Cannot open "${path}": its folder "${folder}" does not exist: make it, or name another one`;
  class WelcomeJob extends Job {
    static override kafkaOptions: KafkaOptions = { dispatchMethod: "produceSync" };
    perform() {}
  }
  await using _app = new App({
    name: "shop",
    broker: `sqlite:${path}`,
    jobs: [WelcomeJob],
    topics: [activeJobTopic("default")],
    logger: false,
  });
  const error = await assertRejects(() => WelcomeJob.performLater(), EnqueueError);
  assertEquals([error.message, error.written], [`Cannot enqueue WelcomeJob: ${message}`, "no"]);
  const options = { env: { BROKER_URL: `sqlite:${path}` } };
  const [worker, enqueue] = await Promise.all([
    cli(["worker", "--app", "examples/quickstart/app.ts"], options),
    cli(["enqueue", "--app", "examples/quickstart/app.ts", "WelcomeJob", "[1]"], options),
  ]);
  const cause = `unable to open database file: ${path}`;
  assertEquals([worker.code, worker.stderr], [1, [`error: ${message}: ${cause}`]]);
  assertEquals([enqueue.code, enqueue.stderr.at(-1)], [1, `error: Cannot enqueue WelcomeJob: ${message}: ${cause}`]);
  Deno.mkdirSync(folder);
  assertEquals((await WelcomeJob.performLater()).position, { topic: "default", partition: 0, offset: 0 });
});

Deno.test("sqlite: a write that fails midway is `unknown`, and every acknowledged record is there", async () => {
  using file = new TemporaryFile();
  const { path } = file;
  Deno.writeFileSync(path, await goodFile());
  // The system's limit on the size of a file, in blocks of at most 1 KiB, by shell.
  const limited = "trap '' XFSZ; ulimit -f 1000; exec \"$@\"";
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", limited, "sh", Deno.execPath(), "run", "-A", "--no-check", PROGRAM, path, "2000"],
    env: { DENO_DIR: `${path}.deno` },
    stderr: "inherit",
  }).output();
  const [acknowledged, refused] = new TextDecoder().decode(stdout).trim().split("\n");
  assertEquals(
    refused,
    `unknown: Cannot write to "${path}": reading or writing failed (a broken disk, a limit on file sizes, or a file ` +
      "system without locks)",
  );
  await using broker = openBroker(path);
  const [outcome] = await broker.append("jobs", [{ value: "x" }]);
  assert(outcome?.ok);
  // The refused record may be there.
  const next = Number(/^appended at (\d+)$/.exec(acknowledged!)![1]) + 1;
  assert([next, next + 1].includes(outcome.position.offset), `${acknowledged}, but ${outcome.position.offset} is next`);
});

const isRoot = Deno.uid() === 0;
const { code: withoutSetpriv } = await new Deno.Command("sh", { args: ["-c", "command -v setpriv >/dev/null"] })
  .output();

/** Appends in a process that has only the rights of the file's mode: root has more, unless it drops them. */
async function appendOnce(path: string): Promise<string> {
  const deno = [Deno.execPath(), "run", "-A", PROGRAM, path];
  const [command, ...args] = isRoot ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search", ...deno] : deno;
  const { stdout } = await new Deno.Command(command!, { args, stderr: "inherit" }).output();
  return new TextDecoder().decode(stdout).trim();
}

Deno.test({
  name: "sqlite: a read-only file or folder is reported when it is opened",
  ignore: isRoot && withoutSetpriv !== 0,
  async fn() {
    using file = new TemporaryFile();
    const { path } = file;
    const folder = path.slice(0, path.lastIndexOf("/"));
    Deno.writeFileSync(path, await goodFile());
    const readOnly =
      `no: Cannot open "${path}": this process may not write to the file, or not to its folder, and must be ` +
      "allowed to do both";
    Deno.chmodSync(path, 0o444);
    assertEquals(await appendOnce(path), readOnly);
    Deno.chmodSync(path, 0o000);
    assertEquals(
      await appendOnce(path),
      `no: Cannot open "${path}": this process may not read and write it, and must be allowed to do both`,
    );
    Deno.chmodSync(path, 0o644);
    for (const left of [`${path}-wal`, `${path}-shm`]) await Deno.remove(left).catch(() => {});
    Deno.chmodSync(folder, 0o555);
    assertEquals(await appendOnce(path), readOnly);
    assertEquals(
      await appendOnce(`${path}.new`),
      `no: Cannot open "${path}.new": it does not exist, and this process may not make files in "${folder}"`,
    );
    Deno.chmodSync(folder, 0o755);
    assertEquals(await appendOnce(path), "appended at 0");
  },
});
