/**
 * A database whose file, log (`-wal`) or index of the log (`-shm`) is deleted or replaced while it is open: it is reported,
 * nothing is acknowledged that is lost, and closing overwrites nothing.
 */
import { assertEquals, assertRejects } from "@std/assert";
import { activeJobTopic, App, Job, type KafkaOptions } from "../../../mod.ts";
import { BrokerError } from "../../../src/errors.ts";
import { append } from "../../../src/broker/sqlite/append.ts";
import { SqliteError } from "../../../src/broker/sqlite/failures.ts";
import { DatabaseFile } from "../../../src/broker/sqlite/file.ts";
import { Child } from "../../support/child.ts";
import { openBroker, TemporaryFile } from "./harness.ts";
import { fill, GROUP, makeTopic, Member, TOPIC } from "./member.ts";

const CLIENT = new URL("client.ts", import.meta.url).pathname;
const SHELL = new URL("shell.ts", import.meta.url).pathname;

function replaced(path: string, suffix: string): string {
  const what = suffix === "" ? "the file" : `its file "${path}${suffix}"`;
  return `Cannot use "${path}": ${what} was deleted or replaced while it was open; start the process again`;
}

/** Runs statements in another process, as an SQLite shell would. */
async function shell(path: string, ...statements: string[]): Promise<string[]> {
  await using child = new Child([SHELL, path, ...statements]);
  return (await child.ended()).stdout;
}

/** Counts the records as a process sees them that opens the file now. */
async function recordsIn(path: string): Promise<number> {
  const [answer] = await shell(path, "SELECT count(*) AS records FROM records");
  return JSON.parse(answer!).records;
}

/**
 * Does what an SQLite before 3.51 does when it closes the file and takes itself for its last user: it writes the log back
 * and deletes it. That happens if the process that still uses the file has lost its locks, by copying the file.
 */
async function deleteLog(path: string): Promise<void> {
  await shell(path, "PRAGMA wal_checkpoint(TRUNCATE)");
  for (const suffix of ["-wal", "-shm"]) Deno.removeSync(path + suffix);
}

/** Appends in another process. */
async function appendElsewhere(path: string, topic: string, records: number): Promise<void> {
  await using web = new Child([CLIENT]);
  await web.writeLine(`append ${path} ${topic} ${records}`);
  assertEquals(await web.line(/^append /), `append ${records}`);
  await web.writeLine("exit");
  await web.ended();
}

class CountedJob extends Job {
  static override kafkaOptions: KafkaOptions = { dispatchMethod: "produceSync" };
  perform() {}
}

Deno.test("sqlite: a worker whose log another program deletes ends loudly, and no acknowledged job is lost", async () => {
  using file = new TemporaryFile();
  const { path } = file;
  const options = {
    name: GROUP,
    broker: `sqlite:${path}`,
    jobs: [CountedJob],
    topics: [activeJobTopic(TOPIC)],
    sessionTimeoutMs: 1000,
    // All records of the file are counted.
    reports: false,
    logger: false,
  } as const;
  CountedJob.queue = TOPIC;
  {
    await using app = new App(options);
    const first = new Promise((resolve) => app.on("job.performed", resolve));
    const running = app.worker().run();
    const failed = assertRejects(() => running, BrokerError, "was deleted or replaced while it was open");
    await CountedJob.performLater();
    await first;
    await deleteLog(path);
    await appendElsewhere(path, TOPIC, 20);
    await failed;
    await assertRejects(() => CountedJob.performLater(), Error, "was deleted or replaced while it was open");
  }
  // This process has the old log: a new connection would mix it with the new one.
  await using again = openBroker(path);
  await assertRejects(() => again.connect(), BrokerError, replaced(path, "-wal"));
  assertEquals(await recordsIn(path), 21);
  await using next = new Child([CLIENT]);
  await next.writeLine(`consume ${path} 1000`);
  await next.line(/^record 20$/);
});

for (const suffix of ["", "-wal", "-shm"]) {
  Deno.test(`sqlite: jobs.db${suffix} that is deleted while it is open ends the consumer, and nothing more is appended`, async () => {
    using file = new TemporaryFile();
    const { path } = file;
    await makeTopic(path);
    await using member = new Member(path);
    await fill(path, 1);
    await member.received(1);
    Deno.removeSync(`${path}${suffix}`);
    await member.recorder.until("it fails", () => member.recorder.failures.length > 0);
    assertEquals(member.recorder.failures.map(({ message }) => message), [replaced(path, suffix)]);
    assertEquals(member.recorder.losses.map(({ reason }) => reason), ["unknown"]);
    const [outcome] = await member.broker.append(TOPIC, [{ value: "x" }]);
    assertEquals(outcome!.ok ? "appended" : outcome!.error.message, replaced(path, suffix));
  });
}

Deno.test("sqlite: a log in place of another one ends the consumer", async () => {
  using file = new TemporaryFile();
  const { path } = file;
  await makeTopic(path);
  await using member = new Member(path);
  await fill(path, 1);
  await member.received(1);
  Deno.copyFileSync(`${path}-wal`, `${path}-copy`);
  Deno.renameSync(`${path}-copy`, `${path}-wal`);
  await member.recorder.until("it fails", () => member.recorder.failures.length > 0);
  assertEquals(member.recorder.failures.map(({ message }) => message), [replaced(path, "-wal")]);
});

for (
  const [what, replace] of [
    ["a deleted log", (path: string) => Deno.removeSync(`${path}-wal`)],
    ["a log that another program deleted and a third one made again", (path: string) => {
      for (const suffix of ["-wal", "-shm"]) {
        Deno.removeSync(path + suffix);
        Deno.writeTextFileSync(path + suffix, "");
      }
    }],
  ] as const
) {
  Deno.test(`sqlite: a transaction that went into ${what} is not acknowledged`, async () => {
    using temporary = new TemporaryFile();
    const { path } = temporary;
    await makeTopic(path);
    const file = new DatabaseFile(path, 1000);
    const written = file.write((connection) => {
      append(connection, TOPIC, [{ value: "x" }], () => 0);
      replace(path);
    }, { durability: "durable" });
    const error = await assertRejects(() => written, SqliteError, replaced(path, "-wal"));
    assertEquals([error.written, error.lasting], ["unknown", true]);
    file.close();
  });
}

Deno.test("sqlite: closing a connection whose log was deleted does not write that log over the file", async () => {
  using file = new TemporaryFile();
  const { path } = file;
  await makeTopic(path);
  const broker = openBroker(path);
  await broker.append(TOPIC, Array.from({ length: 50 }, () => ({ value: "x".repeat(1000) })));
  // No process has written it back: this connection still has all of it.
  for (const suffix of ["-wal", "-shm"]) Deno.removeSync(path + suffix);
  await appendElsewhere(path, TOPIC, 30);
  await broker[Symbol.asyncDispose]();
  assertEquals(await recordsIn(path), 30);
  assertEquals(await shell(path, "PRAGMA integrity_check"), ['{"integrity_check":"ok"}']);
});
