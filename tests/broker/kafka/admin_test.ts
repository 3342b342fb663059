/** Administration of a Kafka that does not answer, and of one whose leaders and coordinators move. */
import { assert, assertEquals } from "@std/assert";
import type { Broker } from "../../../src/broker/broker.ts";
import { KafkaBroker } from "../../../src/broker/kafka/broker.ts";
import { kafkaSettings } from "../../../src/broker/kafka/options.ts";
import { Code } from "../../../src/broker/kafka/wire/errors.ts";
import { Monitor } from "../../../src/monitor/monitor.ts";
import { Api } from "../../support/kafka/scripted_broker.ts";
import { ScriptedKafka, TOPIC, TOPIC_ID } from "../../support/kafka/scripted_kafka.ts";
import { fetchResponse, listOffsetsResponse } from "../../support/kafka/scripted_responses.ts";

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

/** Moves the monotonic clock forward, until it is disposed of. */
function advancedClock(): Disposable & { advance(ms: number): void } {
  const { now } = performance;
  let aheadMs = 0;
  performance.now = () => now.call(performance) + aheadMs;
  return {
    advance: (ms) => void (aheadMs += ms),
    [Symbol.dispose]: () => void (performance.now = now),
  };
}

/** Questions to a leader or a coordinator: the request, its response during a move, and the call. */
const MOVES: readonly [name: string, api: number, moving: (kafka: ScriptedKafka) => Uint8Array, ask: Ask][] = [
  [
    "read()",
    Api.fetch,
    () => fetchResponse([{ topicId: TOPIC_ID, partition: 0, error: Code.notLeader }]),
    async (broker) => (await broker.admin.read(TOPIC, 0, { from: 0, maxBytes: 1 })).high,
  ],
  [
    "ends()",
    Api.listOffsets,
    () => listOffsetsResponse([{ topic: TOPIC, partition: 0, offset: -1, error: Code.notLeader }]),
    async (broker) => (await broker.admin.ends(TOPIC))[0]!.high,
  ],
  [
    "committed()",
    Api.offsetFetch,
    (kafka) => kafka.offsets(Code.notCoordinator),
    async (broker) => (await broker.admin.committed("group", TOPIC)).length - 1,
  ],
];

type Ask = (broker: Broker) => Promise<number>;

for (const [name, api, moving, ask] of MOVES) {
  Deno.test(`${name} waits for the successor of a broker, though a cluster takes 9 seconds to notice its death`, async () => {
    await using kafka = new ScriptedKafka();
    const settings = kafkaSettings({ brokers: [kafka.broker.address] });
    await using broker = new KafkaBroker("kafka:scripted", settings, { clientId: "test", monitor: new Monitor() });
    using clock = advancedClock();
    kafka.broker.next(api, () => {
      clock.advance(15_000);
      return moving(kafka);
    });
    assertEquals(await ask(broker), 0);
  });
}
