/** The file while it is in use: locked by other processes, full, gone. A refused record is not in it, and nothing blocks. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import type { AppendOutcome, RecordBatch } from "../../../src/broker/broker.ts";
import { SqliteBroker } from "../../../src/broker/sqlite/broker.ts";
import { DatabaseFile } from "../../../src/broker/sqlite/file.ts";
import { Monitor } from "../../../src/monitor/monitor.ts";
import { MachineMeter } from "../../support/machine_meter.ts";
import { durationMs, until } from "../../support/until.ts";
import { openBroker, TemporaryFile, writing } from "./harness.ts";
import { fill, makeTopic, Member, TOPIC } from "./member.ts";
import { passOver } from "../../support/skip.ts";

/** The outcomes of an append, one line each. */
function lines(outcomes: readonly AppendOutcome[]): string[] {
  return outcomes.map((outcome) =>
    outcome.ok ? `at ${outcome.position.offset}` : `${outcome.written}: ${outcome.error.message}`
  );
}

function busy(path: string, verb: string, ms: number): string {
  return `Cannot ${verb} "${path}": other processes have held its lock for ${ms} ms; look for one that keeps a ` +
    "transaction open, or is stopped";
}

Deno.test("sqlite: while another process writes, calls wait and the event loop goes on", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path);
  await using broker = openBroker(file.path);
  await broker.connect();
  using other = writing(file.path);
  let isOver = false;
  const appended = broker.append(TOPIC, [{ value: "x" }], { durability: "durable" }).finally(() => isOver = true);
  // If the call slept until the lock is free, this would never be reached: we hold it ourselves.
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
  assert(!isOver, "it cannot have been written");
  other.release();
  assertEquals(lines(await appended), ["at 0"]);
});

Deno.test("sqlite: opening waits while another process holds the file", async () => {
  using file = new TemporaryFile();
  new DatabaseSync(file.path).close();
  using other = writing(file.path, "EXCLUSIVE");
  await using broker = openBroker(file.path);
  const made = broker.admin.create([{ name: TOPIC }]);
  await new Promise((resolve) => setTimeout(resolve, 1));
  other.release();
  await made;
  assertEquals(lines(await broker.append(TOPIC, [{ value: "x" }])), ["at 0"]);
});

Deno.test("sqlite: a call that has waited long enough fails with the reason, and nothing was written", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path);
  await using broker = openBroker(file.path, 30);
  await broker.connect();
  {
    using _ = writing(file.path);
    const why = busy(file.path, "write to", 30);
    const outcomes = await broker.append(TOPIC, Array.from({ length: 150 }, () => ({ value: "x" })));
    assertEquals(lines(outcomes), Array.from({ length: 150 }, () => `no: ${why}`));
    await assertRejects(() => broker.admin.create([{ name: "other" }]), Error, why);
    await using late = openBroker(file.path, 30);
    // It only reads, which the lock allows.
    assertEquals((await late.admin.ends(TOPIC)).map(({ high }) => high), [0]);
  }
  assertEquals(lines(await broker.append(TOPIC, [{ value: "x" }])), ["at 0"]);
});

Deno.test("sqlite: disposing of a broker that waits rejects each call", async () => {
  using file = new TemporaryFile();
  new DatabaseSync(file.path).close();
  using _ = writing(file.path, "EXCLUSIVE");
  const broker = openBroker(file.path);
  const calls = [
    broker.connect(),
    broker.admin.ends(TOPIC),
    broker.skip("g", { topic: TOPIC, partition: 0, offset: 0 }, passOver(0)),
  ];
  const appended = broker.append(TOPIC, [{ value: "x" }]);
  const ends = Promise.allSettled(calls);
  let settled = 0;
  for (const call of [...calls, appended]) void call.catch(() => {}).then(() => settled++);
  await broker[Symbol.asyncDispose]();
  assertEquals(settled, calls.length + 1);
  const message = `Cannot use "${file.path}": the broker was disposed of`;
  assertEquals((await ends).map((end) => end.status === "rejected" && end.reason.message), calls.map(() => message));
  assertEquals(lines(await appended), [`no: ${message}`]);
});

Deno.test("sqlite: a call that is aborted while it waits ends with the caller's reason", async () => {
  using file = new TemporaryFile();
  new DatabaseSync(file.path).close();
  using _ = writing(file.path, "EXCLUSIVE");
  await using broker = openBroker(file.path);
  const off = new AbortController();
  const connected = broker.connect(off.signal);
  off.abort(new Error("Enough"));
  await assertRejects(() => connected, Error, "Enough");
});

Deno.test("sqlite: a consumer is closed in time, also while it waits to write", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path);
  await using member = new Member(file.path);
  await member.owns(1);
  using other = writing(file.path);
  const committed = member.commit(0);
  using machine = new MachineMeter();
  machine.assertWithin("closing", await durationMs(() => member.consumer.close(100)), 1000);
  assertEquals([member.recorder.live.size, member.recorder.isMember], [0, true]);
  other.release();
  assertEquals(await committed, "ended");
});

Deno.test("sqlite: on a full disk nothing is written and nothing is lost; once there is space, appends succeed again", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path);
  const database = new DatabaseFile(file.path, 1000);
  const broker = new SqliteBroker("sqlite:", database, { clientId: "test", monitor: new Monitor() });
  await using member = new Member(file.path, {}, broker);
  await member.owns(1);
  const pages = (count: number) => database.read((connection) => connection.get(`PRAGMA max_page_count = ${count}`));
  const value = "x".repeat(10_000);
  assertEquals(lines(await broker.append(TOPIC, [{ value }])), ["at 0"]);
  await pages(1);
  const full = `no: Cannot write to "${file.path}": the disk is full: make room; what was acknowledged is in the file`;
  assertEquals(lines(await broker.append(TOPIC, [{ value }, { value }], { durability: "durable" })), [full, full]);
  await member.received(1);
  await pages(1_000_000);
  assertEquals(lines(await broker.append(TOPIC, [{ value }])), ["at 1"]);
  await member.received(2);
  assertEquals([await member.commit(2), member.recorder.failures], ["committed", []]);
});

Deno.test("sqlite: a file that is moved away takes no records; moved back, it does", async () => {
  using file = new TemporaryFile();
  const { path } = file;
  await makeTopic(path);
  await using broker = openBroker(path);
  assertEquals(lines(await broker.append(TOPIC, [{ value: "0" }])), ["at 0"]);
  const append = () => broker.append(TOPIC, [{ value: "x" }], { durability: "durable" });
  const gone = `no: Cannot use "${path}": the file was deleted or replaced while it was open; start the process again`;
  Deno.renameSync(path, `${path}.away`);
  let taken = 0;
  await until(async () => {
    const [answer] = lines(await append());
    if (answer !== gone) taken++;
    return answer === gone;
  }, () => "it is not seen");
  Deno.writeTextFileSync(path, "Another file");
  assertEquals(lines(await append()), [gone]);
  Deno.removeSync(path);
  Deno.renameSync(`${path}.away`, path);
  assertEquals(lines(await append()), [`at ${taken + 1}`]);
});

Deno.test("sqlite: a deleted file takes no records, however often it is tried", async () => {
  using file = new TemporaryFile();
  const { path } = file;
  await makeTopic(path);
  await using broker = openBroker(path);
  const append = async () => lines(await broker.append(TOPIC, [{ value: "x" }]))[0]!;
  assertEquals(await append(), "at 0");
  Deno.removeSync(path);
  await until(async () => (await append()).startsWith("no: "), () => "it is not seen");
  // Longer than one check is valid.
  const endMs = performance.now() + 250;
  while (performance.now() < endMs) {
    assert((await append()).startsWith("no: "), "it was written into a file that no other process sees");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
});

Deno.test("sqlite: a consumer whose file is deleted fails with the reason", async () => {
  using file = new TemporaryFile();
  const { path } = file;
  await makeTopic(path);
  await fill(path, 1);
  await using member = new Member(path);
  await member.received(1);
  Deno.removeSync(path);
  await member.recorder.until("it fails", () => member.recorder.failures.length > 0);
  assertEquals(member.recorder.failures.map(({ message }) => message), [
    `Cannot use "${path}": the file was deleted or replaced while it was open; start the process again`,
  ]);
  assertEquals(member.recorder.losses.map(({ reason }) => reason), ["unknown"]);
});

/** Calls `onRead` with each result before it is used. */
class Slow extends DatabaseFile {
  onRead: (answer: unknown) => void = () => {};

  override async read<T>(...args: Parameters<typeof DatabaseFile.prototype.read<T>>): Promise<T> {
    const answer = await super.read<T>(...args);
    this.onRead(answer);
    return answer;
  }
}

Deno.test("sqlite: a partition that is paused while it is read gets nothing until it is resumed", async () => {
  using temporary = new TemporaryFile();
  await makeTopic(temporary.path, 2);
  const file = new Slow(temporary.path, 1000);
  const broker = new SqliteBroker("slow", file, { clientId: "test", monitor: new Monitor() });
  await using member = new Member(temporary.path, {}, broker);
  await member.owns(2);
  const paused = member.recorder.own(0);
  file.onRead = (answer) => {
    const batch = (answer as { batch?: RecordBatch | null } | null)?.batch;
    if (batch?.records[0]?.value === "paused") member.consumer.pause(paused);
  };
  await broker.append(TOPIC, [{ partition: 0, value: "paused" }, { partition: 1, value: "beside" }]);
  await member.received(1);
  assertEquals(member.recorder.values(), ["beside"]);
  file.onRead = () => {};
  member.consumer.resume(paused);
  await member.received(2);
  assertEquals(member.recorder.values(), ["beside", "paused"]);
});
