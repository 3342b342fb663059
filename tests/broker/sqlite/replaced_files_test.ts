/**
 * A database whose file, log (`-wal`) or index of the log (`-shm`) is deleted or replaced while it is open: it is reported,
 * nothing is acknowledged that is lost, and closing overwrites nothing.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { activeJobTopic, App, Job, type KafkaOptions } from "../../../mod.ts";
import { BrokerError } from "../../../src/errors.ts";
import { Child } from "../../child.ts";
import { openBroker, TemporaryFile } from "./harness.ts";
import { fill, makeTopic, Member, TOPIC } from "./member.ts";

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

/** How many records the file has for a process that opens it now. */
async function recordsIn(path: string): Promise<number> {
  const [answer] = await shell(path, "SELECT count(*) AS records FROM records");
  return JSON.parse(answer!).records;
}

class CountedJob extends Job {
  static override kafkaOptions: KafkaOptions = { dispatchMethod: "produceSync" };
  static performed = 0;
  perform() {
    CountedJob.performed++;
  }
}

Deno.test("sqlite: a worker whose process copied its file, so that a shell deleted the log, ends loudly, and no job is lost", async () => {
  using file = new TemporaryFile();
  const { path } = file;
  const options = {
    name: "shop",
    broker: `sqlite:${path}`,
    jobs: [CountedJob],
    topics: [activeJobTopic("default")],
    logger: false,
  } as const;
  CountedJob.performed = 0;
  {
    await using app = new App(options);
    const first = new Promise((resolve) => app.on("job.performed", resolve));
    const running = app.worker().run();
    const failed = assertRejects(() => running, BrokerError, "was deleted or replaced while it was open");
    await CountedJob.performLater();
    await first;
    // POSIX drops every lock that this process has on the file.
    Deno.copyFileSync(path, `${path}.copy`);
    // The shell is the only process with a lock then: when it closes the file, it deletes the log.
    assertEquals(await recordsIn(path), 1);
    await using web = new Child([CLIENT]);
    await web.tell(`append ${path} default 20`);
    assertEquals(await web.line(/^append /), "append 20");
    await failed;
    const error = await CountedJob.performLater().then(() => null, (error) => error as Error);
    assert(error?.message.includes("was deleted or replaced"), String(error));
  }
  assertEquals(await recordsIn(path), 21);
  await using app = new App(options);
  await app.worker().run(undefined, { once: true });
  assertEquals(CountedJob.performed, 21);
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

Deno.test("sqlite: a transaction that went into a deleted log is not acknowledged", async () => {
  using file = new TemporaryFile();
  const { path } = file;
  await makeTopic(path);
  await using broker = openBroker(path);
  // Checked a moment ago: the next check is only after the transaction.
  await broker.admin.ends(TOPIC);
  Deno.removeSync(`${path}-wal`);
  const [outcome] = await broker.append(TOPIC, [{ value: "x" }], { durability: "durable" });
  assert(!outcome!.ok);
  assertEquals(outcome.error.message, replaced(path, "-wal"));
});

Deno.test("sqlite: closing a connection whose log was deleted does not write that log over the file", async () => {
  using file = new TemporaryFile();
  const { path } = file;
  await makeTopic(path);
  const broker = openBroker(path);
  await broker.append(TOPIC, Array.from({ length: 50 }, () => ({ value: "x".repeat(1000) })));
  // As after a copy within this process; the log of this connection still has what the shell wrote back for it.
  Deno.copyFileSync(path, `${path}.copy`);
  assertEquals(await recordsIn(path), 50);
  await fill(path, 30);
  // Written by a connection that has no check: only the close is under test.
  await broker[Symbol.asyncDispose]();
  assertEquals(await recordsIn(path), 80);
  assertEquals(await shell(path, "PRAGMA integrity_check"), ['{"integrity_check":"ok"}']);
});
