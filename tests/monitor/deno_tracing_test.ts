/** Deno's own OpenTelemetry in a child process: the spans that a collector receives. */
import { assertEquals } from "@std/assert";
import { Child } from "../support/child.ts";
import { Collector } from "../support/collector.ts";

Deno.test("OTEL_DENO=true: a request, its jobs and what they do are one trace at the collector", async () => {
  await using collector = new Collector();
  await using child = new Child(["tests/monitor/children/traced_app.ts"], { env: collector.env });
  const { code, stderr } = await child.ended();
  assertEquals([code, stderr], [0, []]);

  const request = collector.spans.find(({ kind }) => kind === 2)!;
  const mail = collector.span("send default", "active_job.class", "MailJob");
  const charge = collector.span("send default", "active_job.class", "ChargeJob");
  const performMail = collector.span("process default", "active_job.class", "MailJob");
  const performCharge = collector.span("process default", "active_job.class", "ChargeJob");
  const render = collector.span("render");
  const spans = [mail, charge, performMail, performCharge, render];

  assertEquals(spans.map(({ traceId }) => traceId), Array(5).fill(request.traceId));
  assertEquals(
    spans.map(({ parentSpanId }) => parentSpanId),
    [request.spanId, request.spanId, mail.spanId, charge.spanId, performMail.spanId],
  );
  assertEquals(spans.map(({ kind }) => kind), [4, 4, 5, 5, 1]);
  assertEquals(performMail.links.map(({ traceId, spanId }) => [traceId, spanId]), [[mail.traceId, mail.spanId]]);

  assertEquals(mail.attributes, {
    "messaging.system": "memory",
    "messaging.client.id": "shop",
    "messaging.operation.name": "send",
    "messaging.operation.type": "send",
    "messaging.destination.name": "default",
    "messaging.destination.partition.id": "0",
    "messaging.kafka.offset": 0,
    "messaging.message.id": performMail.attributes["messaging.message.id"],
    "active_job.class": "MailJob",
  });
  assertEquals(performMail.attributes["messaging.consumer.group.name"], "shop");
  assertEquals([mail.status.code ?? 0, performMail.status.code ?? 0], [0, 0]);
  assertEquals(performCharge.status, { code: 2, message: "no such card" });
  assertEquals(performCharge.attributes["error.type"], "RangeError");
  assertEquals(performCharge.events.map(({ name }) => name), ["exception"]);
  assertEquals(performCharge.events[0]!.attributes["exception.message"], "no such card");

  const line = collector.lines.find(({ text }) => text === "mail to ada");
  assertEquals([line?.traceId, line?.spanId], [request.traceId, performMail.spanId]);
});
