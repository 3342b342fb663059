/**
 * A web server whose requests enqueue jobs, and the worker that performs them, in one process on the memory broker. The
 * job knows the user of the request: current attributes are set around the request and travel with the job.
 *
 * `deno run -A examples/current_attributes.ts`, then `curl 'http://127.0.0.1:8000/?user=7'`; Ctrl-C stops it.
 */
import { activeJobTopic, App, currentAttributes, Job } from "@activejob/kafka";

class Current extends currentAttributes<{ userId: number; requestId: string }>("userId", "requestId") {}

class AuditJob extends Job {
  perform(page: string) {
    console.log(`User ${Current.userId} looked at ${page}`);
  }
}

const app = new App({
  name: "web",
  broker: "memory:",
  jobs: [AuditJob],
  topics: [activeJobTopic("default")],
  currentAttributes: [Current],
  logger: { level: "warn" },
});

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => stop.abort());

const worker = app.worker().run(stop.signal);
const server = Deno.serve({ port: Number(Deno.env.get("PORT") ?? 8000), signal: stop.signal }, (request) => {
  const url = new URL(request.url);
  const userId = Number(url.searchParams.get("user"));
  return Current.run({ userId, requestId: crypto.randomUUID() }, async () => {
    const job = await AuditJob.performLater(url.pathname);
    return new Response(`Enqueued ${job.jobId}\n`);
  });
});

await Promise.all([server.finished, worker]);
await app.close();
Deno.exit();
