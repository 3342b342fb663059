/**
 * A web server and a worker in one process, as Deno's own OpenTelemetry sees them. One request enqueues two jobs: one
 * does something that is traced, and logs a line; the other fails. It ends as the command line does.
 */
import { activeJobTopic, App, Job } from "../../../mod.ts";
import { findOpenTelemetry } from "../../../src/monitor/open_telemetry.ts";

class MailJob extends Job {
  async perform(to: string) {
    // In Deno the context of an import() stays active after it.
    await import("node:path");
    const { trace, context } = findOpenTelemetry()!;
    const span = trace.getTracer("shop").startSpan("render", { kind: 0, attributes: {} }, context.active());
    console.log(`mail to ${to}`);
    span.end();
  }
}

class ChargeJob extends Job {
  perform() {
    throw new RangeError("no such card");
  }
}

const app = new App({
  name: "shop",
  broker: "memory:",
  jobs: [MailJob, ChargeJob],
  topics: [activeJobTopic("default", { deadLetterQueue: { topic: "dead", maxRetries: 0 } })],
  logger: false,
});

const server = Deno.serve({ port: 0, onListen() {} }, async () => {
  await MailJob.performLater("ada");
  await ChargeJob.performLater();
  return new Response("enqueued");
});
await (await fetch(`http://127.0.0.1:${server.addr.port}/`)).text();
await server.shutdown();
await app.worker().run(undefined, { once: true });
await app.close();
Deno.exit(0);
