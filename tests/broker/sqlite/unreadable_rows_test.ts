/**
 * Rows that another program changed, so that no version of the library wrote them: such a record is dead-lettered or
 * its partition waits, the reason is reported with its place, and every other job is performed.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { activeJobTopic, App, Job } from "../../../mod.ts";
import { openBroker, outside, TemporaryFile } from "./harness.ts";
import { fill, makeTopic, Member } from "./member.ts";

const PERFORMED: string[] = [];

class EchoJob extends Job {
  perform(text: string) {
    PERFORMED.push(text);
  }
}

/** Every job but the one at offset 1 of partition 0, which most cases change. */
const OTHERS = ["default 0@0", "default 0@2", "default 1@0", "default 1@1", "default 1@2", "other 0@0"];
const ALL = [...OTHERS, "default 0@1"].sort();

interface Outcome {
  readonly performed: string[];
  readonly deadLettered: { readonly place: string; readonly error: string }[];
  readonly errors: string[];
}

/** Makes a file with seven jobs in three partitions, changes it with a statement, and performs what there is. */
async function performAfter(sql: string): Promise<Outcome> {
  using file = new TemporaryFile();
  PERFORMED.length = 0;
  const outcome: Outcome = { performed: PERFORMED, deadLettered: [], errors: [] };
  await using app = new App({
    name: "shop",
    broker: `sqlite:${file.path}`,
    jobs: [EchoJob],
    logger: false,
    topics: [
      activeJobTopic("default", { partitions: 2, deadLetterQueue: { topic: "dead", maxRetries: 0 } }),
      activeJobTopic("other"),
    ],
  });
  await app.applyTopics();
  await using broker = openBroker(file.path);
  for (const [topic, partition, count] of [["default", 0, 3], ["default", 1, 3], ["other", 0, 1]] as const) {
    for (let offset = 0; offset < count; offset++) {
      const job = { job_class: "EchoJob", arguments: [`${topic} ${partition}@${offset}`] };
      await broker.append(topic, [{ partition, key: "k", value: JSON.stringify(job) }]);
    }
  }
  outside(file.path, [sql]);
  app.on("record.dead_lettered", ({ topic, partition, offset, error }) => {
    outcome.deadLettered.push({ place: `${topic}/${partition}@${offset}`, error: error.message });
  });
  app.on("error.occurred", ({ where, error }) => outcome.errors.push(`${where}: ${error.message}`));
  await app.worker().run(undefined, { once: true });
  return outcome;
}

const RECORD = `WHERE partition_id = 1 AND "offset" = 1`;

const NOT_HEADERS = "The headers are not a JSON array of names and values";

/** Records that cannot be read: the column and its value, and the reason. */
const POISON: readonly (readonly [change: string, reason: string])[] = [
  ["headers = '{'", NOT_HEADERS],
  ["headers = 5", NOT_HEADERS],
  ["headers = 'null'", NOT_HEADERS],
  ["headers = '[null]'", NOT_HEADERS],
  ["headers = '[[1, 2]]'", NOT_HEADERS],
  [`headers = '[["a", "b", "c"]]'`, NOT_HEADERS],
  [`headers = '[["a", "€"]]'`, NOT_HEADERS],
  // Half a billion bytes would be allocated and copied, while every other job waits.
  [`headers = '[["a", {"length": 1e9}]]'`, NOT_HEADERS],
  ["value = 5", "The value is stored as integer, not as text or bytes"],
  ["value = 5.5", "The value is stored as real, not as text or bytes"],
  ["value = 9223372036854775807", "The value is stored as integer, not as text or bytes"],
  ["value = zeroblob(100000000)", "The value is larger than 67108864 bytes"],
  ["value = CAST(x'7bff7d' AS TEXT)", "The value is text that is not UTF-8"],
  ["key = 42", "The key is stored as integer, not as text or bytes"],
];

for (const [change, reason] of POISON) {
  Deno.test(`sqlite: a record with ${change} is dead-lettered, and all others are performed`, async () => {
    const { performed, deadLettered, errors } = await performAfter(`UPDATE records SET ${change} ${RECORD}`);
    assertEquals(performed.toSorted(), OTHERS);
    assertEquals(deadLettered, [{ place: "default/0@1", error: reason }]);
    assertEquals(errors, []);
  });
}

Deno.test("sqlite: a record with a replacement character and a byte order mark is readable, and handed over as it is", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path);
  const value = "\ufeffa \ufffd b";
  await fill(file.path, 1, value);
  await using member = new Member(file.path);
  await member.received(1);
  const { record } = member.recorder.received[0]!;
  assertEquals([record.value, record.unreadable], [value, undefined]);
});

/** Values that count as absent: nothing is lost, and no partition stops. */
const ABSENT: readonly string[] = [
  `UPDATE records SET timestamp_ms = 9223372036854775807 ${RECORD}`,
  `UPDATE records SET timestamp_ms = -1 ${RECORD}`,
  "INSERT INTO group_offsets VALUES ('shop', 1, 1, 0, hex(zeroblob(1000000)), 0)",
  "INSERT INTO group_offsets VALUES ('shop', 1, 9223372036854775807, 0, '', 0)",
  "INSERT INTO group_offsets VALUES ('shop', 1, 9007199254740993, 0, '', 0)",
  "INSERT INTO group_offsets VALUES ('shop', 1, -5, 0, '', 0)",
  "INSERT INTO leases VALUES ('shop', 1, 'no member', 'nor this')",
  "INSERT INTO members VALUES ('shop', 'other', '[\"jobs\"]', 9223372036854775807, 9223372036854775807)",
  "INSERT INTO members VALUES ('shop', 'other', '[\"jobs\"]', 4102444800000, 999999999999999)",
  "INSERT INTO members VALUES ('shop', 'other', '{', 4102444800000, 60000)",
  "INSERT INTO members VALUES ('shop', 'other', '[null, {}]', 4102444800000, 60000)",
  "DELETE FROM assignment_version",
  "UPDATE topics SET config = '{'",
  "UPDATE topics SET config = 'null'",
  `UPDATE topics SET config = '{"max.message.bytes": "x", "retention.ms": {}}'`,
  "UPDATE partitions SET low = 100 WHERE id = 1",
  "UPDATE partitions SET low = -100 WHERE id = 1",
  "UPDATE partitions SET high = 9223372036854775807 WHERE id = 1",
];

for (const sql of ABSENT) {
  Deno.test(`sqlite: after "${sql}" every job is performed`, async () => {
    const { performed, deadLettered, errors } = await performAfter(sql);
    assertEquals([performed.toSorted(), deadLettered, errors], [ALL, [], []]);
  });
}

for (const committed of ["9007199254740993", "-5"]) {
  Deno.test(`sqlite: a group with the committed offset ${committed} starts at the beginning, and says so with the place`, async () => {
    const sql = `INSERT INTO group_offsets VALUES ('shop', 1, 1, ${committed}, '', 0)`;
    const { performed, errors } = await performAfter(sql);
    assertEquals(performed.toSorted(), ALL);
    assertEquals(errors, [
      `group offsets: The committed offset of group "shop" for default/0 is ${committed}, which is not an offset: the ` +
      "group starts at default/0@0",
    ]);
  });
}

Deno.test("sqlite: a group whose committed offset lies beyond the end says so with the place; other partitions go on", async () => {
  const { performed, errors } = await performAfter("INSERT INTO group_offsets VALUES ('shop', 1, 1, 9, '', 0)");
  assertEquals(performed.toSorted(), ALL.filter((text) => !text.startsWith("default 0")));
  assertEquals(errors, [
    'group offsets: The committed offset of group "shop" is default/0@9, but the partition ends at default/0@3: no job ' +
    "of it is performed until it grows beyond",
  ]);
});

/** Statements that the tables refuse: these values can never be read. */
const REFUSED: readonly string[] = [
  "INSERT INTO members VALUES ('shop', 'other', '[]', 'x', 'y')",
  "INSERT INTO leases VALUES ('shop', 1, x'00', NULL)",
  "INSERT INTO group_offsets VALUES ('shop', 1, 'x', 0, '', 0)",
  "INSERT INTO group_offsets VALUES ('shop', 1, 1, 0.5, '', 0)",
  "INSERT INTO group_offsets VALUES ('shop', 1, 1, 0, x'00', 0)",
  `UPDATE records SET timestamp_ms = 'x' ${RECORD}`,
  `UPDATE records SET headers = x'00ff' ${RECORD}`,
  "UPDATE records SET id = -1",
  "UPDATE partitions SET low = 'x'",
  "INSERT INTO partitions (topic_id, partition) VALUES (1, -1)",
];

Deno.test("sqlite: the tables refuse values of other types", async () => {
  for (const sql of REFUSED) {
    const error = await assertRejects(() => performAfter(sql), Error);
    assert(/cannot store|CHECK constraint/.test(error.message), `${sql}: ${error.message}`);
  }
});

Deno.test("sqlite: a table that another program dropped ends the worker, and the error names it", async () => {
  const { message } = await assertRejects(() => performAfter("DROP TABLE group_offsets"), Error);
  assert(/^Cannot (read|write to) ".*jobs\.db": no such table: group_offsets$/.test(message), message);
});
