/**
 * Records as any client may write them into a topic of the framework: each key with each value, each list of headers, and each
 * time that a reader may trip over. A reader skips them, and still finds the sound records between them.
 */
import type { BrokerAdmin } from "../../src/broker/broker.ts";
import type { Headers, NewStoredRecord, StoredRecord } from "../../src/broker/record.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const NOT_UTF8 = Uint8Array.of(0x61, 0xff, 0xfe, 0x3a, 0xc3);
const HUGE = "x".repeat(1_000_000);

const KEYS: readonly StoredRecord["key"][] = [null, "", new Uint8Array(0), HUGE, NOT_UTF8, ":", "a", "a:b"];
const VALUES: readonly StoredRecord["value"][] = [
  null,
  "",
  "{",
  "null",
  "5",
  "[]",
  '{"__proto__":null,"job_id":{},"status":[]}',
  "[".repeat(50_000),
  NOT_UTF8,
];
const TIMES_MS = [-1, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];

/** The headers that schedules, cancellations and ticks have. */
const OWN_HEADERS = ["due-at", "target-topic", "target-key", "rewrites", "recurring", "cancel", "by"];

const HEADERS: readonly Headers[] = [
  [],
  [["huge", encode(HUGE)]],
  OWN_HEADERS.map((name) => [name, null] as const),
  OWN_HEADERS.filter((name) => name !== "cancel").map((name) => [name, NOT_UTF8] as const),
  [["due-at", encode("-1")], ["target-topic", encode("")]],
  [["due-at", encode("0")], ["target-topic", encode("t")], ["recurring", encode("[".repeat(50_000))]],
  [["due-at", encode("0")], ["target-topic", encode("t")], ["recurring", encode('{"last":{"position":null}}')]],
  // The last one: it counts.
  [["due-at", encode("9999999999999999")], ["target-topic", encode(HUGE)], ["rewrites", encode("9999999999999999")]],
];

/** Returns the records. @param keys further keys, such as that of a sound record */
export function hostileRecords(keys: readonly string[] = []): NewStoredRecord[] {
  const records: NewStoredRecord[] = [];
  for (const key of [...KEYS, ...keys]) {
    for (const value of VALUES) {
      for (const headers of HEADERS) {
        records.push({ key, value, headers, timestampMs: TIMES_MS[records.length % TIMES_MS.length]! });
      }
    }
  }
  return records;
}

/** Returns the broker's view of a log of one partition: also of records that a broker would refuse. */
export function adminOf(
  records: readonly NewStoredRecord[],
): Pick<BrokerAdmin, "read" | "ends" | "listEnds" | "committed" | "describe"> {
  const stored = records.map((record, offset) => ({ ...record, offset }));
  const high = stored.length;
  const ends = { partition: 0, low: 0, high };
  const listed = { partitions: [{ ...ends, problem: null }], problem: null };
  const config = new Map([["cleanup.policy", "compact"]]);
  return {
    // A page has some of them only.
    read(_topic, _partition, { from, to = high }) {
      const page = stored.slice(from, Math.min(from + 100, to));
      return Promise.resolve({ records: page, next: from + page.length, low: 0, high, lastStable: high });
    },
    ends: () => Promise.resolve([ends]),
    listEnds: (topics) => Promise.resolve(new Map(topics.map((topic) => [topic, listed]))),
    committed: () => Promise.resolve([{ partition: 0, offset: null, metadata: "" }]),
    describe: (topics) => Promise.resolve(new Map(topics.map((topic) => [topic, { partitions: 1, config }]))),
  };
}
