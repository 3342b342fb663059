/**
 * A web server (Hono) that responds at once and leaves the work to a worker in another process. Each request has
 * current attributes, and its jobs carry them. The dashboard of the jobs is at `/jobs`.
 *
 * ```sh
 * deno run -A examples/web/server.ts
 * deno run -A src/cli/mod.ts worker --app examples/web/app.ts
 * curl -X POST -H 'x-user: 7' http://127.0.0.1:8000/orders/tea
 * curl -H 'x-user: 1' http://127.0.0.1:8000/jobs/api/about
 * ```
 */
import { Hono } from "npm:hono@4";
import { dashboard } from "@activejob/kafka/web";
import { app, Current, OrderJob } from "./app.ts";
import { findOperator } from "./operators.ts";

const web = new Hono();

// The jobs that a handler enqueues, and awaits, carry this user. A real server would read a session.
web.use((context, next) => {
  const userId = Number(context.req.header("x-user"));
  return Current.run({ userId, requestId: crypto.randomUUID() }, next);
});

web.post("/orders/:article", async (context) => {
  const job = await OrderJob.performLater(context.req.param("article"));
  return context.json({ jobId: job.jobId, requestId: Current.requestId }, 202);
});

// With `basePath` the links are right for "/jobs" and for "/jobs/".
const jobs = dashboard(app, { authorize: findOperator, basePath: "/jobs" });
web.mount("/jobs", jobs.fetch);

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => stop.abort());

await Deno.serve({ port: Number(Deno.env.get("PORT") ?? 8000), signal: stop.signal }, web.fetch).finished;
await app.close(); // sends the buffered jobs
Deno.exit();
