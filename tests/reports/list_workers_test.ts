/** `app.workers()` over records that a test writes, with a clock that the test moves. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  activeJobTopic,
  App,
  type AppOptions,
  BrokerError,
  InvalidConfigurationError,
  UnknownTopicError,
} from "@activejob/kafka";
import type { BrokerAdmin, StoredRecord } from "../../src/broker/broker.ts";
import { listWorkers } from "../../src/reports/list_workers.ts";
import { reportRecord } from "../../src/reports/report.ts";
import type { WorkerState } from "../../src/worker/status.ts";

const TOPIC = "shop_workers";
const NOW = Date.UTC(2026, 0, 1);
const SECOND = 1000;

function reportOf(id: string, state: WorkerState = "running"): string {
  const identity = { id, host: `host-of-${id}`, pid: 7, version: "1", runtime: "Deno 2", startedAtMs: NOW };
  const status = { state, failure: null, concurrency: 1, groups: [], scheduler: null };
  return reportRecord(identity, status, null).value as string;
}

/** A log of one partition, as `admin` reads it: each record has its age in seconds. */
function logOf(records: readonly (readonly [id: string, ageS: number, value?: string | null])[], low = 0) {
  const stored = records.map(([key, ageS, value = reportOf(key)], index): StoredRecord => {
    return { offset: low + index, key, value, headers: [], timestampMs: NOW - ageS * SECOND };
  });
  const high = low + records.length;
  let read = 0;
  const ends = { partitions: [{ partition: 0, low, high, problem: null }], problem: null };
  const admin: Pick<BrokerAdmin, "listEnds" | "read"> = {
    listEnds: (topics) => Promise.resolve(new Map(topics.map((topic) => [topic, ends]))),
    read: (_topic, _partition, { from, to = high }) => {
      const page = stored.filter(({ offset }) => offset >= from && offset < to).slice(0, 100);
      read += page.length;
      return Promise.resolve({ records: page, next: (page.at(-1)?.offset ?? from) + 1, low, high, lastStable: high });
    },
  };
  return {
    list: (nowMs = NOW) => listWorkers({ admin, topic: TOPIC, nowMs, skipCommand: () => "" }),
    get read() {
      return read;
    },
  };
}

const shown = (workers: readonly { readonly id: string; readonly state: string }[]) =>
  workers.map(({ id, state }) => `${id} ${state}`);

Deno.test("a worker is gone once its newest record is older than 20 seconds by the reader's clock", async () => {
  const log = logOf([["a", 5], ["b", 3], ["a", 0]]);
  assertEquals(shown(await log.list(NOW + 20 * SECOND)), ["a running", "b gone"]);
  assertEquals(shown(await log.list(NOW + 20 * SECOND + 1)), ["a gone", "b gone"]);
  assertEquals((await log.list()).map(({ writtenAtMs }) => writtenAtMs), [NOW, NOW - 3 * SECOND]);
});

Deno.test("a record from the future counts as now, and makes no other worker gone", async () => {
  const [first, second] = await logOf([["a", 5], ["b", -9999]]).list();
  assertEquals(shown([first!, second!]), ["a running", "b running"]);
  assertEquals(second!.writtenAtMs, NOW);
});

Deno.test("a worker of a newer version, in a state that this one does not know, is listed with the state unknown", async () => {
  const report = JSON.parse(reportOf("a"));
  const value = JSON.stringify({
    ...report,
    status: { ...report.status, state: "<b>\u001b[2Jdraining", mood: "calm" },
    orbit: 7,
  });
  const log = logOf([["a", 1, value], ["b", 1]]);
  const [newer, known] = await log.list();
  assertEquals(shown([newer!, known!]), ["a unknown", "b running"]);
  assertEquals(newer!.status, { ...known!.status, state: "unknown" });
  assertEquals(shown(await log.list(NOW + 20 * SECOND)), ["a gone", "b gone"]);
});

Deno.test("the state is that of the newest record; a tombstone takes a worker away, and a report after it brings it back", async () => {
  const log = logOf([
    ["a", 4],
    ["b", 4],
    ["c", 4],
    ["a", 3, reportOf("a", "quiet")],
    ["b", 2, null],
    ["c", 2, null],
    ["c", 1, reportOf("c", "stopping")],
    ["d", 1, reportOf("d", "stopped")],
    ["e", 1, reportOf("e", "new")],
  ]);
  assertEquals(shown(await log.list()), ["a quiet", "c stopping", "e running", "d gone"]);
});

Deno.test("the topic is read from its end to records that are older than a minute, and no further than that", async () => {
  const old = Array.from({ length: 5000 }, (_, n) => ["old", 5100 - n] as const);
  const log = logOf([["killed", 5200], ...old, ["killed", 70], ["a", 10], ["a", 5]]);
  assertEquals(shown(await log.list()), ["a running", "killed gone", "old gone"]);
  assert(log.read < 1000, `${log.read} records were read`);
});

Deno.test("a worker that is gone is forgotten after an hour", async () => {
  const log = logOf([["a", 3599], ["b", 3601]]);
  assertEquals(shown(await log.list()), ["a gone"]);
});

Deno.test("a log with gaps and a late start is read to its start", async () => {
  assertEquals(shown(await logOf([["a", 3000], ["b", 1]], 1_000_000).list()), ["b running", "a gone"]);
});

Deno.test("the list is bounded in number: the workers that reported last are in it", async () => {
  const many = Array.from({ length: 1500 }, (_, n) => [`w${n}`, 10] as const);
  const workers = await logOf([...many, ["last", 0]]).list();
  assertEquals(workers.length, 1000);
  assert(workers.some(({ id }) => id === "last"));
  assert(!workers.some(({ id }) => id === "w0"));
});

Deno.test("records that are not reports are passed over, and do not hide the reports before them", async () => {
  const workers = await logOf([
    ["a", 5],
    ["not an id", 1],
    ["b", 1, "{"],
    ["c", 1, "x".repeat(1_000_000)],
  ]).list();
  assertEquals(shown(workers), ["a running"]);
});

function shop(options: Partial<AppOptions> = {}): App {
  const topics = [activeJobTopic("default")];
  return new App({ name: "shop", broker: "memory:", jobs: [], topics, logger: false, ...options });
}

Deno.test("with reports: false no topic is declared, and no worker is listed", async () => {
  await using app = shop({ reports: false });
  assertEquals((await app.applyTopics()).some(({ topic }) => topic === TOPIC), false);
  assertEquals(await app.workers(), []);
});

Deno.test("a missing topic of reports is an error that names the remedy", async () => {
  const admin = { listEnds: () => Promise.resolve(new Map([[TOPIC, null]])) } as unknown as BrokerAdmin;
  await assertRejects(
    () => listWorkers({ admin, topic: TOPIC, nowMs: NOW, skipCommand: () => "" }),
    UnknownTopicError,
    'no topic "shop_workers", in which workers report: create it with "topics apply"',
  );
});

Deno.test("a partition of reports without a leader is an error at once: its workers would seem to have ended", async () => {
  const partitions = [{ partition: 0, low: null, high: null, problem: "it has no leader" }];
  const admin = {
    listEnds: () => Promise.resolve(new Map([[TOPIC, { partitions, problem: null }]])),
  } as unknown as BrokerAdmin;
  await assertRejects(
    () => listWorkers({ admin, topic: TOPIC, nowMs: NOW, skipCommand: () => "" }),
    BrokerError,
    "Cannot read shop_workers/0: it has no leader",
  );
});

Deno.test("a topic of jobs or dead letters cannot have the name of the topic of reports, unless workers do not report", async () => {
  const declared = [
    activeJobTopic(TOPIC),
    activeJobTopic("default", { deadLetterQueue: { topic: TOPIC } }),
  ];
  for (const topic of declared) {
    const message = 'Topic "shop_workers" cannot be declared: workers report there';
    assertThrows(() => shop({ topics: [topic] }), InvalidConfigurationError, message);
    await shop({ topics: [topic], reports: false }).close();
  }
});
