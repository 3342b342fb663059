import { assertEquals } from "@std/assert";
import type { WorkerHistory } from "@activejob/kafka";
import { Monitor } from "../../src/monitor/monitor.ts";
import { JobHistory } from "../../src/reports/job_history.ts";
import { shareHistory } from "../../src/reports/shared_history.ts";
import { ManualClock } from "../support/manual_clock.ts";

const error = { errorClass: "Error", message: "no" };
const job = (topic: string) => ({
  ...{ topic, partition: 0, offset: 1, jobClass: "MailJob", jobId: "1", queue: "default", attempt: 1 },
  durationMs: 30,
});

function performed(monitor: Monitor, topic: string, waitMs: number | null = 200): void {
  monitor.emit("job.performed", { ...job(topic), waitMs });
}

/** The numbers that are not 0, of the last minutes first. */
function shown(history: WorkerHistory) {
  const newest = (counts: readonly number[]) => counts.toReversed().slice(0, 3).join(" ");
  return history.topics.map(({ topic, performed, failed, retried, deadLettered }) =>
    `${topic}: ${[performed, failed, retried, deadLettered].map(newest).join(", ")}`
  );
}

Deno.test("JobHistory counts jobs by topic, minute and outcome, with the times of run and wait", () => {
  const monitor = new Monitor();
  const clock = new ManualClock();
  const history = new JobHistory(monitor, clock);
  performed(monitor, "a");
  performed(monitor, "a", null);
  monitor.emit("job.halted", job("a"));
  monitor.emit("job.rescued", { ...job("a"), error });
  clock.advance(60_000);
  monitor.emit("job.failed", { ...job("a"), error, next: "retry", waitMs: 5 });
  monitor.emit("job.failed", { ...job("a"), error, next: "dead_letter", waitMs: 0 });
  monitor.emit("job.discarded", { ...job("a"), error });
  monitor.emit("job.retry_scheduled", { ...job("a"), error, waitMs: 5, inPlace: false, executions: 1 });
  const letter = { to: { topic: "dead", partition: 0, offset: 0 }, attempts: 1, error, jobClass: null, jobId: null };
  monitor.emit("record.dead_lettered", { topic: "b", partition: 0, offset: 1, ...letter });
  const snapshot = history.snapshot();
  assertEquals(shown(snapshot), ["a: 0 4 0, 4 0 0, 2 0 0, 0 0 0", "b: 0 0 0, 0 0 0, 0 0 0, 1 0 0"]);
  assertEquals(snapshot.minuteMs, Math.floor(clock.nowMs() / 60_000) * 60_000);
  const [{ runMs, waitMs }] = snapshot.topics as [WorkerHistory["topics"][number]];
  const counted = ({ bounds, counts }: typeof runMs) => counts.flatMap((n, at) => n === 0 ? [] : [[bounds[at], n]]);
  assertEquals([counted(runMs), runMs.sum], [[[100, 8]], 240]);
  assertEquals([counted(waitMs), waitMs.sum], [[[250, 1]], 200]);
  history.close();
  performed(monitor, "a");
  assertEquals(shown(history.snapshot()), shown(snapshot));
  assertEquals(monitor.hasListener("job.performed"), false);
});

Deno.test("JobHistory lists the topics with the most jobs, and counts the others", () => {
  const monitor = new Monitor();
  const history = new JobHistory(monitor, new ManualClock());
  for (let n = 0; n < 52; n++) for (let jobs = 0; jobs <= n; jobs++) performed(monitor, `topic${n}`);
  const { topics, otherTopics } = history.snapshot();
  assertEquals([topics.length, topics[0]?.topic, topics.at(-1)?.topic, otherTopics], [50, "topic51", "topic2", 2]);
  history.close();
});

Deno.test("JobHistory leaves out a topic without a job in the last hour", () => {
  const monitor = new Monitor();
  const clock = new ManualClock();
  const history = new JobHistory(monitor, clock);
  performed(monitor, "a");
  clock.advance(59 * 60_000);
  assertEquals(history.snapshot().topics.length, 1);
  clock.advance(60_000);
  assertEquals(history.snapshot().topics, []);
  history.close();
});

Deno.test("workers of one App share a history, which the first of them reports", () => {
  const monitor = new Monitor();
  const [first, second] = [shareHistory(monitor, new ManualClock()), shareHistory(monitor, new ManualClock())];
  performed(monitor, "a");
  assertEquals([shown(first.snapshot()!), second.snapshot()], [["a: 1 0 0, 0 0 0, 0 0 0, 0 0 0"], null]);
  first.close();
  assertEquals(shown(second.snapshot()!), ["a: 1 0 0, 0 0 0, 0 0 0, 0 0 0"]);
  second.close();
  assertEquals(monitor.hasListener("job.performed"), false);
  const later = shareHistory(monitor, new ManualClock());
  assertEquals(later.snapshot()!.topics, []);
  later.close();
});
