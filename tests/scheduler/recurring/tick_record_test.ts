/** The records of recurring jobs: written, read, and forged. */
import { assertEquals } from "@std/assert";
import type { StoredRecord } from "../../../src/broker/record.ts";
import { readScheduled, scheduleRecord } from "../../../src/dispatch/schedule.ts";
import { decodeTick, encodeTick, scheduleIdOf, type TickState } from "../../../src/scheduler/recurring/tick_record.ts";

const POSITION = { topic: "default", partition: 1, offset: 7 };
const STATE: TickState = {
  tickAtMs: 2000,
  definition: "a1",
  last: { tickAtMs: 1000, jobId: "nightly/1970-01-01T00:00:01.000Z", position: POSITION },
  ends: { 0: 5, 1: 8 },
  cancelled: [1500],
};

function read(recurring: string, jobId = scheduleIdOf("nightly")): ReturnType<typeof decodeTick> {
  const { key, value, headers } = scheduleRecord({ value: "{}" }, {
    jobId,
    dueAtMs: 1500,
    targetTopic: "t",
    recurring,
  });
  const stored: StoredRecord = { offset: 3, key: key!, value, headers: headers!, timestampMs: 0 };
  const schedule = readScheduled(stored);
  return schedule.kind === "schedule" ? decodeTick(3, schedule) : null;
}

Deno.test("the record of a recurring job is read as it was written", () => {
  assertEquals(read(encodeTick(STATE)), { ...STATE, id: "nightly", offset: 3, dueAtMs: 1500 });
  const first = { ...STATE, last: null, ends: null, cancelled: [] };
  assertEquals(read(encodeTick(first)), { ...first, id: "nightly", offset: 3, dueAtMs: 1500 });
});

Deno.test("a forged record is not that of a recurring job", () => {
  const forged = [
    "",
    "null",
    "[]",
    "{",
    JSON.stringify({ ...STATE, tickAtMs: "2000" }),
    JSON.stringify({ ...STATE, tickAtMs: 9e15 }),
    JSON.stringify({ ...STATE, definition: 1 }),
    JSON.stringify({ ...STATE, last: {} }),
    JSON.stringify({ ...STATE, last: { ...STATE.last, jobId: "nightly/1970-01-01T00:00:02.000Z" } }),
    JSON.stringify({ ...STATE, last: { ...STATE.last, jobId: "other/1970-01-01T00:00:01.000Z" } }),
    JSON.stringify({ ...STATE, cancelled: 5 }),
    JSON.stringify({ ...STATE, cancelled: [-1] }),
    JSON.stringify({ ...STATE, cancelled: Array(101).fill(1) }),
    // It would be due after its tick.
    JSON.stringify({ ...STATE, tickAtMs: 1499 }),
    JSON.stringify({ ...STATE, last: { ...STATE.last, position: { ...POSITION, offset: -1 } } }),
    JSON.stringify({ ...STATE, ends: { 0: "5" } }),
    JSON.stringify({ ...STATE, ends: 5 }),
  ];
  for (const text of forged) assertEquals(read(text), null, text);
  assertEquals(read(encodeTick(STATE), "nightly"), null);
  assertEquals(read(encodeTick(STATE)) === null, false);
});
