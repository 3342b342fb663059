/** Schedules that are removed before they are released: the key in the log decides, and the order of tombstones. */
import { assertEquals } from "@std/assert";
import type { NewRecord } from "../../src/broker/broker.ts";
import { cancellationRecord, NO_ORDER, scheduleRecord } from "../../src/dispatch/schedule.ts";
import { Monitor } from "../../src/monitor/monitor.ts";
import type { SchedulerContext } from "../../src/scheduler/context.ts";
import type { HashKey } from "../../src/scheduler/hash.ts";
import { type Removal, Removals } from "../../src/scheduler/removals.ts";
import { ScheduleIndex } from "../../src/scheduler/schedule_index.ts";
import { TombstoneWriter } from "../../src/scheduler/tombstones.ts";
import { FaultInjectionLog } from "../support/fault_injection_log.ts";

const TOPIC = "scheduled";

/** Removals over a log with the schedules of these jobs, in order. */
async function setUp(jobIds: readonly string[], hashKey?: HashKey) {
  const broker = new FaultInjectionLog().open();
  await broker.admin.create([{ name: TOPIC, config: { "cleanup.policy": "compact" } }]);
  const records = jobIds.map((jobId) => scheduleRecord({ value: "" }, { jobId, dueAtMs: 1, targetTopic: "t" }));
  await broker.append(TOPIC, records);
  const index = new ScheduleIndex(hashKey);
  records.forEach(({ key }, offset) =>
    index.add({ offset, key: key as string, jobIdLength: jobIds[offset]!.length, dueAtMs: offset, bytes: 1 })
  );
  const written: unknown[] = [];
  const append = async (topic: string, record: NewRecord) => {
    written.push(record.key);
    return (await broker.append(topic, [record]))[0]!;
  };
  const context = { topic: TOPIC, admin: broker.admin, append, monitor: new Monitor() } as unknown as SchedulerContext;
  const { signal } = new AbortController();
  const finished: Removal[] = [];
  const held = new Set<number>();
  const removals = new Removals({
    context,
    partition: 0,
    index,
    tombstones: new TombstoneWriter(context, 0, signal),
    signal,
    isHeld: (offset) => held.has(offset),
    onFinished: (removal) => void finished.push(removal),
  });
  const remove = (offset: number, jobId: string) => {
    index.markRemoved(offset);
    removals.add({ kind: "cancelled", offset, jobId, order: NO_ORDER });
  };
  return { broker, index, removals, remove, written, finished, held, keys: records.map(({ key }) => key) };
}

Deno.test("a schedule of another job with the same hash waits again", async () => {
  const same: HashKey = (_key, _length, into) => void Object.assign(into, { high: 7, low: 7, rest: 7 });
  const { broker, index, removals, remove, written, keys } = await setUp(["a", "b"], same);
  await using _ = broker;
  for (const offset of index.offsetsOf("a")) remove(offset, "a");
  assertEquals(index.nextDueAtMs, null);
  assertEquals(await removals.settle(), true);
  assertEquals([written, index.front, index.nextDueAtMs, removals.length], [[keys[0]], 1, 1, 0]);
});

Deno.test("a schedule that is held keeps its place until it is free", async () => {
  const { broker, index, removals, remove, written, held, keys } = await setUp(["a", "b"]);
  await using _ = broker;
  held.add(0);
  remove(0, "a");
  remove(1, "b");
  assertEquals([await removals.settle(), written, index.front], [true, [keys[1]], 0]);
  assertEquals([await removals.settle(), removals.length], [false, 1]);
  held.clear();
  assertEquals([await removals.settle(), written, index.front], [true, [keys[1], keys[0]], null]);
});

Deno.test("a cancellation gets its tombstone after those of what it cancels are acknowledged", async () => {
  const { broker, removals, remove, written, held, finished, keys } = await setUp(["a"]);
  await using _ = broker;
  const cancellation = cancellationRecord("a");
  await broker.append(TOPIC, [cancellation]);
  held.add(0);
  remove(0, "a");
  removals.addCancellation(1, cancellation.key as string, [0]);
  assertEquals([await removals.settle(), removals.front], [false, 1]);
  held.clear();
  while (await removals.settle());
  assertEquals([written, finished.length, removals.front], [[keys[0], cancellation.key], 1, Infinity]);
});

Deno.test("a schedule that is not in the log any more needs no tombstone", async () => {
  const { broker, index, removals, remove, written, keys } = await setUp(["a"]);
  await using _ = broker;
  await broker.append(TOPIC, [{ key: keys[0]!, value: null }]);
  remove(0, "a");
  await removals.settle();
  assertEquals([written, index.size, removals.length], [[], 0, 0]);
});
