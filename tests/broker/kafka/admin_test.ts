/** Administration of a Kafka that does not answer. */
import { assert, assertEquals } from "@std/assert";
import { KafkaBroker } from "../../../src/broker/kafka/broker.ts";
import { kafkaSettings } from "../../../src/broker/kafka/options.ts";
import { Monitor } from "../../../src/monitor/monitor.ts";

Deno.test("groups() ends after three seconds if the brokers accept connections and never answer", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const connection of listener) connections.push(connection);
  })();
  const settings = kafkaSettings({ brokers: [`127.0.0.1:${listener.addr.port}`] });
  const broker = new KafkaBroker("kafka:silent", settings, { clientId: "silent", monitor: new Monitor() });
  const startMs = performance.now();
  assertEquals([...await broker.admin.groups(["orders"])], [["orders", []]]);
  assert(performance.now() - startMs < 15_000, "Expected the limit of the search, not the limit of a request");
  assert(connections.length > 0);
  await broker[Symbol.asyncDispose]();
  listener.close();
  await accepting;
  for (const connection of connections) connection.close();
});
