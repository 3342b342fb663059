/** The records of delayed jobs: written, read, and forged. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { NewRecord, StoredRecord } from "../../src/broker/record.ts";
import {
  cancellationRecord,
  forgettingRecord,
  jobIdOf,
  readScheduled,
  releasedRecord,
  scheduleRecord,
} from "../../src/dispatch/schedule.ts";
import { isReleased } from "../../src/routing/scheduled_topic.ts";

const encoder = new TextEncoder();
const bytes = (text: string) => encoder.encode(text);

function stored({ key, value, headers = [] }: NewRecord): StoredRecord {
  return { offset: 0, key: key ?? null, value, headers, timestampMs: 0 };
}

Deno.test("a schedule is read as it was written, and released with the job's own headers and key", () => {
  const job = { key: "order-1", value: "{}", headers: [["traceparent", bytes("00-a")] as const] };
  const written = scheduleRecord(job, { jobId: "a:b", dueAtMs: 1234.5, targetTopic: "orders" });
  const read = readScheduled(stored(written));
  assertEquals(read, {
    kind: "schedule",
    jobId: "a:b",
    dueAtMs: 1234,
    targetTopic: "orders",
    targetKey: bytes("order-1"),
    headers: [["traceparent", bytes("00-a")]],
    rewrites: null,
  });
  assert(read.kind === "schedule");
  const released = releasedRecord(read, "{}", 2000.9);
  assertEquals(released, {
    key: bytes("order-1"),
    value: "{}",
    headers: [["traceparent", bytes("00-a")], ["released-at", bytes("2000")]],
  });
  assertEquals([isReleased(released.headers!), isReleased(written.headers!)], [true, false]);
  const again = scheduleRecord(released, { jobId: "a:b", dueAtMs: 1, targetTopic: "orders", rewrites: 12 });
  const readAgain = readScheduled(stored(again));
  assertEquals(readAgain.kind === "schedule" && readAgain.rewrites, 12);
  assertNotEquals(again.key, written.key);
  assertEquals(isReleased(again.headers!), false);
});

Deno.test("a record without a key is scheduled without a target key; an empty key is a key", () => {
  for (const [key, targetKey] of [[null, null], ["", new Uint8Array(0)]] as const) {
    const read = readScheduled(
      stored(scheduleRecord({ key, value: "" }, { jobId: "a", dueAtMs: 1, targetTopic: "t" })),
    );
    assert(read.kind === "schedule");
    assertEquals(read.targetKey, targetKey);
  }
});

Deno.test("a cancellation names its job, and is not a tombstone", () => {
  assertEquals(readScheduled(stored(cancellationRecord("a:b"))), {
    kind: "cancellation",
    jobId: "a:b",
    isForgotten: false,
    order: { by: null, why: null },
  });
  assertEquals(readScheduled(stored(forgettingRecord("a:b"))), {
    kind: "cancellation",
    jobId: "a:b",
    isForgotten: true,
    order: { by: null, why: null },
  });
  assertEquals(readScheduled(stored({ key: "a:1", value: null })), { kind: "tombstone" });
});

Deno.test("a cancellation has the name and the reason of the operator; forged ones count for nothing", () => {
  const orderOf = (record: NewRecord) => {
    const read = readScheduled(stored(record));
    assert(read.kind === "cancellation");
    return read.order;
  };
  for (const order of [{ by: "ada", why: "wrong cüstomer" }, { by: "ada", why: null }]) {
    assertEquals(orderOf(cancellationRecord("a", order)), order);
  }
  for (const value of [null, bytes(""), new Uint8Array([0xff]), bytes("x".repeat(1001))]) {
    const headers = [["cancel", bytes("")], ["cancel-by", value], ["cancel-why", value]] as const;
    assertEquals(orderOf({ key: "a:1", value: "", headers }), { by: null, why: null });
  }
});

Deno.test("a forged record is unreadable, with a reason", () => {
  const due = ["due-at", bytes("1")] as const;
  const target = ["target-topic", bytes("t")] as const;
  const forged: [NewRecord, string][] = [
    [{ key: null, value: "", headers: [due, target] }, "its key names no job"],
    [{ key: ":1", value: "", headers: [due, target] }, "its key names no job"],
    [{ key: new Uint8Array([255, 58, 49]), value: "", headers: [due, target] }, "its key names no job"],
    [{ key: "a:1", value: "", headers: [target] }, 'it has no valid "due-at"'],
    [{ key: "a:1", value: "", headers: [["due-at", bytes("1e9")], target] }, 'it has no valid "due-at"'],
    [{ key: "a:1", value: "", headers: [["due-at", bytes("-1")], target] }, 'it has no valid "due-at"'],
    [{ key: "a:1", value: "", headers: [["due-at", null], target] }, 'it has no valid "due-at"'],
    [{ key: "a:1", value: "", headers: [due] }, 'it has no valid "target-topic"'],
    [
      { key: "a:1", value: "", headers: [due, ["target-topic", new Uint8Array([255])]] },
      'it has no valid "target-topic"',
    ],
  ];
  for (const [record, reason] of forged) {
    assertEquals(readScheduled(stored(record)), { kind: "unreadable", reason });
  }
  assertEquals(readScheduled({ ...stored({ key: "a:1", value: "" }), unreadable: "crc" }), {
    kind: "unreadable",
    reason: "crc",
  });
  assertEquals([jobIdOf("a"), jobIdOf("a:1"), jobIdOf("a:b:1")], [null, "a", "a:b"]);
  assertEquals([jobIdOf(`${"a".repeat(1000)}:1`)?.length, jobIdOf(`${"a".repeat(1100)}:1`)], [1000, null]);
});
