/** The end of a scripted broker: a test that fails before it releases a response must fail with its own error. */
import { assertEquals } from "@std/assert";
import { Connection } from "../../../src/broker/kafka/wire/connection.ts";
import { heartbeat } from "../../../src/broker/kafka/wire/requests.ts";
import { until } from "../until.ts";
import { Api, ScriptedBroker } from "./scripted_broker.ts";
import { apiVersionsResponse } from "./scripted_responses.ts";

Deno.test("a broker whose script never returns ends, and cuts its connections", async () => {
  const broker = new ScriptedBroker();
  broker.patienceMs = 50;
  broker.on(Api.apiVersions, () => apiVersionsResponse());
  broker.on(Api.heartbeat, () => new Promise(() => {}));
  const options = { clientId: "test", ssl: false, sasl: null, connectionTimeoutMs: 5000 } as const;
  const connection = await new Connection(broker.address, options).ready;
  const sent = connection.send(heartbeat({ groupId: "g", groupGenerationId: 1, memberId: "m" }), 60_000);
  const failed = sent.then(() => "a response", (error: Error) => error.name);
  await until(() => broker.received(Api.heartbeat).length === 1, () => "the request did not come");
  await broker[Symbol.asyncDispose]();
  assertEquals([broker.openConnections, await failed], [0, "ConnectionError"]);
});
