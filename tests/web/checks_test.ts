/** The reasons for which a worker is not alive, or not ready. */
import type { GroupStatus, RunningJob, WorkerState, WorkerStatus } from "@activejob/kafka";
import { assertEquals } from "@std/assert";
import { reasonsNotAlive, reasonsNotReady } from "../../src/web/checks.ts";

const job = (runningMs: number, timeoutMs: number | null, jobId = "6b2"): RunningJob => ({
  jobClass: "AuditJob",
  jobId,
  queue: "default",
  topic: "default",
  partition: 0,
  offset: 7,
  attempt: 1,
  runningMs,
  timeoutMs,
  timeoutGraceMs: 5000,
});

const group = (fields: Partial<GroupStatus> = {}): GroupStatus => ({
  group: "shop",
  topics: ["default"],
  isJoined: true,
  isSessionValid: true,
  stalledMs: null,
  running: [],
  partitions: [],
  ...fields,
});

const status = (state: WorkerState, ...groups: GroupStatus[]): WorkerStatus => ({
  state,
  failure: null,
  concurrency: 10,
  groups,
  scheduler: null,
});

Deno.test("reasonsNotAlive() names a job that is beyond its timeout and its grace, and no other", () => {
  const running = [job(65_000, 30_000), job(35_000, 30_000), job(1e9, null), job(6000, 500, 'x\n"')];
  assertEquals(reasonsNotAlive(status("running", group({ running }))), [
    'job AuditJob "6b2" from default/0@7 runs 65 s, over its timeout of 30 s plus 5 s',
    String.raw`job AuditJob "x\n\"" from default/0@7 runs 6 s, over its timeout of 0.5 s plus 5 s`,
  ]);
});

Deno.test("reasonsNotAlive() has the worker's failure in one line", () => {
  const failure = { errorClass: "BrokerError", message: "Cannot go on:\n gone" };
  assertEquals(reasonsNotAlive({ ...status("stopped"), failure }), [
    "the worker failed: BrokerError: Cannot go on: gone",
  ]);
});

Deno.test("a worker that has not joined, lost its session or stops is alive", () => {
  for (const state of ["new", "running", "quiet", "stopping", "stopped"] as const) {
    assertEquals(reasonsNotAlive(status(state, group({ isJoined: false, isSessionValid: false }))), []);
  }
});

Deno.test("reasonsNotAlive() names a group whose session stays lost for two minutes although the broker responds", () => {
  const stalled = (stalledMs: number) => status("running", group({ isSessionValid: false, stalledMs }));
  assertEquals(reasonsNotAlive(stalled(119_000)), []);
  assertEquals(reasonsNotAlive(stalled(125_000)), [
    `the session in group "shop" has been lost for 125 s, although the broker responds`,
  ]);
});

Deno.test("reasonsNotReady() returns no reason for a worker that runs in all its groups", () => {
  assertEquals(reasonsNotReady(status("running", group(), group({ running: [job(1e9, 1)] }))), []);
});

Deno.test("reasonsNotReady() names each group that is not joined, or whose session may have expired", () => {
  const groups = [
    group(),
    group({ group: "a", isJoined: false, isSessionValid: false }),
    group({ group: "b", isSessionValid: false }),
  ];
  assertEquals(reasonsNotReady(status("running", ...groups)), [
    'the worker has not joined group "a" yet',
    'the session in group "b" may have expired',
  ]);
});

Deno.test("reasonsNotReady() names every state but running, with the jobs that still run", () => {
  assertEquals(reasonsNotReady(status("new", group())), ["the worker is new"]);
  assertEquals(reasonsNotReady(status("quiet", group())), ["the worker is quiet"]);
  assertEquals(reasonsNotReady(status("stopping", group({ running: [job(1, 1)] }))), [
    "the worker is stopping, and 1 job still runs",
  ]);
  assertEquals(reasonsNotReady(status("stopping", group({ running: [job(1, 1), job(1, 1)] }))), [
    "the worker is stopping, and 2 jobs still run",
  ]);
  assertEquals(reasonsNotReady(status("stopped")), ["the worker is stopped"]);
});
