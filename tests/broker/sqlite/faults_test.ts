/** Faults that must not be silent: a sink that throws, retention that fails, and a partition that cannot be read. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { UnknownTopicError } from "../../../src/errors.ts";
import { Monitor } from "../../../src/monitor/monitor.ts";
import { SqliteBroker } from "../../../src/broker/sqlite/broker.ts";
import type { Connection } from "../../../src/broker/sqlite/connection.ts";
import { DatabaseFile } from "../../../src/broker/sqlite/file.ts";
import { until } from "../../support/until.ts";
import { openBroker, outside, TemporaryFile } from "./harness.ts";
import { fill, GROUP, makeTopic, Member, TOPIC } from "./member.ts";
import { passOver } from "../../support/skip.ts";

/** A broker, and what it reports as errors. */
function reporting(file: DatabaseFile): { broker: SqliteBroker; errors: string[] } {
  const monitor = new Monitor();
  const errors: string[] = [];
  monitor.on("error.occurred", ({ where, error }) => errors.push(`${where}: ${error.message}`));
  return { broker: new SqliteBroker("sqlite:", file, { clientId: "test", monitor }), errors };
}

Deno.test("sqlite: a sink that throws ends the consumer as a fault, and nothing behind it is handed over", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path);
  await fill(file.path, 3);
  await using member = new Member(file.path, { maxFetchBytes: 1 });
  let batches = 0;
  member.recorder.onRecords = () => {
    if (++batches === 2) throw new TypeError("Not a string");
  };
  await member.recorder.until("it fails", () => member.recorder.failures.length > 0);
  const [failure] = member.recorder.failures;
  assertEquals(failure!.message, "A fault of the worker: Not a string");
  assert(failure!.cause instanceof TypeError);
  assertEquals([batches, member.recorder.losses.map(({ reason }) => reason)], [2, ["unknown"]]);
});

Deno.test("sqlite: retention that fails is reported once, and goes on once it can", async () => {
  using temporary = new TemporaryFile();
  const { path } = temporary;
  await makeTopic(path, 1, { "retention.ms": "1" });
  await fill(path, 5);
  outside(path, [
    "CREATE TRIGGER broken BEFORE DELETE ON records BEGIN SELECT RAISE(ABORT, 'deleting is broken'); END",
  ]);
  const { broker, errors } = reporting(new DatabaseFile(path, 1000));
  await using member = new Member(path, {}, broker);
  await member.received(5);
  assertEquals(await member.commit(5), "committed");
  await until(() => errors.length > 0, () => "nothing is reported");
  outside(path, ["DROP TRIGGER broken"]);
  await until(async () => (await broker.admin.ends(TOPIC))[0]!.low === 5, () => "nothing is deleted");
  assertEquals(errors, [`retention: Cannot write to "${path}": deleting is broken`]);
});

/** A file of which one partition cannot be read: an error that is not SQLite's. */
class Unreadable extends DatabaseFile {
  isBroken = true;

  override read<T>(...[step, patience]: Parameters<typeof DatabaseFile.prototype.read<T>>): Promise<T> {
    return super.read((connection) => {
      const all: Connection["all"] = connection.all.bind(connection);
      connection.all = (sql, ...values) => {
        if (this.isBroken && sql.includes("octet_length") && values[0] === 1) throw new TypeError("Cannot convert");
        return all(sql, ...values) as never;
      };
      try {
        return step(connection);
      } finally {
        connection.all = all;
      }
    }, patience);
  }
}

Deno.test("sqlite: a partition that cannot be read is reported with its place and waits; the others go on", async () => {
  using temporary = new TemporaryFile();
  await makeTopic(temporary.path, 2);
  const file = new Unreadable(temporary.path, 1000);
  const { broker, errors } = reporting(file);
  await using member = new Member(temporary.path, {}, broker);
  await member.owns(2);
  for (const round of [0, 1, 2]) {
    await broker.append(TOPIC, [0, 1].map((partition) => ({ partition, value: `${partition} ${round}` })));
    await member.received(round + 1);
  }
  assertEquals(errors, [`read: Cannot read ${TOPIC}/0@0: the partition waits`]);
  file.isBroken = false;
  await broker.append(TOPIC, [{ partition: 0, value: "0 3" }]);
  await member.received(7);
  assertEquals([member.recorder.values(0).length, member.recorder.values(1).length], [4, 3]);
});

/** Fails once where ownerships begin. */
class Failing extends DatabaseFile {
  onLook: (connection: Connection) => void = () => {};

  override read<T>(...[step, patience]: Parameters<typeof DatabaseFile.prototype.read<T>>): Promise<T> {
    return super.read((connection) => {
      this.onLook(connection);
      return step(connection);
    }, patience);
  }
}

Deno.test("sqlite: after `releasing` comes `assigned`, also if the round between them fails and nothing was added", async () => {
  using temporary = new TemporaryFile();
  const { path } = temporary;
  await makeTopic(path);
  await using admin = openBroker(path);
  await admin.admin.create([{ name: "beside" }]);
  await fill(path, 3);
  const file = new Failing(path, 1000);
  const { broker } = reporting(file);
  await using member = new Member(path, { topics: [TOPIC, "beside"] }, broker);
  await member.owns(2);
  const assignments = member.recorder.assignments.length;
  member.recorder.lastMarks = () => {
    file.onLook = () => {
      // Once: the partition that was moved is gone when the next round looks.
      file.onLook = () => {};
      outside(path, ["DELETE FROM topics WHERE name = ?", TOPIC]);
      throw new Error("This round fails");
    };
    return [];
  };
  const skip = admin.skip(GROUP, { topic: TOPIC, partition: 0, offset: 0 }, passOver(0));
  await assertRejects(() => skip, UnknownTopicError);
  await member.recorder.until("it is assigned", () => member.recorder.assignments.length > assignments);
  const last = member.recorder.assignments.at(-1)!;
  assertEquals([last.added, last.continued.map(({ topic }) => topic)], [[], ["beside"]]);
  assertEquals(member.recorder.releases.length, 1);
});
