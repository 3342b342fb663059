/** The format of the file: the limits of a record's id, and one lease and fence per partition. */
import { assertEquals, assertRejects } from "@std/assert";
import type { AppendOutcome } from "../../../src/broker/broker.ts";
import { BrokerError } from "../../../src/errors.ts";
import { MAX_OFFSET, MAX_PARTITION_ID } from "../../../src/broker/sqlite/record_id.ts";
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
