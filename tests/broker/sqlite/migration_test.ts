/** Files of older versions (0.1.0 made version 1): nothing of them is lost in the new format, and what cannot be migrated is left as it is. */
import { assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { BrokerError } from "../../../src/errors.ts";
import { openBroker, outside, rows, TemporaryFile } from "./harness.ts";
import { fill, GROUP, makeTopic, Member, TOPIC } from "./member.ts";

/** The tables of version 1, as 0.1.0 made them. */
const VERSION_1 = `
  PRAGMA journal_mode = WAL;
  CREATE TABLE topics (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, config TEXT NOT NULL);
  CREATE TABLE partitions (
    topic_id INTEGER NOT NULL, partition INTEGER NOT NULL, low INTEGER NOT NULL DEFAULT 0,
    high INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (topic_id, partition)
  ) WITHOUT ROWID;
  CREATE TABLE records (
    topic_id INTEGER NOT NULL, partition INTEGER NOT NULL, offset INTEGER NOT NULL, timestamp_ms INTEGER NOT NULL,
    key BLOB, value BLOB, headers TEXT, PRIMARY KEY (topic_id, partition, offset)
  ) WITHOUT ROWID;
  CREATE TABLE positions (
    group_name TEXT NOT NULL, topic_id INTEGER NOT NULL, partition INTEGER NOT NULL, fence INTEGER NOT NULL,
    committed INTEGER, metadata TEXT NOT NULL DEFAULT '', updated_at_ms INTEGER NOT NULL,
    PRIMARY KEY (group_name, topic_id, partition)
  ) WITHOUT ROWID;
  CREATE TABLE leases (
    group_name TEXT NOT NULL, topic_id INTEGER NOT NULL, owner TEXT NOT NULL, expires_at_ms INTEGER NOT NULL,
    session_ms INTEGER NOT NULL, PRIMARY KEY (group_name, topic_id)
  ) WITHOUT ROWID;
  CREATE TRIGGER topic_deleted AFTER DELETE ON topics BEGIN
    DELETE FROM partitions WHERE topic_id = OLD.id;
    DELETE FROM records WHERE topic_id = OLD.id;
    DELETE FROM positions WHERE topic_id = OLD.id;
    DELETE FROM leases WHERE topic_id = OLD.id;
  END;
  PRAGMA application_id = 0x616a6b66;
  PRAGMA user_version = 1;

  INSERT INTO topics VALUES (7, '${TOPIC}', '{"max.message.bytes":"2000","retention.ms":"-1"}');
  INSERT INTO topics VALUES (9, 'latest', '{"cleanup.policy":"compact"}');
  UPDATE sqlite_sequence SET seq = 12;
  INSERT INTO partitions VALUES (7, 0, 2, 2), (7, 1, 0, 6), (9, 0, 0, 0);
  INSERT INTO records VALUES
    (7, 0, 2, 1700000000002, 'key', 'text', '[["a","ÿ"],["b",null]]'),
    (7, 0, 3, 1700000000003, x'00ff', x'fe', NULL),
    (7, 0, 5, 1700000000005, NULL, NULL, NULL),
    (9, 0, 0, 1700000000000, 'a', '1', NULL),
    (9, 0, 1, 1700000000000, 'b', '2', NULL),
    (9, 0, 2, 1700000000000, x'61', '3', NULL);
  INSERT INTO positions VALUES
    ('${GROUP}', 7, 0, 4, 3, 'v1;a=3:2', 1700000000000),
    ('${GROUP}', 7, 1, 4, NULL, '', 1700000000000),
    ('beside', 7, 0, 1, 6, '', 1700000000000);
`;

function version1(path: string, ...statements: string[]): void {
  using database = new DatabaseSync(path);
  for (const sql of [VERSION_1, ...statements]) database.exec(sql);
}

Deno.test("sqlite: a file of version 1 is migrated: records, committed offsets, fences, and ends stay what they were", async () => {
  using file = new TemporaryFile();
  version1(file.path);
  await using member = new Member(file.path);
  await member.owns(2);
  const { broker, recorder } = member;
  const topic = (await broker.admin.describe([TOPIC])).get(TOPIC)!;
  assertEquals([...topic.config], [["max.message.bytes", "2000"], ["retention.ms", "-1"]]);
  assertEquals(await broker.admin.ends(TOPIC), [{ partition: 0, low: 2, high: 6 }, { partition: 1, low: 0, high: 6 }]);
  assertEquals(recorder.own(0).committed, { offset: 3, metadata: "v1;a=3:2" });
  assertEquals((await broker.admin.committed("beside", TOPIC)).map(({ offset }) => offset), [6, null]);
  // The unperformed records, byte for byte.
  await member.received(2);
  assertEquals(recorder.received.map(({ record }) => record), [
    { offset: 3, key: new Uint8Array([0, 255]), value: new Uint8Array([254]), headers: [], timestampMs: 1700000000003 },
    { offset: 5, key: null, value: null, headers: [], timestampMs: 1700000000005 },
  ]);
  const appended = await broker.append(TOPIC, [0, 1].map((partition) => ({ partition, value: "new" })));
  assertEquals(appended.map((outcome) => outcome.ok && outcome.position.offset), [6, 6]);
  assertEquals(await member.commit(6), "committed");
  // Taken over: one more than it was.
  assertEquals(rows(file.path, `SELECT fence FROM group_offsets WHERE group_name = '${GROUP}'`), [[5], [5]]);
  await using all = new Member(file.path, { group: "new" });
  await all.received(5);
  assertEquals(all.recorder.received[0]!.record, {
    offset: 2,
    key: "key",
    value: "text",
    headers: [["a", new Uint8Array([255])], ["b", null]],
    timestampMs: 1700000000002,
  });
});

Deno.test("sqlite: a migrated file has no old table, keeps topic ids used up, and compacts what was declared so", async () => {
  using file = new TemporaryFile();
  version1(file.path);
  await using broker = openBroker(file.path);
  await broker.admin.create([{ name: "later" }]);
  assertEquals(rows(file.path, "SELECT id FROM topics WHERE name = 'later'"), [[13]]);
  assertEquals(rows(file.path, "SELECT name FROM sqlite_schema WHERE name LIKE 'old%' OR name = 'positions'"), []);
  assertEquals(rows(file.path, "SELECT value FROM records WHERE is_compacted = 1 ORDER BY id"), [["2"], ["3"]]);
  assertEquals(rows(file.path, "PRAGMA user_version"), [[5]]);
  assertEquals(rows(file.path, "PRAGMA integrity_check"), [["ok"]]);
});

Deno.test("sqlite: the lease of a topic in a file of version 1 holds each of its partitions until it expires", async () => {
  using file = new TemporaryFile();
  const expiresAtMs = Date.now() + 60_000;
  version1(file.path, `INSERT INTO leases VALUES ('${GROUP}', 7, 'alive', ${expiresAtMs}, 60000)`);
  await using member = new Member(file.path);
  await member.consumer.joined;
  assertEquals(member.recorder.owned(), []);
  assertEquals(rows(file.path, "SELECT partition_id, owner FROM leases"), [[1, "alive"], [2, "alive"]]);
  assertEquals(rows(file.path, "SELECT expires_at_ms, session_ms FROM members WHERE id = 'alive'"), [
    [expiresAtMs, 60_000],
  ]);
  outside(file.path, ["UPDATE members SET expires_at_ms = 1 WHERE id = 'alive'"]);
  await member.owns(2);
});

Deno.test("sqlite: a file of version 1 that cannot be migrated is left as it is, and the error says what to do", async () => {
  using file = new TemporaryFile();
  version1(file.path, "UPDATE records SET offset = 2199023255552 WHERE offset = 5");
  await using broker = openBroker(file.path);
  await assertRejects(
    () => broker.connect(),
    BrokerError,
    `Cannot migrate "${file.path}" from version 1 of the tables: partition 0 of topic "${TOPIC}" has offset ` +
      "2199023255552, but offsets end at 2199023255551; nothing was changed. Perform what is in it with " +
      "the version of @activejob/kafka that made it, then start with a new file",
  );
  assertEquals(rows(file.path, "PRAGMA user_version"), [[1]]);
  assertEquals(rows(file.path, "SELECT count(*) FROM records"), [[6]]);
  assertEquals(rows(file.path, "SELECT name FROM sqlite_schema WHERE name LIKE 'old%'"), []);
});

Deno.test("sqlite: two processes that open a file of version 1 at once migrate it once", async () => {
  using file = new TemporaryFile();
  version1(file.path);
  await using first = openBroker(file.path);
  await using second = openBroker(file.path);
  await Promise.all([first.connect(), second.connect()]);
  assertEquals((await second.admin.ends(TOPIC)).map(({ high }) => high), [6, 6]);
});

/** Turns a file into one of version 2, with leases as that version had them. */
function version2(path: string, ...statements: string[]): void {
  using database = new DatabaseSync(path);
  const triggers = database.prepare(
    "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name <> 'topic_deleted'",
  );
  for (const { name } of triggers.all()) database.exec(`DROP TRIGGER ${name}`);
  for (const table of ["members", "leases", "assignment_version"]) database.exec(`DROP TABLE ${table}`);
  database.exec(`
    CREATE TABLE leases (
      group_name TEXT NOT NULL, partition_id INTEGER NOT NULL, owner TEXT NOT NULL, expires_at_ms INTEGER NOT NULL,
      session_ms INTEGER NOT NULL, PRIMARY KEY (group_name, partition_id)
    ) STRICT, WITHOUT ROWID;
    CREATE TRIGGER partition_deleted AFTER DELETE ON partitions BEGIN
      DELETE FROM leases WHERE partition_id = OLD.id;
    END;
    PRAGMA user_version = 2;`);
  for (const sql of statements) database.exec(sql);
}

Deno.test("sqlite: a file of version 2 is migrated: the records and offsets stay, and a lease is left to its owner until it expires", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path, 2);
  await fill(file.path, 4);
  {
    await using member = new Member(file.path);
    await member.owns(2);
    await member.received(4);
    assertEquals([await member.commit(1, 0), await member.commit(1, 1)], ["committed", "committed"]);
  }
  using same = new TemporaryFile();
  await using untouched = openBroker(same.path);
  await untouched.connect();
  const schema = "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name";
  version2(file.path, `INSERT INTO leases VALUES ('${GROUP}', 1, 'alive', ${Date.now() + 60_000}, 60000)`);
  await using member = new Member(file.path);
  await member.consumer.joined;
  assertEquals(rows(file.path, schema), rows(same.path, schema));
  assertEquals(rows(file.path, "PRAGMA user_version"), [[5]]);
  assertEquals(member.recorder.owned(), [1]);
  outside(file.path, ["UPDATE members SET expires_at_ms = 1 WHERE id = 'alive'"]);
  await member.owns(2);
  await member.received(2);
  assertEquals([...member.recorder.live.keys()].map(({ committed }) => committed!.offset), [1, 1]);
});

/** Turns a file into one of an older version, with the indexes as that version had them. */
const OLD_INDEXES: Readonly<Record<number, string>> = {
  3: `DROP INDEX tombstones;
    CREATE INDEX tombstones ON records (partition_id, timestamp_ms) WHERE is_compacted = 1 AND value IS NULL;
    DROP INDEX compacted_keys;
    CREATE INDEX compacted_keys ON records (partition_id, CAST(key AS BLOB)) WHERE is_compacted = 1;
    PRAGMA user_version = 3;`,
  4: `DROP INDEX compacted_keys;
    CREATE INDEX compacted_keys ON records (partition_id, CAST(key AS BLOB)) WHERE is_compacted = 1;
    PRAGMA user_version = 4;`,
};

for (const [version, statements] of Object.entries(OLD_INDEXES)) {
  Deno.test(`sqlite: a file of version ${version} is migrated: records, tombstones, offsets, and the leases of live members stay`, async () => {
    using file = new TemporaryFile();
    await makeTopic(file.path, 2, { "cleanup.policy": "compact" });
    await using other = new Member(file.path);
    await other.owns(2);
    const keyed = [{ key: "a", value: "1" }, { key: "b", value: "2" }, { key: "a", value: null }];
    other.consumer.pause(other.recorder.own(0));
    await other.broker.append(TOPIC, keyed.map((record) => ({ ...record, partition: 0 })));
    assertEquals(await other.commit(1), "committed");
    const everything = `SELECT * FROM (SELECT id, timestamp_ms, is_compacted, key, headers, value FROM records)
    CROSS JOIN (SELECT group_concat(owner) FROM leases) CROSS JOIN (SELECT group_concat(committed) FROM group_offsets)`;
    const before = rows(file.path, everything);
    assertEquals(before.length, 2);
    const schema = "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name";
    const present = rows(file.path, schema);
    using database = new DatabaseSync(file.path, { timeout: 5000 });
    database.exec(statements);
    await using broker = openBroker(file.path);
    await broker.connect();
    assertEquals(rows(file.path, everything), before);
    assertEquals(rows(file.path, schema), present);
    assertEquals(rows(file.path, "PRAGMA user_version"), [[5]]);
    assertEquals(rows(file.path, "PRAGMA integrity_check"), [["ok"]]);
  });
}
