/**
 * The health of a worker over HTTP: a `fetch` handler with three paths. Web standards only, so that it serves in any server:
 * the command line's with `--health-port`, or one's own beside a worker in the process.
 */
import { Exposition, EXPOSITION_CONTENT_TYPE } from "../monitor/exposition.ts";
import type { Metrics } from "../monitor/metrics.ts";
import type { WorkerStatus } from "../worker/status.ts";
import { notAlive, notReady } from "./checks.ts";
import { writeGauges } from "./gauges.ts";

/** What is asked of a worker, of whichever copy of this library. */
export interface ObservedWorker {
  /** How it is now. */
  status(): WorkerStatus;
  /** Asks the broker where the logs end. */
  refreshLag(): Promise<void>;
}

/** Answers a request. */
export type Handler = (request: Request) => Promise<Response>;

type Answer = (worker: ObservedWorker, metrics: Metrics) => Response | Promise<Response>;

const PATHS: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  ["/livez", (worker) => verdict(notAlive(worker.status()))],
  ["/readyz", (worker) => verdict(notReady(worker.status()))],
  ["/metrics", scrape],
]);

/** So many reasons are named. */
const MAX_REASONS = 10;

/**
 * A handler of requests for a worker's health.
 *
 * | Path       | 200                                                                       | 503, and why                 |
 * | ---------- | ------------------------------------------------------------------------- | ---------------------------- |
 * | `/livez`   | the worker has not failed, no job is over its `timeoutMs` and its grace   | a restart would help         |
 * | `/readyz`  | every group is joined, its session is good, the worker runs               | it performs nothing new      |
 * | `/metrics` | counters and gauges in Prometheus' text format 0.0.4                      |                              |
 *
 * @param worker the worker
 * @param metrics what has counted the events of its App
 * @example Beside the pages of a web server that performs its jobs itself
 * ```ts
 * import { activeJobTopic, App } from "@activejob/kafka";
 * import { healthHandler, Metrics } from "@activejob/kafka/web";
 * import { assertEquals } from "@std/assert";
 *
 * await using app = new App({ name: "shop", broker: "memory:", jobs: [], topics: [activeJobTopic("default")] });
 * const metrics = new Metrics();
 * metrics.attach(app);
 * const worker = app.worker();
 * const health = healthHandler(worker, metrics);
 *
 * // Deno.serve((request) => new URL(request.url).pathname === "/shop" ? shop(request) : health(request));
 * const response = await health(new Request("http://localhost/readyz"));
 * assertEquals([response.status, await response.text()], [503, "the worker is new\n"]);
 * ```
 */
export function healthHandler(worker: ObservedWorker, metrics: Metrics): Handler {
  return async (request) => {
    const response = await answered(request, worker, metrics);
    // Most servers leave the body out by themselves.
    return request.method === "HEAD" ? new Response(null, response) : response;
  };
}

function answered({ url, method }: Request, worker: ObservedWorker, metrics: Metrics): Response | Promise<Response> {
  const answer = PATHS.get(new URL(url).pathname);
  if (answer === undefined) return plain(404, `There are ${[...PATHS.keys()].join(", ")}`);
  if (method !== "GET" && method !== "HEAD") return plain(405, "Only GET and HEAD", { allow: "GET, HEAD" });
  return answer(worker, metrics);
}

function verdict(reasons: readonly string[]): Response {
  if (reasons.length === 0) return plain(200, "ok");
  const more = reasons.length - MAX_REASONS;
  return plain(503, [...reasons.slice(0, MAX_REASONS), ...more > 0 ? [`and ${more} more`] : []].join("\n"));
}

async function scrape(worker: ObservedWorker, metrics: Metrics): Promise<Response> {
  await worker.refreshLag();
  const exposition = new Exposition();
  writeGauges(exposition, worker.status());
  metrics.write(exposition);
  return respond(200, exposition.text, { "content-type": EXPOSITION_CONTENT_TYPE });
}

function plain(status: number, text: string, headers: Record<string, string> = {}): Response {
  return respond(status, `${text}\n`, { "content-type": "text/plain; charset=utf-8", ...headers });
}

function respond(status: number, text: string, headers: Record<string, string>): Response {
  const body = new TextEncoder().encode(text);
  const length = String(body.byteLength);
  return new Response(body, { status, headers: { "cache-control": "no-store", "content-length": length, ...headers } });
}
