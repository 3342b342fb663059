/** The records of the control topic: written and read, and nothing else is read. */
import { assertEquals } from "@std/assert";
import type { NewRecord, StoredRecord } from "../../src/broker/broker.ts";
import { cancelRecord, endRecord, keyOf, pauseRecord, readOrder as readOrderAt } from "../../src/control/record.ts";

const AT = Date.UTC(2026, 10, 27, 3);
const PAUSE = { by: "ada", why: "a bad deploy", atMs: AT };

function stored({ key = null, value, headers = [] }: NewRecord): StoredRecord {
  return { offset: 0, key, value, headers, timestampMs: AT };
}

const readOrder = (record: StoredRecord) => readOrderAt(record, AT);

/** Reads a record with this value, as if another program had written it. */
function readValue(key: string, value: unknown) {
  return readOrder(stored({ key, value: typeof value === "string" ? value : JSON.stringify(value) }));
}

Deno.test("the pause of a topic, or of a partition, is read as it was written, from strings and from bytes", () => {
  for (const partition of [null, 0, 12]) {
    const record = stored(pauseRecord("shop.mail", partition, PAUSE));
    const bytes = { ...record, value: new TextEncoder().encode(record.value as string) };
    for (const each of [record, bytes]) {
      assertEquals(readOrder(each)?.order, { kind: "pause", topic: "shop.mail", partition, pause: PAUSE });
    }
  }
  assertEquals(keyOf({ kind: "pause", topic: "mail", partition: 3 }), "pause/mail/3");
});

Deno.test("the cancellation of a job is read as it was written, whatever its id is", () => {
  const cancellation = { by: "ada", why: null, atMs: AT, expiresAtMs: AT + 1000 };
  for (const jobId of ["0197f2b4", "a/b/c", "größer\n", "pause/mail"]) {
    const read = readOrder(stored(cancelRecord(jobId, cancellation)));
    assertEquals(read?.order, { kind: "cancel", jobId, cancellation });
  }
});

Deno.test("a tombstone ends an order, and names the user", () => {
  const subject = { kind: "pause", topic: "mail", partition: null } as const;
  const read = readOrder(stored(endRecord(subject, "grace")));
  assertEquals([read?.order, read?.endedBy], [{ ...subject, pause: null }, "grace"]);
  assertEquals(readOrder(stored({ key: "cancel/1", value: null }))?.endedBy, null);
});

Deno.test("a record that is not exactly an order is not read", () => {
  const at = new Date(AT).toISOString();
  const good = { by: "ada", at, why: null };
  assertEquals(readValue("pause/mail", good)?.order.kind, "pause");
  assertEquals(readValue("pause/mail", { ...good, more: "of a later version" })?.order.kind, "pause");
  const keys = [
    "",
    "pause",
    "pause/",
    "pause/mail/",
    "pause/mail/01",
    "pause/mail/123456",
    "pause/mail/0/0",
    "Pause/mail",
  ];
  for (
    const key of [
      ...keys,
      "pause/ma il",
      "pause/mail\n",
      "cancel/",
      "cancel",
      `cancel/${"x".repeat(1001)}`,
      "stop/mail",
    ]
  ) {
    assertEquals(readValue(key, { ...good, expiresAt: at }), null, key);
  }
  const values = [
    ...["", "{", "null", "[]", '"ada"', "x".repeat(9000)],
    ...[{}, { ...good, by: "" }, { ...good, by: 1 }, { ...good, by: "x".repeat(256) }, { by: "ada", at }],
    ...[{ ...good, why: 1 }, { ...good, why: "x".repeat(1001) }, { ...good, at: "yesterday" }, { ...good, at: AT }],
    { ...good, at: "2026-11-27" },
  ];
  for (const value of values) assertEquals(readValue("pause/mail", value), null, JSON.stringify(value));
  const expiries = [undefined, null, "never", new Date(AT + 401 * 86_400_000).toISOString()];
  for (const expiresAt of expiries) assertEquals(readValue("cancel/1", { ...good, expiresAt }), null, `${expiresAt}`);
  assertEquals(readOrder(stored({ key: null, value: JSON.stringify(good) })), null);
  assertEquals(readOrder(stored({ key: "pause/mail", value: new Uint8Array([0xff, 0xfe]) })), null);
});

Deno.test("an order from more than a day ahead is not read, whatever the time of its record is", () => {
  const dayMs = 86_400_000;
  for (const [atMs, isRead] of [[AT + dayMs, true], [AT + dayMs + 1, false], [8.64e15, false]] as const) {
    const pause = { ...PAUSE, atMs };
    const expiresAtMs = Math.min(atMs + 1000, 8.64e15);
    for (const record of [pauseRecord("mail", null, pause), cancelRecord("1", { ...pause, expiresAtMs })]) {
      assertEquals(readOrder({ ...stored(record), timestampMs: atMs }) !== null, isRead, `${record.key} ${atMs}`);
    }
  }
});
