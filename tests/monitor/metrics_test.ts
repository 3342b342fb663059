/** The counts of events. */
import { InvalidConfigurationError, type JobInfo } from "@activejob/kafka";
import { assertEquals, assertThrows } from "@std/assert";
import { Metrics } from "../../src/monitor/metrics.ts";
import { Monitor } from "../../src/monitor/monitor.ts";
import { readScrape } from "../support/scrape.ts";

const job = (jobClass = "AJob", topic = "a"): JobInfo => ({
  jobClass,
  topic,
  queue: "whatever",
  jobId: "1",
  partition: 0,
  offset: 7,
  attempt: 1,
});
const error = { errorClass: "Error", message: "no" };

function setUp(options?: ConstructorParameters<typeof Metrics>[0]) {
  const monitor = new Monitor();
  const metrics = new Metrics(options);
  const detach = metrics.attach(monitor);
  return { monitor, metrics, detach };
}

/** The series that begin so and are not zero, without the prefix of all names. */
function nonZero(metrics: Metrics, prefix: string): Record<string, number> {
  const all = [...readScrape(metrics.text())].map(([series, value]) =>
    [series.replace("activejob_", ""), value] as const
  );
  return Object.fromEntries(all.filter(([series, value]) => series.startsWith(prefix) && value !== 0));
}

Deno.test("Metrics counts attempts by outcome, and their times in seconds", () => {
  const { monitor, metrics } = setUp();
  monitor.emit("job.performed", { ...job(), durationMs: 30, waitMs: 2000 });
  monitor.emit("job.performed", { ...job(), durationMs: 2, waitMs: null });
  monitor.emit("job.failed", { ...job(), durationMs: 400, error, next: "retry", waitMs: 1000 });
  monitor.emit("job.failed", { ...job("BJob"), durationMs: 1, error, next: "dead_letter", waitMs: 0 });
  monitor.emit("job.revoked", { ...job("BJob", "b"), durationMs: 1, outcome: "passed", sessionTimeoutMs: 15_000 });
  monitor.emit("job.orphaned", { ...job(), reason: "timeout", runningMs: 100 });
  assertEquals(nonZero(metrics, "jobs_"), {
    'jobs_total{topic="a",job_class="AJob",outcome="performed"}': 2,
    'jobs_total{topic="a",job_class="AJob",outcome="failed"}': 1,
    'jobs_total{topic="a",job_class="BJob",outcome="failed"}': 1,
    'jobs_total{topic="b",job_class="BJob",outcome="revoked"}': 1,
    'jobs_orphaned_total{topic="a",job_class="AJob"}': 1,
  });
  assertEquals(nonZero(metrics, 'job_run_seconds_sum{topic="a",job_class="AJob"}'), {
    'job_run_seconds_sum{topic="a",job_class="AJob"}': 0.03 + 0.002 + 0.4,
  });
  assertEquals(nonZero(metrics, "job_wait_seconds_bucket"), {
    'job_wait_seconds_bucket{topic="a",job_class="AJob",le="2.5"}': 1,
    'job_wait_seconds_bucket{topic="a",job_class="AJob",le="5"}': 1,
    'job_wait_seconds_bucket{topic="a",job_class="AJob",le="10"}': 1,
    'job_wait_seconds_bucket{topic="a",job_class="AJob",le="30"}': 1,
    'job_wait_seconds_bucket{topic="a",job_class="AJob",le="60"}': 1,
    'job_wait_seconds_bucket{topic="a",job_class="AJob",le="300"}': 1,
    'job_wait_seconds_bucket{topic="a",job_class="AJob",le="900"}': 1,
    'job_wait_seconds_bucket{topic="a",job_class="AJob",le="3600"}': 1,
    'job_wait_seconds_bucket{topic="a",job_class="AJob",le="21600"}': 1,
    'job_wait_seconds_bucket{topic="a",job_class="AJob",le="86400"}': 1,
    'job_wait_seconds_bucket{topic="a",job_class="AJob",le="+Inf"}': 1,
  });
});

Deno.test("Metrics counts dead letters, skipped and lost records, partitions, enqueuing and errors", () => {
  const { monitor, metrics } = setUp();
  const at = { topic: "a", partition: 0, offset: 3 };
  const letter = { ...at, to: { ...at, topic: "dead" }, attempts: 1, error };
  monitor.emit("record.dead_lettered", { ...letter, jobClass: "AJob", jobId: "1" });
  monitor.emit("record.dead_lettered", { ...letter, jobClass: null, jobId: null });
  monitor.emit("record.skipped", { ...at, reason: "tombstone" });
  monitor.emit("record.skipped", { ...at, reason: "finished" });
  monitor.emit("record.skipped", { ...at, reason: "finished" });
  monitor.emit("records.expired", { topic: "a", partition: 0, from: 3, to: 10 });
  monitor.emit("partition.assigned", { topic: "a", partition: 0, offset: null });
  monitor.emit("partition.lost", { topic: "a", partition: 0, reason: "revoked" });
  monitor.emit("job.enqueued", { jobClass: "AJob", jobId: "1", queue: "a", partition: 0, offset: 3 });
  monitor.emit("job.enqueue_failed", { jobClass: "AJob", jobId: "1", queue: "a", written: "no", error });
  monitor.emit("error.occurred", { where: "enqueue", error });
  assertEquals(nonZero(metrics, ""), {
    'dead_letters_total{topic="a",job_class="AJob"}': 1,
    'dead_letters_total{topic="a",job_class="(unknown)"}': 1,
    'records_skipped_total{topic="a",reason="tombstone"}': 1,
    'records_skipped_total{topic="a",reason="finished"}': 2,
    'records_expired_total{topic="a"}': 7,
    'partitions_assigned_total{topic="a"}': 1,
    'partitions_lost_total{topic="a"}': 1,
    'jobs_enqueued_total{topic="a",job_class="AJob"}': 1,
    'jobs_enqueue_failed_total{topic="a",job_class="AJob"}': 1,
    'errors_total{where="enqueue"}': 1,
  });
});

Deno.test("series that alerts watch for a first increase are 0 once a partition is assigned", () => {
  const { monitor, metrics } = setUp();
  monitor.emit("partition.assigned", { topic: "a", partition: 0, offset: null });
  const scrape = readScrape(metrics.text());
  assertEquals(scrape.get('activejob_dead_letters_total{topic="a",job_class="(unknown)"}'), 0);
  assertEquals(scrape.get('activejob_records_expired_total{topic="a"}'), 0);
  assertEquals([...scrape.keys()].filter((series) => series.startsWith("activejob_jobs_total")), []);
});

Deno.test("Metrics has a bounded number of series, and counts the events beyond them together", () => {
  const { monitor, metrics } = setUp({ maxSeries: 3 });
  const enqueued = (topic: string, name: string) =>
    monitor.emit("job.enqueued", { jobClass: name, jobId: "1", queue: topic, partition: 0, offset: 0 });
  for (let n = 0; n < 100; n++) enqueued(`topic${n}`, "AJob");
  for (let n = 0; n < 100; n++) enqueued("topic0", `Job${n}`);
  enqueued("topic1", "AJob");
  assertEquals(nonZero(metrics, "jobs_enqueued_total"), {
    'jobs_enqueued_total{topic="topic0",job_class="AJob"}': 1,
    'jobs_enqueued_total{topic="topic0",job_class="(others)"}': 100,
    'jobs_enqueued_total{topic="topic1",job_class="AJob"}': 2,
    'jobs_enqueued_total{topic="topic2",job_class="AJob"}': 1,
    'jobs_enqueued_total{topic="(others)",job_class="(others)"}': 97,
  });
});

Deno.test("Metrics counts errors by where they occurred, from 0 for the library's own places", () => {
  const { monitor, metrics } = setUp();
  assertEquals(readScrape(metrics.text()).get('activejob_errors_total{where="retention"}'), 0);
  const places = [
    "retention",
    "listener of job.log",
    "listener of job.failed",
    "consumer of group shop",
    "unhandled rejection while 1 job still runs: AJob from a/0@1",
    Symbol("mine") as unknown as string,
  ];
  for (const where of places) monitor.emit("error.occurred", { where, error });
  assertEquals(nonZero(metrics, "errors_total"), {
    'errors_total{where="retention"}': 1,
    'errors_total{where="listener"}': 2,
    'errors_total{where="consumer"}': 1,
    'errors_total{where="unhandled rejection"}': 1,
    'errors_total{where="Symbol(mine)"}': 1,
  });
  for (let n = 0; n < 1000; n++) monitor.emit("error.occurred", { where: `place ${n}`, error });
  const counts = Object.values(nonZero(metrics, "errors_total"));
  assertEquals([counts.length < 40, counts.reduce((sum, count) => sum + count)], [true, 1006]);
  assertEquals(nonZero(metrics, "errors_total")['errors_total{where="(others)"}']! > 900, true);
});

Deno.test("a class with any name has a series of its own", () => {
  const { monitor, metrics } = setUp();
  for (const name of ['A"}', "A\\", "A\n1", "constructor", "__proto__"]) {
    monitor.emit("job.performed", { ...job(name), durationMs: 1, waitMs: 1 });
  }
  assertEquals(Object.values(nonZero(metrics, "jobs_total")), [1, 1, 1, 1, 1]);
});

Deno.test("Metrics counts a source once, several together, and none after it is detached", () => {
  const { monitor, metrics, detach } = setUp();
  const other = { on: monitor.on.bind(monitor), pending: 3 };
  assertEquals(metrics.attach(monitor), detach);
  metrics.attach(other);
  const skip = () => monitor.emit("records.expired", { topic: "a", partition: 0, from: 0, to: 1 });
  skip();
  assertEquals(nonZero(metrics, ""), { 'records_expired_total{topic="a"}': 2, jobs_enqueuing: 3 });
  detach();
  skip();
  assertEquals(nonZero(metrics, "records"), { 'records_expired_total{topic="a"}': 3 });
  metrics.attach(monitor);
  skip();
  assertEquals(nonZero(metrics, "records"), { 'records_expired_total{topic="a"}': 5 });
});

Deno.test("Metrics refuses unknown and invalid options", () => {
  assertThrows(() => new Metrics({ maxSeries: 0 }), InvalidConfigurationError, "an integer from 1 up");
  assertThrows(() => new Metrics({ maxSerie: 1 } as never), InvalidConfigurationError, 'did you mean "maxSeries"?');
});
