/**
 * A trace crosses the log: two processes, one that enqueues and one that performs, each with the OpenTelemetry of Deno.
 */
import { assertEquals } from "@std/assert";
import { cli } from "../support/child.ts";
import { Collector } from "../support/collector.ts";
import { type ChildSettings, SETTINGS } from "../support/behaviours/children/settings.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";

const APP = "tests/support/behaviours/children/app.ts";

behaviour(
  "a trace goes on in the process that performs, also one that another program began",
  { on: ["sqlite", "kafka"], because: "a memory log lives in one process" },
  async (world) => {
    await world.process({ jobs: [] });
    await using collector = new Collector();
    const settings: ChildSettings = { broker: world.url, name: world.group };
    const env = { ...collector.env, [SETTINGS]: JSON.stringify(settings) };
    const enqueued = await cli(["enqueue", "--app", APP, "PlainJob", "[1]"], { env });
    assertEquals(enqueued.code, 0, enqueued.stderr.join("\n"));
    const [trace, span] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];
    await world.append([{
      value: JSON.stringify({ job_class: "PlainJob", job_id: "rails", arguments: [2] }),
      headers: [["traceparent", new TextEncoder().encode(`00-${trace}-${span}-01`)]],
    }]);
    const performed = await cli(["worker", "--app", APP, "--once"], { env });
    assertEquals(performed.code, 0, performed.stderr.join("\n"));

    const topic = world.topic();
    const send = collector.span(`send ${topic}`);
    const process = collector.span(`process ${topic}`, "messaging.message.id", send.attributes["messaging.message.id"]);
    const other = collector.span(`process ${topic}`, "messaging.message.id", "rails");
    assertEquals([process.traceId, process.parentSpanId], [send.traceId, send.spanId]);
    assertEquals([other.traceId, other.parentSpanId], [trace, span]);
    assertEquals(other.links.map((link) => [link.traceId, link.spanId]), [[trace, span]]);
    for (const { attributes } of [send, process]) {
      assertEquals(attributes["messaging.system"], world.brokerName);
      assertEquals(attributes["messaging.kafka.offset"], 0);
    }
    assertEquals(process.attributes["messaging.kafka.message.key"], "one");
    assertEquals(
      [1, 2].map((n) => collector.lines.find(({ text }) => text === `performed ${n}`)?.spanId),
      [process.spanId, other.spanId],
    );
  },
);
