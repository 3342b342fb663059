/** The state of an operator's orders: the last record of each key counts, and nothing that is forged. */
import { assertEquals } from "@std/assert";
import type { NewRecord, StoredRecord } from "../../src/broker/broker.ts";
import { cancelRecord, endRecord, pauseRecord } from "../../src/control/record.ts";
import { ControlState } from "../../src/control/state.ts";

const pause = (atMs: number, why: string | null = null) => ({ by: "ada", why, atMs });

function stored({ key = null, value, headers = [] }: NewRecord): StoredRecord {
  return { offset: 0, key, value, headers, timestampMs: 0 };
}

function stateOf(...records: NewRecord[]): ControlState {
  const state = new ControlState((topic) => topic === "mail");
  for (const record of records) state.apply(stored(record));
  return state;
}

Deno.test("a topic is paused for each partition, and a partition for itself; a tombstone ends its own pause only", () => {
  const state = stateOf(pauseRecord("mail", null, pause(1, "all")), pauseRecord("mail", 2, pause(2, "one")));
  assertEquals([0, 2].map((partition) => state.pauseOf("mail", partition)?.why), ["all", "all"]);
  state.apply(stored(endRecord({ kind: "pause", topic: "mail", partition: null }, "grace")));
  assertEquals([0, 2].map((partition) => state.pauseOf("mail", partition)?.why), [undefined, "one"]);
  assertEquals([state.resumedBy("pause/mail"), state.resumedBy("pause/mail/2")], ["grace", null]);
});

Deno.test("an order about an unknown topic, an older one and a forged one change nothing", () => {
  const state = stateOf(
    pauseRecord("mail", null, pause(10, "new")),
    cancelRecord("1", { ...pause(10), expiresAtMs: 100 }),
  );
  const { version } = state;
  const forged = [
    pauseRecord("other", null, pause(20)),
    { key: "pause/mail", value: "{}" },
    { key: "pause/mail", value: JSON.stringify({ by: "mallory", at: "now", why: null }) },
  ];
  for (const record of forged) state.apply(stored(record));
  assertEquals(state.version, version);
  state.apply(stored(pauseRecord("mail", null, pause(9, "old"))));
  state.apply(stored(cancelRecord("1", { ...pause(9), expiresAtMs: 200 })));
  assertEquals([...state.paused.values()].map(({ pause: { why } }) => why), ["new"]);
  assertEquals(state.cancellationOf("1", 150), null);
});

Deno.test("a cancellation ends at its expiry, and by a tombstone", () => {
  const state = stateOf(...["1", "2"].map((id) => cancelRecord(id, { ...pause(0), expiresAtMs: 100 })));
  assertEquals([state.cancellationOf("1", 99)?.by, state.cancellationOf("1", 100)], ["ada", null]);
  state.apply(stored(endRecord({ kind: "cancel", jobId: "2" }, "ada")));
  assertEquals([...state.cancelled.keys()], ["1"]);
  state.removeExpired(100);
  assertEquals(state.cancelled.size, 0);
});

Deno.test("the number of known cancellations has a limit: those that were cancelled last are known", () => {
  const state = new ControlState(() => true, 2);
  for (const id of ["1", "2", "1", "3"]) state.apply(stored(cancelRecord(id, { ...pause(0), expiresAtMs: 100 })));
  assertEquals([...state.cancelled.keys()], ["1", "3"]);
});
