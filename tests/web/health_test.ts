/** The health handler in the user's own process: paths, methods, and scrapes. */
import { activeJobTopic, App, Job, type WorkerStatus } from "@activejob/kafka";
import { healthHandler, Metrics } from "@activejob/kafka/web";
import { assert, assertEquals } from "@std/assert";
import { FaultInjectionLog } from "../support/fault_injection_log.ts";
import { until } from "../support/until.ts";
import { readScrape } from "../support/scrape.ts";

const gates: Record<string, PromiseWithResolvers<void>> = {};

class GateJob extends Job {
  async perform(name: string) {
    await gates[name]?.promise;
  }
}

class SadJob extends Job {
  static override queue = "sad";
  perform() {
    throw new Error("as always");
  }
}

function setUp() {
  const log = new FaultInjectionLog();
  const app = new App({
    name: "shop",
    broker: log.source,
    jobs: [GateJob, SadJob],
    topics: [
      activeJobTopic("default", { maxMessages: 1 }),
      activeJobTopic("sad", { partitions: 2, deadLetterQueue: { topic: "dead", maxRetries: 1 } }),
    ],
    backoff: { initialMs: 1, maxMs: 1, jitter: 0 },
    logger: false,
  });
  const metrics = new Metrics();
  metrics.attach(app);
  const worker = app.worker();
  const handler = healthHandler(worker, metrics);
  const ask = (path: string, method = "GET") => handler(new Request(`http://localhost${path}`, { method }));
  const scrape = async () => readScrape(await (await ask("/metrics")).text());
  return { log, app, worker, handler, ask, scrape };
}

Deno.test("healthHandler() responds to GET and HEAD of its paths, and names them for any other", async () => {
  const { app, ask } = setUp();
  await using _ = app;
  const seen: unknown[] = [];
  for (
    const [path, method] of [
      ["/livez", "GET"],
      ["/livez?verbose", "GET"],
      ["/livez", "HEAD"],
      ["/readyz", "GET"],
      ["/readyz", "POST"],
      ["/", "GET"],
      ["/livez/", "HEAD"],
      ["/nope", "DELETE"],
    ] as const
  ) {
    const response = await ask(path, method);
    const { status, headers } = response;
    assertEquals(headers.get("cache-control"), "no-store");
    assertEquals(headers.get("content-type"), "text/plain; charset=utf-8");
    seen.push([path, method, status, headers.get("content-length"), headers.get("allow"), await response.text()]);
  }
  const paths = "There are /livez, /readyz, /metrics\n";
  assertEquals(seen, [
    ["/livez", "GET", 200, "3", null, "ok\n"],
    ["/livez?verbose", "GET", 200, "3", null, "ok\n"],
    ["/livez", "HEAD", 200, "3", null, ""],
    ["/readyz", "GET", 503, "18", null, "the worker is new\n"],
    ["/readyz", "POST", 405, "18", "GET, HEAD", "Only GET and HEAD\n"],
    ["/", "GET", 404, "36", null, paths],
    ["/livez/", "HEAD", 404, "36", null, ""],
    ["/nope", "DELETE", 404, "36", null, paths],
  ]);
});

Deno.test("a scrape has the worker's current state, jobs and partitions, and the counts", async () => {
  gates.one = Promise.withResolvers();
  const { app, worker, ask, scrape } = setUp();
  await using _ = app;
  const before = await scrape();
  assertEquals(before.get('activejob_worker_state{state="new"}'), 1);
  assertEquals(before.get('activejob_group_joined{group="shop"}'), 0);
  await SadJob.performLater();
  await GateJob.performLater("one");
  const run = worker.run();
  await until(() => worker.running().length === 1, () => JSON.stringify(worker.status()));
  await GateJob.performLater("none");
  await app.flush();
  await until(
    async () => (await scrape()).get('activejob_dead_letters_total{topic="sad",job_class="SadJob"}') === 1,
    () => JSON.stringify(worker.status()),
  );
  const response = await ask("/metrics");
  assertEquals(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const during = readScrape(await response.text());
  const at = (name: string, topic: string, partition = 0) =>
    during.get(`activejob_partition_${name}{group="shop",topic="${topic}",partition="${partition}"}`);
  assertEquals(during.get('activejob_worker_state{state="running"}'), 1);
  assertEquals(during.get('activejob_worker_state{state="new"}'), 0);
  assertEquals(during.get("activejob_worker_concurrency"), 10);
  assertEquals(during.get('activejob_group_joined{group="shop"}'), 1);
  assertEquals(during.get('activejob_group_session_valid{group="shop"}'), 1);
  assertEquals(during.get('activejob_jobs_running{topic="default"}'), 1);
  assertEquals(during.get('activejob_jobs_running{topic="sad"}'), 0);
  assert(during.get("activejob_longest_running_seconds")! > 0);
  assert(at("oldest_seconds", "default")! >= 0);
  assertEquals([at("position", "default"), at("lag", "default"), at("waiting", "default")], [0, 2, 1]);
  assertEquals([at("lag", "sad", 0), at("lag", "sad", 1)], [0, 0]);
  assertEquals([at("paused", "default"), at("stuck", "default")], [0, 0]);
  assertEquals(during.get('activejob_jobs_total{topic="sad",job_class="SadJob",outcome="failed"}'), 2);
  assertEquals(during.get('activejob_jobs_enqueued_total{topic="default",job_class="GateJob"}'), 2);
  gates.one.resolve();
  await until(() => worker.running().length === 0, () => JSON.stringify(worker.status()));
  await worker.stop();
  await run;
  const after = await scrape();
  assertEquals(after.get('activejob_worker_state{state="stopped"}'), 1);
  assertEquals(after.get('activejob_jobs_running{topic="default"}'), 0);
  assertEquals([...after.keys()].filter((series) => series.startsWith("activejob_partition_")), []);
});

Deno.test("a scrape while the broker is offline has the last known values", async () => {
  const { app, log, worker, scrape } = setUp();
  await using _ = app;
  const run = worker.run();
  await until(() => worker.status().groups.every(({ isJoined }) => isJoined), () => JSON.stringify(worker.status()));
  await scrape();
  log.goOffline();
  const scraped = await scrape();
  assertEquals(scraped.get('activejob_partition_lag{group="shop",topic="default",partition="0"}'), 0);
  log.goOnline();
  await worker.stop();
  await run;
});

Deno.test("healthHandler() names ten reasons, and counts the others", async () => {
  const group = { topics: [], isJoined: false, isSessionValid: false, stalledMs: null, running: [], partitions: [] };
  const groups = Array.from({ length: 12 }, (_, n) => ({ ...group, group: `g${n}` }));
  const status: WorkerStatus = { state: "running", failure: null, concurrency: 1, groups, scheduler: null };
  const handler = healthHandler({ status: () => status, refreshLag: () => Promise.resolve() }, new Metrics());
  const lines = (await (await handler(new Request("http://localhost/readyz"))).text()).split("\n");
  assertEquals([lines.length, lines[9], lines[10]], [12, 'the worker has not joined group "g9" yet', "and 2 more"]);
});

Deno.test("healthHandler() refuses a request whose Host header makes no URL, under Deno.serve", async () => {
  const { app, handler } = setUp();
  await using _ = app;
  const errors: unknown[] = [];
  const onError = (error: unknown) => {
    errors.push(error);
    return new Response(null, { status: 500 });
  };
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {}, onError }, handler);
  for (const host of ["[::", "a b", "a:99999", "%zz"]) {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
    const request = `GET /livez HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    await connection.write(new TextEncoder().encode(request));
    const text = await new Response(connection.readable).text();
    assertEquals([text.split("\r\n")[0], text.endsWith("Bad request\n")], ["HTTP/1.1 400 Bad Request", true], host);
  }
  assertEquals(errors, []);
});
