/** Topics compacted by key in a file: their keys, and the time for which tombstones stay. */
import { assert, assertEquals } from "@std/assert";
import type { Broker, NewRecord } from "../../../src/broker/broker.ts";
import { until } from "../../support/until.ts";
import { openBroker, outside, rows, TemporaryFile } from "./harness.ts";
import { makeTopic, Member, TOPIC } from "./member.ts";

const COMPACTED = { "cleanup.policy": "compact", "retention.ms": "0", "delete.retention.ms": "1" };

/** The records of the file: offset and value. */
function kept(path: string): unknown[][] {
  return rows(path, `SELECT "offset", value FROM records ORDER BY id`);
}

async function put(broker: Broker, ...records: readonly NewRecord[]): Promise<string[]> {
  return (await broker.append(TOPIC, records)).map((outcome) =>
    outcome.ok ? `at ${outcome.position.offset}` : `${outcome.written}: ${outcome.error.message}`
  );
}

Deno.test("sqlite: a compacted topic keeps the newest record of each key, by its bytes, however old it is", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path, 1, COMPACTED);
  await using broker = openBroker(file.path);
  assertEquals(await put(broker, { key: "a", value: "1" }, { key: "b", value: "2" }, { key: "a", value: "3" }), [
    "at 0",
    "at 1",
    "at 2",
  ]);
  assertEquals(kept(file.path), [[1, "2"], [2, "3"]]);
  // The same key as bytes.
  await put(broker, { key: new TextEncoder().encode("b"), value: "4" });
  assertEquals(kept(file.path), [[2, "3"], [3, "4"]]);
  assertEquals(await put(broker, { value: "x" }), [
    `no: Cannot append to topic "${TOPIC}": it is compacted by key, and the record has no key`,
  ]);
  // Performed, and older than `retention.ms`: that is for topics that are not compacted.
  await broker.admin.create([{ name: "cleaned", config: { "retention.ms": "0" } }]);
  await broker.append("cleaned", [{ value: "x" }]);
  await using member = new Member(file.path, { topics: [TOPIC, "cleaned"] });
  await member.received(3);
  assertEquals(member.recorder.values(), ["3", "4", "x"]);
  const marks = [...member.recorder.live].map(([ownership, next]) => ({ ownership, next: next!, metadata: "" }));
  assertEquals(await member.consumer.commit(marks), ["committed", "committed"]);
  const ends = async () => (await broker.admin.ends("cleaned"))[0]!;
  await until(async () => (await ends()).low === 1, () => "the topic beside it is not cleaned");
  assertEquals(kept(file.path), [[2, "3"], [3, "4"]]);
});

Deno.test("sqlite: a tombstone goes once its owner has read it, whatever is committed, and the partition ends where it did", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path, 1, COMPACTED);
  await using member = new Member(file.path);
  await member.owns(1);
  await put(member.broker, { key: "a", value: "1" }, { key: "b", value: "2" }, { key: "b", value: null });
  await member.received(2);
  await until(() => kept(file.path).length === 1, () => JSON.stringify(kept(file.path)));
  assertEquals(kept(file.path), [[0, "1"]]);
  assertEquals(await put(member.broker, { key: "d", value: "5" }), ["at 3"]);
  assertEquals(rows(file.path, "SELECT committed FROM group_offsets"), [[null]]);
});

Deno.test("sqlite: a tombstone stays while its owner pauses the partition, and goes once it is read", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path, 2, COMPACTED);
  await using member = new Member(file.path);
  await member.owns(2);
  const paused = member.recorder.own(0);
  member.consumer.pause(paused);
  await put(member.broker, { key: "a", value: null, partition: 0 });
  for (let round = 1; round <= 2; round++) {
    // The other partition shows that the tombstones were looked at: the second time all of them.
    await put(member.broker, { key: "b", value: null, partition: 1 });
    await member.received(round);
    await until(() => kept(file.path).length === 1, () => JSON.stringify(kept(file.path)));
  }
  assertEquals(rows(file.path, "SELECT CAST(key AS TEXT) FROM records"), [["a"]]);
  member.consumer.resume(paused);
  await until(() => kept(file.path).length === 0, () => JSON.stringify(kept(file.path)));
});

Deno.test("sqlite: beside the owner of another group a tombstone stays for the topic's delete.retention.ms", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path, 1, { ...COMPACTED, "delete.retention.ms": "60000" });
  // The other one, on another process, has read nothing.
  outside(file.path, [
    "INSERT INTO leases (group_name, partition_id, owner) VALUES ('other', (SELECT id FROM partitions), 'process')",
  ]);
  await using member = new Member(file.path);
  await member.owns(1);
  await put(member.broker, { key: "a", value: null }, { key: "b", value: null });
  await member.received(2);
  // One of them is old, and goes: the younger one stays in the same round.
  outside(file.path, ["UPDATE records SET timestamp_ms = timestamp_ms - 60000 WHERE offset = 0"]);
  await until(() => kept(file.path).length === 1, () => JSON.stringify(kept(file.path)));
  assertEquals(kept(file.path), [[1, null]]);
  outside(file.path, ["DELETE FROM leases WHERE group_name = 'other'"]);
  await until(() => kept(file.path).length === 0, () => JSON.stringify(kept(file.path)));
});

Deno.test("sqlite: the lease of an owner that died keeps tombstones until it is taken over", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path, 1, COMPACTED);
  outside(file.path, [
    "INSERT INTO leases (group_name, partition_id, owner) VALUES ('shop', (SELECT id FROM partitions), 'dead')",
  ]);
  await using broker = openBroker(file.path);
  await put(broker, { key: "a", value: null });
  outside(file.path, ["UPDATE records SET timestamp_ms = 0"]);
  await put(broker, { key: "b", value: "1" });
  assertEquals(kept(file.path), [[0, null], [1, "1"]]);
  outside(file.path, ["DELETE FROM leases"]);
  await put(broker, { key: "c", value: "1" });
  assertEquals(kept(file.path), [[1, "1"], [2, "1"]]);
});

Deno.test("sqlite: many old tombstones are removed a hundred at a time", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path, 1, COMPACTED);
  await using broker = openBroker(file.path);
  await put(broker, ...Array.from({ length: 250 }, (_, n) => ({ key: `k${n}`, value: null })));
  outside(file.path, ["UPDATE records SET timestamp_ms = 0"]);
  const left: number[] = [];
  for (let n = 0; n < 4; n++) {
    await put(broker, { key: "later", value: "x" });
    left.push(kept(file.path).length - 1);
  }
  assertEquals(left, [150, 50, 0, 0]);
});

Deno.test("sqlite: superseding a record reads an index, not the topic", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path);
  const plan = rows(
    file.path,
    "EXPLAIN QUERY PLAN DELETE FROM records WHERE is_compacted = 1 AND partition_id = 1 " +
      "AND ifnull(substr(CAST(key AS BLOB), -8), x'') = ifnull(substr(CAST('a' AS BLOB), -8), x'') AND CAST(key AS BLOB) = CAST('a' AS BLOB) AND id < 5",
  ).flat().join();
  assert(plan.includes("USING INDEX compacted_keys (partition_id=? AND <expr>=? AND <expr>=? AND rowid<?)"), plan);
});

Deno.test("sqlite: the first tombstones of a partition are found by an index, in the order of their offsets", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path);
  const plan = rows(
    file.path,
    "EXPLAIN QUERY PLAN SELECT id, timestamp_ms FROM records " +
      "WHERE is_compacted = 1 AND value IS NULL AND partition_id = 1 AND id < 5 ORDER BY id LIMIT 100",
  ).flat().join();
  assert(plan.includes("USING INDEX tombstones (partition_id=? AND rowid<?)") && !plan.includes("B-TREE"), plan);
});
