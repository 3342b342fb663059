/** Dead letters read from records that any client may have written. */
import { assertEquals } from "@std/assert";
import type { Headers, StoredRecord } from "../../src/broker/record.ts";
import { readDetails, readLetter } from "../../src/dead_letters/letter.ts";

const AT = { topic: "dead", partition: 1, offset: 7 };
const bytes = (value: string) => new TextEncoder().encode(value);
const own = (fields: Record<string, string>): Headers =>
  Object.entries(fields).map(([name, value]) => [`dead-letter-${name}`, bytes(value)] as const);
const record = (more: Partial<StoredRecord> = {}): StoredRecord => ({
  offset: 7,
  key: "k",
  value: JSON.stringify({ job_class: "MailJob", job_id: "a", arguments: [1] }),
  headers: own({ topic: "default", partition: "2", offset: "41", attempts: "3", "error-class": "TypeError" }),
  timestampMs: 1000,
  ...more,
});
const read = (more: Partial<StoredRecord>) => readLetter(record(more), AT, null, 1000);

Deno.test("a dead letter is read from its headers and its envelope", () => {
  assertEquals(read({ headers: [...record().headers, ...own({ "error-message": "no 1" })] }), {
    ...AT,
    deadLetteredAt: new Date(1000),
    jobClass: "MailJob",
    jobId: "a",
    errorClass: "TypeError",
    errorMessage: "no 1",
    source: { topic: "default", partition: 2, offset: 41 },
    attempts: 3,
    handled: null,
  });
});

Deno.test("a forged count counts for nothing", () => {
  for (const forged of ["-1", "1e9", "0x10", " 5 ", "", "5.0", "9".repeat(17), "9".repeat(16), "١"]) {
    assertEquals(read({ headers: own({ attempts: forged }) }).attempts, null, forged);
    assertEquals(read({ headers: own({ topic: "default", partition: "0", offset: forged }) }).source, null, forged);
  }
});

Deno.test("a source is a name that Kafka accepts, with a partition and an offset", () => {
  for (const topic of ["", ".", "..", "../x", "a b", "a\u0000", "é", "x".repeat(250)]) {
    assertEquals(read({ headers: own({ topic, partition: "0", offset: "1" }) }).source, null, topic);
  }
  assertEquals(read({ headers: own({ topic: "default", partition: "0" }) }).source, null);
});

Deno.test("the last header of a name counts, and headers without a value or with bad UTF-8 do no harm", () => {
  const twice: Headers = [...own({ "error-class": "First" }), ...own({ "error-class": "Last" })];
  assertEquals(read({ headers: twice }).errorClass, "Last");
  assertEquals(read({ headers: [["dead-letter-error-class", null]] }).errorClass, null);
  assertEquals(read({ headers: [["dead-letter-error-class", new Uint8Array([0xff])]] }).errorClass, "\ufffd");
});

Deno.test("huge strings are cut", () => {
  const letter = read({
    headers: own({ "error-class": "E".repeat(1_000_000), "error-message": "é".repeat(1_000_000) }),
    value: JSON.stringify({ job_class: "C".repeat(500), job_id: "i".repeat(400) }),
  });
  assertEquals([letter.errorClass, letter.errorMessage, letter.jobClass, letter.jobId].map((text) => text!.length), [
    255,
    4096,
    255,
    255,
  ]);
});

Deno.test("a value that is not an envelope, or is too large, has no class", () => {
  const large = JSON.stringify({ job_class: "MailJob", arguments: ["x".repeat(1000)] });
  for (
    const value of ["{", "[]", "null", "1", JSON.stringify({ job_class: 1 }), large, bytes(large), "", null]
  ) {
    assertEquals([read({ value }).jobClass, read({ value }).jobId], [null, null], String(value).slice(0, 20));
  }
  assertEquals(read({ unreadable: "codec" }).jobClass, null);
});

Deno.test("a record without a valid time has none", () => {
  for (const timestampMs of [-1, 0, 8.64e15 + 1]) assertEquals(read({ timestampMs }).deadLetteredAt, null);
});

Deno.test("data that is too deep to be written as JSON again is not an envelope, and its value stays", () => {
  const nested = (depth: number) => `{"job_class":"A","arguments":${"[".repeat(depth)}1${"]".repeat(depth)}}`;
  const detailsOf = (value: string) => readDetails(record({ value }), AT, null, 1e6);
  assertEquals(detailsOf(nested(900)).envelope?.job_class, "A");
  const deep = detailsOf(nested(400_000));
  assertEquals([deep.envelope, deep.jobClass, deep.value?.length], [null, "A", nested(400_000).length]);
  assertEquals(JSON.parse(JSON.stringify(deep)).jobClass, "A");
});

Deno.test("the details have the whole record", () => {
  const headers: Headers = [...own({ group: "shop" }), ["mine", null], ["mine", bytes("1")]];
  const details = readDetails(record({ headers, key: bytes("k") }), AT, null, 1000);
  assertEquals([details.group, details.key, details.headers, details.envelope], [
    "shop",
    "k",
    [["dead-letter-group", "shop"], ["mine", null], ["mine", "1"]],
    { job_class: "MailJob", job_id: "a", arguments: [1] },
  ]);
});
