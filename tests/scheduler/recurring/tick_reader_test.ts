/** Reading the records that count: once in all, then only what has come since. */
import { assertEquals } from "@std/assert";
import { Job } from "../../../mod.ts";
import type { BrokerAdmin } from "../../../src/broker/broker.ts";
import { cancellationRecord, forgettingRecord, scheduleRecord } from "../../../src/dispatch/schedule.ts";
import { every } from "../../../src/recurring/mod.ts";
import { encodeTick, scheduleIdOf } from "../../../src/scheduler/recurring/tick_record.ts";
import { TickReader } from "../../../src/scheduler/recurring/tick_reader.ts";
import { FaultInjectionLog } from "../../support/fault_injection_log.ts";

const HOUR_MS = 3_600_000;
const NOW_MS = Date.parse("2026-12-01T08:30:00Z");
const TOPIC = "shop_scheduled_jobs";
const GROUP = "shop_scheduler";

class NoteJob extends Job {
  perform() {}
}

const DEFINITIONS = [every({ hours: 1 }, NoteJob.of(), { id: "note" })];
const due = { dueAtMs: NOW_MS + 1, targetTopic: "jobs" };
const waiting = () => scheduleRecord({ value: "{}" }, { jobId: crypto.randomUUID(), ...due });

function tickRecord(tickAtMs: number, id = "note") {
  const recurring = encodeTick({ tickAtMs, definition: "", last: null, ends: null, cancelled: [] });
  return scheduleRecord({ value: "{}" }, { jobId: scheduleIdOf(id), ...due, recurring });
}

function setUp() {
  const log = new FaultInjectionLog();
  log.createTopic(TOPIC, 1, { "cleanup.policy": "compact" });
  const { admin } = log.open();
  let count = 0;
  const counted: Pick<BrokerAdmin, "committed" | "read"> = {
    committed: (group, topic) => admin.committed(group, topic),
    async read(topic, partition, options) {
      const page = await admin.read(topic, partition, options);
      count += page.records.length;
      return page;
    },
  };
  const reader = new TickReader(TOPIC, GROUP, DEFINITIONS);
  const append = (...records: Parameters<FaultInjectionLog["append"]>[1]) => void log.append(TOPIC, records);
  /** Returns the tick that waits, in hours from now, and the number of records that were read for it. */
  const read = async (nowMs = NOW_MS) => {
    const before = count;
    const tickAtMs = (await reader.read(counted, nowMs)).get("note")?.tickAtMs;
    return [tickAtMs === undefined ? null : (tickAtMs - NOW_MS) / HOUR_MS, count - before];
  };
  return { log, admin, append, read };
}

Deno.test("the second reading takes in only what has come since, and calls at once read everything once", async () => {
  const { append, read } = setUp();
  append(tickRecord(NOW_MS + HOUR_MS), ...Array.from({ length: 2000 }, waiting));
  // Each count is that of all calls until then.
  assertEquals(await Promise.all([read(), read()]), [[1, 2001], [1, 2001]]);
  append(tickRecord(NOW_MS + 2 * HOUR_MS), waiting());
  assertEquals([await read(), await read()], [[2, 2], [2, 0]]);
});

Deno.test("a tombstone of the record that counts removes it, and one of an earlier record does not", async () => {
  const { append, read } = setUp();
  const [first, second] = [tickRecord(NOW_MS + HOUR_MS), tickRecord(NOW_MS + 2 * HOUR_MS)];
  append(first, second, { key: first.key!, value: null });
  assertEquals((await read())[0], 2);
  append({ key: second.key!, value: null });
  assertEquals((await read())[0], null);
});

Deno.test("a cancelled tick is left out; other ids, other jobs, and workers that forget the job change nothing", async () => {
  const { append, read } = setUp();
  append(tickRecord(NOW_MS + HOUR_MS / 2), tickRecord(NOW_MS + 9 * HOUR_MS, "other"), waiting());
  assertEquals((await read())[0], 0.5);
  append(forgettingRecord(scheduleIdOf("note")));
  assertEquals((await read())[0], 0.5);
  append(cancellationRecord(scheduleIdOf("note")), cancellationRecord(scheduleIdOf("other")));
  assertEquals((await read())[0], 1.5);
});

Deno.test("a record before the group's position does not count", async () => {
  const { admin, append, read } = setUp();
  append(tickRecord(NOW_MS + HOUR_MS), waiting(), waiting());
  assertEquals(await read(), [1, 3]);
  await admin.seek(GROUP, [{ topic: TOPIC, partition: 0, offset: 1 }]);
  assertEquals(await read(), [null, 0]);
});

Deno.test("everything is read again if the group's position was set back, and after a standstill", async () => {
  const { admin, append, read } = setUp();
  append(waiting(), tickRecord(NOW_MS + HOUR_MS));
  await admin.seek(GROUP, [{ topic: TOPIC, partition: 0, offset: 1 }]);
  assertEquals(await read(), [1, 1]);
  await admin.seek(GROUP, [{ topic: TOPIC, partition: 0, offset: 0 }]);
  assertEquals(await read(), [1, 2]);
  assertEquals([await read(NOW_MS + 600_000), await read(NOW_MS + 1_200_001)], [[1, 0], [1, 2]]);
});

Deno.test("a topic that is missing has no tick, and one that is made again with fewer records is read again", async () => {
  const { log, append, read } = setUp();
  append(waiting(), waiting(), tickRecord(NOW_MS + HOUR_MS));
  assertEquals(await read(), [1, 3]);
  log.recreateTopic(TOPIC, 1);
  append(tickRecord(NOW_MS + 2 * HOUR_MS));
  assertEquals(await read(), [2, 1]);
  log.deleteTopic(TOPIC);
  assertEquals(await read(), [null, 0]);
});
