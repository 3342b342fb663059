/** The format of the file: the limits of a record's id, one lease and fence per partition, and topics compacted by key. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { AppendOutcome, Broker, NewRecord } from "../../../src/broker/broker.ts";
import { BrokerError } from "../../../src/errors.ts";
import { MAX_OFFSET, MAX_PARTITION_ID } from "../../../src/broker/sqlite/record_id.ts";
import { until } from "../../support/until.ts";
import { openBroker, outside, rows, TemporaryFile } from "./harness.ts";
import { fill, GROUP, makeTopic, Member, TOPIC } from "./member.ts";

function lines(outcomes: readonly AppendOutcome[]): string[] {
  return outcomes.map((outcome) =>
    outcome.ok ? `at ${outcome.position.offset}` : `${outcome.written}: ${outcome.error.message}`
  );
}

Deno.test("sqlite: the last offset of a partition is written and read; the next record is refused, and no row is wrong", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path, 2);
  // Both ends of the id: the last partition there can be, and one whose neighbour must not be touched.
  outside(
    file.path,
    [`UPDATE partitions SET id = ${MAX_PARTITION_ID} WHERE partition = 1`],
    ["UPDATE partitions SET low = ?, high = ?", MAX_OFFSET - 1, MAX_OFFSET - 1],
  );
  await using member = new Member(file.path);
  await member.owns(2);
  for (const partition of [0, 1]) {
    const records = [0, 1, 2].map((n) => ({ partition, value: `${partition} ${n}` }));
    assertEquals(lines(await member.broker.append(TOPIC, records)), [
      `at ${MAX_OFFSET - 1}`,
      `at ${MAX_OFFSET}`,
      `no: Cannot append to partition ${partition} of topic "${TOPIC}": its offsets end at ${MAX_OFFSET}; use another ` +
      "topic, or start with a new file",
    ]);
  }
  await member.received(4);
  for (const partition of [0, 1]) {
    assertEquals(member.recorder.values(partition), [`${partition} 0`, `${partition} 1`]);
    assertEquals(await member.commit(MAX_OFFSET + 1, partition), "committed");
  }
  assertEquals((await member.broker.admin.committed(GROUP, TOPIC)).map(({ offset }) => offset), [
    MAX_OFFSET + 1,
    MAX_OFFSET + 1,
  ]);
});

Deno.test("sqlite: a file that has had all its partitions refuses more, and changes nothing", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path);
  outside(file.path, ["UPDATE sqlite_sequence SET seq = ? WHERE name = 'partitions'", MAX_PARTITION_ID - 1]);
  await using broker = openBroker(file.path);
  const refused = (topic: string, more: number) =>
    `Cannot give topic "${topic}" ${more} more partitions: the file has had ${MAX_PARTITION_ID - 1} of the ` +
    `${MAX_PARTITION_ID} partitions that it can have, deleted topics included; start with a new file`;
  await assertRejects(() => broker.admin.create([{ name: "more", partitions: 2 }]), BrokerError, refused("more", 2));
  await assertRejects(() => broker.admin.addPartitions(TOPIC, 3), BrokerError, refused(TOPIC, 2));
  assertEquals([...(await broker.admin.describe(["more"])).values()], [null]);
  await broker.admin.create([{ name: "last" }]);
  assertEquals(lines(await broker.append("last", [{ value: "x" }])), ["at 0"]);
  assertEquals(rows(file.path, "SELECT CAST(max(id) AS TEXT) FROM partitions"), [[`${MAX_PARTITION_ID}`]]);
});

Deno.test("sqlite: a topic that is created again shares no partition id with the deleted one, and takes none of its rows", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path, 2);
  await fill(file.path, 10);
  outside(file.path, ["DELETE FROM topics"]);
  assertEquals(rows(file.path, "SELECT count(*) FROM records"), [[0]]);
  await makeTopic(file.path, 2);
  assertEquals(rows(file.path, "SELECT id FROM partitions"), [[3], [4]]);
});

Deno.test("sqlite: a worker holds one lease and one fence for each partition; losing one costs that partition only", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path, 3);
  await using member = new Member(file.path, { sessionTimeoutMs: 60_000 });
  await member.owns(3);
  const leases = "SELECT partition_id, owner = (SELECT owner FROM leases LIMIT 1) FROM leases ORDER BY 1";
  assertEquals(rows(file.path, leases), [[1, 1], [2, 1], [3, 1]]);
  assertEquals(rows(file.path, "SELECT partition_id, fence FROM group_offsets ORDER BY 1"), [[1, 1], [2, 1], [3, 1]]);
  outside(
    file.path,
    [`INSERT INTO members VALUES ('${GROUP}', 'other', '[]', ?, 60000)`, Date.now() + 60_000],
    ["UPDATE leases SET owner = 'other' WHERE partition_id = 2"],
    ["UPDATE group_offsets SET fence = fence + 1 WHERE partition_id = 2"],
  );
  await member.owns(2);
  assertEquals(member.recorder.losses.map(({ ownership }) => ownership.partition), [1]);
  assertEquals([await member.commit(0, 0), await member.commit(0, 2)], ["committed", "committed"]);
  // Free again: no other member reads the topic.
  outside(file.path, ["DELETE FROM leases WHERE owner = 'other'"]);
  await member.owns(3);
  assertEquals(await member.commit(0, 1), "committed");
});

const COMPACTED = { "cleanup.policy": "compact", "retention.ms": "0", "delete.retention.ms": "1" };

/** The records of the file: offset and value. */
function kept(path: string): unknown[][] {
  return rows(path, `SELECT "offset", value FROM records ORDER BY id`);
}

async function put(broker: Broker, ...records: readonly NewRecord[]): Promise<string[]> {
  return lines(await broker.append(TOPIC, records));
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
      "AND CAST(key AS BLOB) = CAST('a' AS BLOB) AND id < 5",
  ).flat().join();
  assert(plan.includes("USING INDEX compacted_keys (partition_id=? AND <expr>=? AND rowid<?)"), plan);
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
