/** The state of an operator's orders: the last record of each key counts, and nothing that is forged. */
import { assert, assertEquals } from "@std/assert";
import type { NewRecord, StoredRecord } from "../../src/broker/broker.ts";
import { cancelRecord, endRecord, pauseRecord } from "../../src/control/record.ts";
import { ControlState } from "../../src/control/state.ts";

const pause = (atMs: number, why: string | null = null) => ({ by: "ada", why, atMs });

function stored({ key = null, value, headers = [] }: NewRecord): StoredRecord {
  return { offset: 0, key, value, headers, timestampMs: 0 };
}

function apply(state: ControlState, record: NewRecord): void {
  state.apply(stored(record), 0);
}

function stateOf(...records: NewRecord[]): ControlState {
  const state = new ControlState((topic) => topic === "mail");
  for (const record of records) apply(state, record);
  return state;
}

Deno.test("a topic is paused for each partition, and a partition for itself; a tombstone ends its own pause only", () => {
  const state = stateOf(pauseRecord("mail", null, pause(1, "all")), pauseRecord("mail", 2, pause(2, "one")));
  assertEquals([0, 2].map((partition) => state.pauseOf("mail", partition)?.why), ["all", "all"]);
  apply(state, endRecord({ kind: "pause", topic: "mail", partition: null }, "grace"));
  assertEquals([0, 2].map((partition) => state.pauseOf("mail", partition)?.why), [undefined, "one"]);
  assertEquals([state.resumedBy("pause/mail"), state.resumedBy("pause/mail/2")], ["grace", null]);
});

Deno.test("a state that is to know no cancellation does not read one, whatever the form of its key", () => {
  const state = new ControlState((topic) => topic === "mail", { cancellations: 0 });
  const forged = cancelRecord("1", { ...pause(1), expiresAtMs: 100 });
  for (const key of [forged.key!, new TextEncoder().encode(String(forged.key))]) apply(state, { ...forged, key });
  assertEquals([state.version, state.cancelled.size], [0, 0]);
  apply(state, { ...pauseRecord("mail", null, pause(1)), key: new TextEncoder().encode("pause/mail") });
  assertEquals([state.version, state.pauseOf("mail", 0)?.by], [1, "ada"]);
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
  for (const record of forged) apply(state, record);
  assertEquals(state.version, version);
  apply(state, pauseRecord("mail", null, pause(9, "old")));
  apply(state, cancelRecord("1", { ...pause(9), expiresAtMs: 200 }));
  assertEquals([...state.paused.values()].map(({ pause: { why } }) => why), ["new"]);
  assertEquals(state.cancellationOf("1", 150), null);
});

Deno.test("a cancellation ends at its expiry, and by a tombstone", () => {
  const state = stateOf(...["1", "2"].map((id) => cancelRecord(id, { ...pause(0), expiresAtMs: 100 })));
  assertEquals([state.cancellationOf("1", 99)?.by, state.cancellationOf("1", 100)], ["ada", null]);
  apply(state, endRecord({ kind: "cancel", jobId: "2" }, "ada"));
  assertEquals([...state.cancelled.keys()], ["1"]);
  for (const [nowMs, size] of [[100 + 86_399_999, 1], [100 + 86_400_000, 0]] as const) {
    state.removeExpired(nowMs);
    assertEquals(state.cancelled.size, size);
  }
});

Deno.test("the number of known cancellations has a limit: those that were cancelled last are known", () => {
  const state = new ControlState(() => true, { cancellations: 2 });
  for (const id of ["1", "2", "1", "3"]) apply(state, cancelRecord(id, { ...pause(0), expiresAtMs: 100 }));
  assertEquals([...state.cancelled.keys()], ["1", "3"]);
});

Deno.test("the characters of cancellations have a limit, in all; those that have ended do not count", () => {
  const state = new ControlState(() => true, { characters: 30 });
  const cancel = (jobId: string, why: string | null = null) =>
    apply(state, cancelRecord(jobId, { ...pause(0, why), expiresAtMs: 100 }));
  for (let n = 0; n < 10; n++) cancel("a", "x".repeat(10));
  cancel("bbb");
  assertEquals([...state.cancelled.keys()], ["a", "bbb"]);
  apply(state, endRecord({ kind: "cancel", jobId: "a" }, "ada"));
  cancel("c", "x".repeat(20));
  assertEquals([...state.cancelled.keys()], ["bbb", "c"]);
  cancel("d");
  assertEquals([...state.cancelled.keys()], ["c", "d"]);
});

Deno.test("by default, the longest cancellations take at most 20,000,000 characters", () => {
  const state = new ControlState(() => true);
  const why = "x".repeat(1000);
  for (let n = 10_000; n < 20_000; n++) {
    apply(state, cancelRecord(`${n}${"y".repeat(995)}`, { by: "z".repeat(200), why, atMs: 0, expiresAtMs: 100 }));
  }
  const known = [...state.cancelled.keys()];
  assert(known.length <= 20_000_000 / 2200 && known.length > 18_000_000 / 2200, `${known.length}`);
  assert(known.at(-1)!.startsWith("19999"));
});

Deno.test("the numbers of paused and of resumed partitions have a limit; the pause of a whole topic stays", () => {
  const state = stateOf(pauseRecord("mail", null, pause(0, "all")));
  for (let partition = 0; partition < 12_000; partition++) {
    apply(state, pauseRecord("mail", partition, pause(0)));
  }
  const known = [...state.paused.keys()];
  assert(known.length <= 10_001 && known.length > 9000, `${known.length}`);
  assertEquals([known[0], known.at(-1)], ["pause/mail", "pause/mail/11999"]);
  for (let partition = 0; partition < 12_000; partition++) {
    apply(state, endRecord({ kind: "pause", topic: "mail", partition }, "grace"));
  }
  const resumed = Array.from({ length: 12_000 }, (_, n) => state.resumedBy(`pause/mail/${n}`)).filter((by) =>
    by !== null
  );
  assert(resumed.length <= 10_000 && resumed.length > 9000, `${resumed.length}`);
  assertEquals([state.paused.size, state.pauseOf("mail", 5)?.why], [1, "all"]);
});

Deno.test("an order from more than a day ahead changes nothing: a later genuine one counts", () => {
  const aheadMs = Date.UTC(9999, 0);
  const state = stateOf(
    pauseRecord("mail", null, pause(aheadMs, "forged")),
    cancelRecord("1", { ...pause(aheadMs), expiresAtMs: aheadMs + 1 }),
  );
  assertEquals([state.version, state.paused.size, state.cancelled.size], [0, 0, 0]);
  apply(state, pauseRecord("mail", null, pause(1, "genuine")));
  assertEquals(state.pauseOf("mail", 0)?.why, "genuine");
});
