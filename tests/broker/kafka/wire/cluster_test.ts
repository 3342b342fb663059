import { assert, assertEquals, assertRejects } from "@std/assert";
import { Cluster } from "../../../../src/broker/kafka/wire/cluster.ts";
import { Code, ConnectionError, ProtocolError } from "../../../../src/broker/kafka/wire/errors.ts";
import { heartbeat, listGroups } from "../../../../src/broker/kafka/wire/requests.ts";
import type { KafkaSaslOptions } from "../../../../src/broker/kafka/options.ts";
import { Api, ScriptedBroker } from "../../../support/kafka/scripted_broker.ts";
import {
  apiVersionsResponse,
  findCoordinatorResponse,
  heartbeatResponse,
  listGroupsResponse,
  metadataResponse,
  saslAuthenticateResponse,
  saslHandshakeResponse,
} from "../../../support/kafka/scripted_responses.ts";
import { MachineMeter } from "../../../support/machine_meter.ts";
import { durationMs, until } from "../../../support/until.ts";

const BEAT = heartbeat({ groupId: "g", groupGenerationId: 1, memberId: "m" });
const TOPIC_ID = "0123456789abcdef0123456789abcdef";

/** A cluster of brokers of which each knows all. */
function scripted(count: number): ScriptedBroker[] {
  const brokers = Array.from({ length: count }, () => new ScriptedBroker());
  const nodes = brokers.map(({ port }, nodeId) => ({ nodeId, port }));
  for (const broker of brokers) {
    broker.on(Api.apiVersions, () => apiVersionsResponse());
    broker.on(
      Api.metadata,
      () =>
        metadataResponse(
          nodes,
          [{ name: "jobs", id: TOPIC_ID, partitions: [{ leader: 0 }, { error: 5, leader: -1 }] }],
          {
            controllerId: count - 1,
          },
        ),
    );
    broker.on(Api.heartbeat, () => heartbeatResponse());
    broker.on(Api.listGroups, () => listGroupsResponse([]));
  }
  return brokers;
}

function connect(
  brokers: readonly ScriptedBroker[],
  { sasl = null as KafkaSaslOptions | null, requestTimeoutMs = 5000, connectionTimeoutMs = 5000 } = {},
): Cluster {
  return new Cluster({
    brokers: brokers.map(({ address }) => address),
    requestTimeoutMs,
    connection: { clientId: "c", ssl: false, sasl, connectionTimeoutMs },
  });
}

async function dispose(cluster: Cluster, brokers: readonly ScriptedBroker[]): Promise<void> {
  cluster.close();
  for (const broker of brokers) await broker[Symbol.asyncDispose]();
}

Deno.test("Cluster knows brokers, controller and leaders after it asked for metadata", async () => {
  const brokers = scripted(2);
  const cluster = connect(brokers);
  assertEquals([cluster.nodeIds(), cluster.controllerId], [[], -1]);
  await assertRejects(() => cluster.send(0, "control", BEAT), ConnectionError, "the cluster does not have it any more");
  await cluster.metadata.refresh(["jobs"]);
  assertEquals([cluster.nodeIds(), cluster.controllerId], [[0, 1], 1]);
  assertEquals([0, 1, 2].map((partition) => cluster.leaderOf("jobs", partition)), [0, null, null]);
  assertEquals(cluster.leaderOf("other", 0), null);
  await dispose(cluster, brokers);
});

Deno.test("ask() asks the next server beside one that is silent, and takes the first response", async () => {
  const brokers = scripted(2);
  brokers[0]!.on(Api.apiVersions, () => "silence");
  const cluster = connect(brokers, { requestTimeoutMs: 30_000, connectionTimeoutMs: 30_000 });
  const tookMs = await durationMs(() => cluster.metadata.refresh([]));
  assert(tookMs >= 999 && tookMs < 20_000, `It took ${tookMs} ms`);
  using machine = new MachineMeter();
  // Now a connection is open: it is asked first.
  machine.assertWithin("refresh", await durationMs(() => cluster.metadata.refresh([])), 900);
  await dispose(cluster, brokers);
});

Deno.test("ask() asks the next server at once where one fails, and that one last for a while", async () => {
  const brokers = scripted(3);
  for (const broker of brokers.slice(0, 2)) broker.onConnect = () => "cut";
  const cluster = connect(brokers);
  using machine = new MachineMeter();
  machine.assertWithin("question", await durationMs(() => cluster.ask(listGroups())), 900);
  assertEquals(brokers.map(({ connectionCount }) => connectionCount), [1, 1, 1]);
  await cluster.metadata.refresh([]);
  assert(!cluster.isReachable(0) && cluster.isReachable(2) && !cluster.isReachable(9));
  brokers[2]!.cutAll();
  await until(() => !cluster.isReachable(2), () => "broker 2 is not suspected");
  for (const broker of brokers) broker.onConnect = () => "accept";
  await cluster.ask(listGroups());
  assertEquals(brokers.map((broker) => broker.received(Api.listGroups).length), [1, 0, 1]);
  assert(cluster.isReachable(0), "Expected a broker that is connected again to be trusted");
  await dispose(cluster, brokers);
});

Deno.test("ask() fails with the last error once no server responds", async () => {
  const brokers = scripted(2);
  for (const broker of brokers) broker.onConnect = () => "cut";
  const cluster = connect(brokers);
  const error = await assertRejects(() => cluster.ask(BEAT), ConnectionError);
  assert(!error.isFinal);
  await dispose(cluster, brokers);
});

Deno.test("ask() fails at once where a server refuses the credentials", async () => {
  const brokers = scripted(2);
  for (const broker of brokers) {
    broker.on(Api.saslHandshake, () => saslHandshakeResponse("PLAIN"));
    broker.on(Api.saslAuthenticate, () => saslAuthenticateResponse({ error: 58, message: "no" }));
  }
  const cluster = connect(brokers, { sasl: { mechanism: "plain", username: "u", password: "p" } });
  const error = await assertRejects(() => cluster.ask(BEAT), ConnectionError, "check user, password and mechanism");
  assert(error.isFinal);
  assertEquals(brokers[1]!.connectionCount, 0);
  await dispose(cluster, brokers);
});

Deno.test("Cluster opens one connection for each purpose and broker, whatever is sent at once", async () => {
  const brokers = scripted(1);
  const cluster = connect(brokers);
  await cluster.metadata.refresh([]);
  for (const purpose of ["control", "produce", "group 1", "fetch 1", "group 11"] as const) {
    await Promise.all(Array.from({ length: 3 }, () => cluster.send(0, purpose, BEAT)));
  }
  assertEquals(brokers[0]!.connectionCount, 5);
  cluster.closePurpose("group 1", "fetch 1");
  await until(() => brokers[0]!.openConnections === 3, () => `${brokers[0]!.openConnections} are open`);
  await cluster.send(0, "group 11", BEAT);
  assertEquals(brokers[0]!.connectionCount, 5);
  await dispose(cluster, brokers);
});

Deno.test("close() and closePurpose() end connections that are being opened, and what waits for them", async () => {
  const brokers = scripted(1);
  const cluster = connect(brokers);
  await cluster.metadata.refresh([]);
  brokers[0]!.on(Api.apiVersions, () => "silence");
  const group = cluster.send(0, "group 1", BEAT);
  const produce = cluster.send(0, "produce", BEAT);
  await until(() => brokers[0]!.connectionCount === 3, () => "not connected");
  cluster.closePurpose("group 1");
  await assertRejects(() => group, ConnectionError, "the client was closed");
  cluster.close();
  await assertRejects(() => produce, ConnectionError, "the client was closed");
  await assertRejects(() => cluster.send(0, "control", BEAT), ConnectionError, "the client was closed");
  await assertRejects(() => cluster.ask(BEAT), ConnectionError, "the client was closed");
  await dispose(cluster, brokers);
});

Deno.test("a broker that moved to another address is connected to there", async () => {
  const brokers = scripted(2);
  const cluster = connect(brokers.slice(0, 1));
  await cluster.metadata.refresh([]);
  brokers[0]!.on(Api.metadata, () => metadataResponse([{ nodeId: 0, port: brokers[1]!.port }], []));
  await cluster.metadata.refresh([]);
  await cluster.send(0, "produce", BEAT);
  assertEquals(brokers.map((broker) => broker.received(Api.heartbeat).length), [0, 1]);
  await dispose(cluster, brokers);
});

Deno.test("metadata without brokers does not make the cluster forget those that it knows", async () => {
  const brokers = scripted(1);
  const cluster = connect(brokers);
  await cluster.metadata.refresh([]);
  brokers[0]!.on(Api.metadata, () => metadataResponse([], [], { controllerId: -1 }));
  await cluster.metadata.refresh([]);
  assertEquals(cluster.nodeIds(), [0]);
  await dispose(cluster, brokers);
});

Deno.test("sendToCoordinator() looks the coordinator up once, and again after it did not respond or moved", async () => {
  const brokers = scripted(2);
  let coordinator = 0;
  for (const broker of brokers) {
    broker.on(Api.findCoordinator, () => {
      return findCoordinatorResponse({ nodeId: coordinator, port: brokers[coordinator]!.port });
    });
  }
  const cluster = connect(brokers);
  const lookUps = () => brokers.flatMap((broker) => broker.received(Api.findCoordinator)).length;
  const beats = () => brokers.map((broker) => broker.received(Api.heartbeat).length);
  await cluster.sendToCoordinator("g", BEAT);
  await cluster.sendToCoordinator("g", BEAT);
  assertEquals([lookUps(), ...beats()], [1, 2, 0]);
  coordinator = 1;
  brokers[0]!.on(Api.heartbeat, () => "cut");
  await assertRejects(() => cluster.sendToCoordinator("g", BEAT), ConnectionError);
  await cluster.sendToCoordinator("g", BEAT);
  assertEquals([lookUps(), ...beats()], [2, 3, 1]);
  cluster.forgetCoordinator("g");
  await cluster.sendToCoordinator("g", BEAT);
  assertEquals(lookUps(), 3);
  await dispose(cluster, brokers);
});

Deno.test("doubt() makes ask() ask another server, each in its turn", async () => {
  const brokers = scripted(3);
  const cluster = connect(brokers);
  const asked = () => brokers.map((broker) => broker.received(Api.listGroups).length);
  for (let turn = 0; turn < 3; turn++) {
    await cluster.ask(listGroups());
    await cluster.ask(listGroups());
    assertEquals(asked(), brokers.map((_, at) => at <= turn ? 2 : 0));
    cluster.doubt();
  }
  await cluster.ask(listGroups());
  assertEquals(asked(), [3, 2, 2]);
  await dispose(cluster, brokers);
});

Deno.test("sendToCoordinator() does not look the coordinator up again where it was wrong", async () => {
  const brokers = scripted(2);
  for (const [coordinator, broker] of brokers.entries()) {
    broker.on(Api.findCoordinator, () => {
      return findCoordinatorResponse({ nodeId: coordinator, port: brokers[coordinator]!.port });
    });
  }
  const cluster = connect(brokers);
  await cluster.sendToCoordinator("g", BEAT);
  cluster.forgetCoordinator("g");
  await cluster.sendToCoordinator("g", BEAT);
  assertEquals(brokers.map((broker) => broker.received(Api.heartbeat).length), [1, 1]);
  await dispose(cluster, brokers);
});

Deno.test("sendToCoordinator() does not wait for a silent broker once another one coordinates the group", async () => {
  const brokers = scripted(2);
  let coordinator = 0;
  for (const broker of brokers) {
    broker.on(Api.findCoordinator, () => {
      return findCoordinatorResponse({ nodeId: coordinator, port: brokers[coordinator]!.port });
    });
  }
  brokers[0]!.on(Api.heartbeat, () => "silence");
  const cluster = connect(brokers, { requestTimeoutMs: 20_000 });
  const beat = cluster.sendToCoordinator("g", BEAT, 20_000, "group 1");
  await until(() => brokers[0]!.received(Api.heartbeat).length > 0, () => "no heartbeat");
  coordinator = 1;
  const error = await assertRejects(() => beat, ConnectionError);
  assert(error.isSent && error.message.includes("another broker has its place now"), error.message);
  await cluster.sendToCoordinator("g", BEAT, 20_000, "group 1");
  assertEquals(brokers[1]!.received(Api.heartbeat).length, 1);
  await dispose(cluster, brokers);
});

Deno.test("sendToCoordinator() does not follow a broker that alone takes itself for the coordinator", async () => {
  const brokers = scripted(2);
  for (const [nodeId, broker] of brokers.entries()) {
    broker.on(Api.findCoordinator, () => findCoordinatorResponse({ nodeId, port: broker.port }));
  }
  const slow = Promise.withResolvers<void>();
  brokers[0]!.on(Api.heartbeat, () => slow.promise.then(() => heartbeatResponse()));
  const cluster = connect(brokers, { requestTimeoutMs: 20_000 });
  const beat = cluster.sendToCoordinator("g", BEAT, 20_000, "group 1");
  await until(() => brokers[0]!.received(Api.heartbeat).length > 0, () => "no heartbeat");
  cluster.doubt();
  await until(() => brokers[1]!.received(Api.findCoordinator).length > 0, () => "not asked");
  await until(() => brokers[0]!.received(Api.findCoordinator).length > 1, () => "not confirmed");
  slow.resolve();
  assertEquals((await beat).errorCode, 0);
  await cluster.sendToCoordinator("g", BEAT, 20_000, "group 1");
  assertEquals(brokers.map((broker) => broker.received(Api.heartbeat).length), [2, 0]);
  await dispose(cluster, brokers);
});

Deno.test("sendToCoordinator() waits for a slow broker that still coordinates the group", async () => {
  const brokers = scripted(1);
  const slow = Promise.withResolvers<void>();
  brokers[0]!.on(Api.findCoordinator, () => findCoordinatorResponse({ nodeId: 0, port: brokers[0]!.port }));
  brokers[0]!.on(Api.heartbeat, () => slow.promise.then(() => heartbeatResponse()));
  const cluster = connect(brokers, { requestTimeoutMs: 20_000 });
  const beat = cluster.sendToCoordinator("g", BEAT, 20_000, "group 1");
  // Once to find it, and then to see that it is still in its place.
  await until(() => brokers[0]!.received(Api.findCoordinator).length === 3, () => "not looked up");
  slow.resolve();
  assertEquals((await beat).errorCode, 0);
  await dispose(cluster, brokers);
});

Deno.test("sendToCoordinator() fails with the code where the group has no coordinator now", async () => {
  const brokers = scripted(1);
  brokers[0]!.on(Api.findCoordinator, () => findCoordinatorResponse({ nodeId: -1, host: "", port: -1 }, 15));
  const cluster = connect(brokers);
  const error = await assertRejects(() => cluster.sendToCoordinator("g", BEAT), ProtocolError);
  assertEquals(error.code, Code.coordinatorNotAvailable);
  await dispose(cluster, brokers);
});
