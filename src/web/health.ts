/**
 * The health of a worker over HTTP: a `fetch` handler with three paths. It uses web standards only, so that it works in any
 * server: that of the command line (`--health-port`), or the user's own beside a worker in the same process.
 */
import { Exposition, EXPOSITION_CONTENT_TYPE } from "../monitor/exposition.ts";
import type { Metrics } from "../monitor/metrics.ts";
import type { WorkerStatus } from "../worker/status.ts";
import { reasonsNotAlive, reasonsNotReady } from "./checks.ts";
import { writeGauges } from "./gauges.ts";

/** The part of a worker that is observed, of any copy of this library. */
export interface ObservedWorker {
  /** Returns its status now. */
  status(): WorkerStatus;
  /** Asks the broker for the ends of the logs. */
  refreshLag(): Promise<void>;
}

/** Handles a request, as `Deno.serve` and its like call it. */
export type Handler = (request: Request) => Promise<Response>;

type Route = (worker: ObservedWorker, metrics: Metrics) => Response | Promise<Response>;

const ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>([
  ["/livez", (worker) => respondVerdict(reasonsNotAlive(worker.status()))],
  ["/readyz", (worker) => respondVerdict(reasonsNotReady(worker.status()))],
  ["/metrics", scrape],
]);

/** Reasons that are listed, at most. */
const MAX_REASONS = 10;

/**
 * Returns a handler of requests for a worker's health.
 *
 * | Path       | 200                                                                       | 503, and why                 |
 * | ---------- | ------------------------------------------------------------------------- | ---------------------------- |
 * | `/livez`   | the worker has not failed, no job is over its `timeoutMs` and its grace   | a restart would help         |
 * | `/readyz`  | every group is joined, its session is good, the worker runs               | it performs nothing new      |
 * | `/metrics` | counters and gauges in Prometheus' text format 0.0.4                      |                              |
 *
 * @param worker the worker
 * @param metrics the metrics that are attached to its App
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
  return async ({ method, url }) => {
    // `Deno.serve` makes the URL of the Host header, unchecked.
    const path = URL.parse(url)?.pathname;
    return path === undefined ? plainResponse(400, "Bad request") : await respond(method, path, worker, metrics);
  };
}

/**
 * Responds to a request for a worker's health.
 *
 * @param path the path of the URL
 * @internal
 */
export async function respond(
  method: string,
  path: string,
  worker: ObservedWorker,
  metrics: Metrics,
): Promise<Response> {
  const response = await route(method, path, worker, metrics);
  // Most servers leave the body out by themselves.
  return method === "HEAD" ? new Response(null, response) : response;
}

function route(method: string, path: string, worker: ObservedWorker, metrics: Metrics): Response | Promise<Response> {
  const found = ROUTES.get(path);
  if (found === undefined) return plainResponse(404, `There are ${[...ROUTES.keys()].join(", ")}`);
  if (method !== "GET" && method !== "HEAD") return plainResponse(405, "Only GET and HEAD", { allow: "GET, HEAD" });
  return found(worker, metrics);
}

function respondVerdict(reasons: readonly string[]): Response {
  if (reasons.length === 0) return plainResponse(200, "ok");
  const more = reasons.length - MAX_REASONS;
  return plainResponse(503, [...reasons.slice(0, MAX_REASONS), ...more > 0 ? [`and ${more} more`] : []].join("\n"));
}

async function scrape(worker: ObservedWorker, metrics: Metrics): Promise<Response> {
  await worker.refreshLag();
  const exposition = new Exposition();
  writeGauges(exposition, worker.status());
  metrics.write(exposition);
  return textResponse(200, exposition.text, { "content-type": EXPOSITION_CONTENT_TYPE });
}

function plainResponse(status: number, text: string, headers: Record<string, string> = {}): Response {
  return textResponse(status, `${text}\n`, { "content-type": "text/plain; charset=utf-8", ...headers });
}

function textResponse(status: number, text: string, headers: Record<string, string>): Response {
  const body = new TextEncoder().encode(text);
  const length = String(body.byteLength);
  return new Response(body, { status, headers: { "cache-control": "no-store", "content-length": length, ...headers } });
}
