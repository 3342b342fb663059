/**
 * The pages of a large App: 1,000 topics with 10 partitions each, 100 workers that report, 10,000 dead letters of hundreds of
 * errors, 2,000 delayed jobs. The goal is 200 ms for each page at the server. `PRINT_TIMES=1` prints for each page the time to
 * render it, that of `JSON.stringify` of its data, the time of a whole request and that of the processor for it (95 % take less),
 * and the questions to the broker.
 */
// Runs alone: it compares the time of rendering with that of JSON.stringify.
import process from "node:process";
import { activeJobTopic, App, Job } from "@activejob/kafka";
import { dashboard } from "@activejob/kafka/web";
import { assert, assertEquals } from "@std/assert";
import type { BrokerAdmin, NewRecord } from "../../../src/broker/broker.ts";
import { PAGES } from "../../../src/web/dashboard/pages/mod.ts";
import { renderDocument } from "../../../src/web/dashboard/layout.ts";
import { linksFrom } from "../../../src/web/dashboard/links.ts";
import type { PageContext, PageRequest } from "../../../src/web/dashboard/page.ts";
import { Router } from "../../../src/web/dashboard/router.ts";
import { FaultInjectionLog } from "../../support/fault_injection_log.ts";
import { createReport } from "../../support/worker_report.ts";

const TOPICS = 1000;
const PARTITIONS = 10;
const WORKERS = 100;
const LETTERS = 10_000;
const DELAYED = 2000;
/** Rendering may take so many times as long as `JSON.stringify` of the data that the page is made of. */
const MAX_RATIO = 5;
/** The frame of a page and a few rows cost this much at most, however small the data is, in milliseconds. */
const FRAME_MS = 2;
const ROUNDS = 15;
/**
 * A whole request may take so many times as long as `JSON.stringify` of the status of all topics, which takes 6 to 10 ms: in time
 * of the processor, and the fastest of some each, in turn. Pages take 10 to 18 times as long on a quiet machine; work that grows
 * with the square of something takes hundreds of times.
 */
const MAX_REQUEST_RATIO = 50;
const REQUESTS = 5;
/** Questions to the broker for one page. One for each partition would be 10,000. */
const MAX_QUESTIONS = 100;

class WorkJob extends Job {
  static override queue = "topic_0000";
  perform(_n: number) {}
}

const nameOf = (n: number) => `topic_${String(n).padStart(4, "0")}`;
const range = (count: number) => Array.from({ length: count }, (_, n) => n);

/** An App that counts its questions to the broker. */
async function createLargeApp() {
  const log = new FaultInjectionLog();
  const asked = { count: 0 };
  const open = () => {
    const broker = log.open();
    const admin = new Proxy(broker.admin, {
      get(target, name: keyof BrokerAdmin) {
        asked.count++;
        return target[name];
      },
    });
    return Promise.resolve(Object.assign(broker, { admin }));
  };
  const app = new App({
    name: "shop",
    broker: { ...log.source, open },
    jobs: [WorkJob],
    topics: range(TOPICS).map((n) =>
      activeJobTopic(nameOf(n), { partitions: PARTITIONS, deadLetterQueue: { topic: "dead_jobs", maxRetries: 0 } })
    ),
    logger: false,
  });
  await app.applyTopics();
  const client = log.open();
  for (const n of range(TOPICS)) await client.append(nameOf(n), range(PARTITIONS).map(() => createRecord(n)));
  await client.append("dead_jobs", range(LETTERS).map(createLetter));
  await client.append(
    "shop_workers",
    range(WORKERS).map((n) => createReport(n, range(10).map((at) => nameOf(n * 10 + at)), PARTITIONS)),
  );
  const later = range(DELAYED).map((n) => WorkJob.set({ wait: { hours: 1 + n % 500 } }).of(n));
  await app.enqueueAll(later);
  await app.flush();
  return { app, asked };
}

const bytes = (value: unknown) => new TextEncoder().encode(String(value));

function createRecord(n: number): NewRecord {
  return { value: JSON.stringify({ job_class: "WorkJob", job_id: `job-${n}`, queue_name: nameOf(n), arguments: [n] }) };
}

function createLetter(n: number): NewRecord {
  const fields = {
    topic: nameOf(n % TOPICS),
    partition: n % PARTITIONS,
    offset: n,
    "error-class": ["TypeError", "RangeError", "Error"][n % 3],
    "error-message": `Cannot reach host-${n % 200}.example.com: connection <refused>`,
    attempts: 3,
  };
  return {
    value: JSON.stringify({ job_class: `Work${n % 50}Job`, job_id: `job-${n}`, arguments: [n] }),
    headers: Object.entries(fields).map(([name, value]) => [`dead-letter-${name}`, bytes(value)] as const),
  };
}

/** The pages, and the data that they are made of. */
const PATHS: readonly (readonly [path: string, source: (app: App) => Promise<unknown>])[] = [
  ["", (app) => app.status()],
  ["topics/topic_0500", (app) => app.status()],
  ["topics/topic_0500/records", () => Promise.resolve([])],
  ["dead_letters", (app) => app.deadLetters().list({ limit: LETTERS })],
  ["dead_letters/confirm?do=requeue&all=1&class=Work7Job", (app) => app.deadLetters().list({ limit: LETTERS })],
  ["dead_letters/dead_jobs/0@5000", (app) => app.deadLetters().list({ limit: 1 })],
  ["delayed", (app) => app.scheduled({ limit: DELAYED })],
  ["workers", (app) => app.workers()],
  [`workers/${encodeURIComponent("host-50:4711:abc")}`, (app) => app.workers()],
  ["about", () => Promise.resolve([])],
];

/** Returns the times of two functions that run in turn: their shortest ones, in milliseconds. The machine has slow phases. */
function compare(first: () => unknown, second: () => unknown): readonly [number, number] {
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, run] of [first, second].entries()) {
      const startMs = performance.now();
      run();
      times[at]!.push(performance.now() - startMs);
    }
  }
  return [Math.min(...times[0]), Math.min(...times[1])];
}

/** Returns the times of some calls in milliseconds, in ascending order: by the clock, and of the processor. */
async function timesOf(call: () => unknown, count: number): Promise<{ wallMs: number[]; processorMs: number[] }> {
  const times = { wallMs: [] as number[], processorMs: [] as number[] };
  for (let round = 0; round < count; round++) {
    const [before, startMs] = [process.cpuUsage(), performance.now()];
    await call();
    const { user, system } = process.cpuUsage(before);
    times.wallMs.push(performance.now() - startMs);
    times.processorMs.push((user + system) / 1000);
  }
  for (const each of Object.values(times)) each.sort((a, b) => a - b);
  return times;
}

/** Returns the shortest times of the processor for some calls, in milliseconds. They run in turn: the machine has slow phases. */
async function fastestOf(calls: readonly (() => unknown)[], rounds: number): Promise<number[]> {
  const fastest = calls.map(() => Infinity);
  for (let round = 0; round < rounds; round++) {
    for (const [at, call] of calls.entries()) {
      const { processorMs: [ms] } = await timesOf(call, 1);
      fastest[at] = Math.min(fastest[at]!, ms!);
    }
  }
  return fastest;
}

Deno.test("each page of a large App asks the broker a bounded number of times, and takes a small multiple of JSON.stringify", async () => {
  const { app, asked } = await createLargeApp();
  await using _app = app;
  const router = new Router(PAGES);
  const encoder = new TextEncoder();
  const { fetch } = dashboard(app, { authorize: () => ({ user: "ada", access: "operate" }), loadTimeoutMs: 60_000 });
  const open = async (path: string) => {
    const response = await fetch(new Request(`http://localhost/${path}`));
    await response.bytes();
    assertEquals(response.status, 200);
  };
  const allTopics = await app.status();
  const encodeStatus = () => encoder.encode(JSON.stringify(allTopics));
  const slow: string[] = [];
  for (const [whole, loadSource] of PATHS) {
    const [path = "", search = ""] = whole.split("?");
    const query = new URLSearchParams(search);
    const { page, params } = router.find(path)!;
    const request: PageRequest = {
      params,
      query,
      access: "operate",
      signal: new AbortController().signal,
      redact: (data) => data,
    };
    const context: PageContext = {
      access: "operate",
      user: "ada",
      appName: "shop",
      path,
      query,
      nowMs: Date.now(),
      outcome: null,
      url: linksFrom(path, undefined),
    };
    const data = await page.load(app, request);
    const source = await loadSource(app);
    const render = () => {
      const content = page.render(data, context);
      return encoder.encode(renderDocument({ title: page.title(data), content, pages: PAGES, context }).text);
    };
    const [renderMs, jsonMs] = compare(render, () => encoder.encode(JSON.stringify(source)));
    if (renderMs - FRAME_MS > MAX_RATIO * jsonMs) slow.push(`/${whole}: ${renderMs} ms, JSON ${jsonMs} ms`);
    asked.count = 0;
    await open(whole);
    const questions = asked.count;
    if (questions > MAX_QUESTIONS) slow.push(`/${whole}: ${questions} questions to the broker`);
    const [requestMs, statusMs] = await fastestOf([() => open(whole), encodeStatus], REQUESTS) as [number, number];
    if (requestMs > MAX_REQUEST_RATIO * statusMs) {
      slow.push(`/${whole}: ${requestMs} ms, JSON of the status ${statusMs} ms`);
    }
    if (Deno.env.get("PRINT_TIMES") !== "1") continue;
    const { wallMs, processorMs } = await timesOf(() => open(whole), 20);
    const show = (ms: number) => ms.toFixed(2).padStart(8);
    console.log(
      `/${whole}`.padEnd(56),
      show(renderMs),
      show(jsonMs),
      (renderMs / jsonMs).toFixed(1).padStart(5),
      show(wallMs[18]!),
      show(processorMs[18]!),
      questions,
    );
  }
  assert(slow.length === 0, slow.join("\n"));
});
