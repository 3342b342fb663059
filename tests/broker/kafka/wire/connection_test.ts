import { assert, assertEquals, assertRejects } from "@std/assert";
import { Connection, type ConnectionOptions } from "../../../../src/broker/kafka/wire/connection.ts";
import { ConnectionError } from "../../../../src/broker/kafka/wire/errors.ts";
import { metadataRequest } from "../../../../src/broker/kafka/wire/metadata_request.ts";
import { UnsupportedVersionError } from "../../../../src/broker/kafka/wire/request.ts";
import { findCoordinator, heartbeat } from "../../../../src/broker/kafka/wire/requests.ts";
import { Child } from "../../../support/child.ts";
import { Folder } from "../../../support/folder.ts";
import { Api, ScriptedBroker } from "../../../support/kafka/scripted_broker.ts";
import {
  apiVersionsResponse,
  findCoordinatorResponse,
  heartbeatResponse,
  metadataResponse,
} from "../../../support/kafka/scripted_responses.ts";
import { MachineMeter } from "../../../support/machine_meter.ts";
import { until } from "../../../support/until.ts";

const OPTIONS: ConnectionOptions = { clientId: "tëst", ssl: false, sasl: null, connectionTimeoutMs: 5000 };
const BEAT = heartbeat({ groupId: "g", groupGenerationId: 1, memberId: "m" });

function scripted(): ScriptedBroker {
  const broker = new ScriptedBroker();
  broker.on(Api.apiVersions, () => apiVersionsResponse());
  broker.on(Api.heartbeat, () => heartbeatResponse());
  return broker;
}

function open(broker: ScriptedBroker, options: Partial<ConnectionOptions> = {}): Promise<Connection> {
  return new Connection(broker.address, { ...OPTIONS, ...options }).ready;
}

function close(connection: Connection): void {
  connection.close(new ConnectionError(connection.address, "the test is over"));
}

Deno.test("Connection sends requests at once and assigns their responses by number", async () => {
  await using broker = scripted();
  broker.on(Api.findCoordinator, () => findCoordinatorResponse({ nodeId: 7, port: 1 }));
  broker.on(Api.metadata, () => metadataResponse([{ nodeId: 7, port: 1 }], []));
  const connection = await open(broker);
  const [beat, coordinator, metadata] = await Promise.all([
    connection.send(BEAT, 5000),
    connection.send(findCoordinator("g"), 5000),
    connection.send(metadataRequest([]), 5000),
  ]);
  assertEquals([beat.errorCode, coordinator.coordinator.nodeId, metadata.brokers[0]!.nodeId], [0, 7, 7]);
  assertEquals(broker.received(Api.heartbeat)[0]!.clientId, "tëst");
  close(connection);
});

Deno.test("Connection reads responses that arrive byte by byte", async () => {
  await using broker = scripted();
  broker.chunkBytes = 1;
  const connection = await open(broker);
  assertEquals((await connection.send(BEAT, 5000)).errorCode, 0);
  close(connection);
});

Deno.test("Connection closes at the deadline of a request, and whatever else is pending fails as sent", async () => {
  await using broker = scripted();
  broker.on(Api.heartbeat, () => "silence");
  let closedBy: ConnectionError | null = null;
  const connection = await new Connection(broker.address, OPTIONS, (error) => closedBy = error).ready;
  const slow = connection.send(findCoordinator("g"), 60_000);
  slow.catch(() => {});
  const startedMs = performance.now();
  const error = await assertRejects(() => connection.send(BEAT, 100), ConnectionError);
  assert(performance.now() - startedMs >= 99);
  assertEquals(error.message, `${broker.address}: it did not answer Heartbeat within 100 ms (Heartbeat was under way)`);
  assertEquals([error.isSent, error.isFinal], [true, false]);
  const other = await assertRejects(() => slow, ConnectionError, "GroupCoordinator was under way");
  assert(other.isSent);
  assert(closedBy !== null && closedBy === connection.closedBy && !connection.isReady);
  const late = await assertRejects(() => connection.send(BEAT, 100), ConnectionError, "Heartbeat was not sent");
  assert(!late.isSent);
});

for (const [how, answer] of [["between", "cut"], ["in the middle of", "cutInFrame"]] as const) {
  Deno.test(`Connection fails what is pending if it is cut ${how} responses`, async () => {
    await using broker = scripted();
    broker.on(Api.heartbeat, () => answer);
    const connection = await open(broker);
    const error = await assertRejects(() => connection.send(BEAT, 60_000), ConnectionError, "it closed the connection");
    assert(error.isSent);
  });
}

Deno.test("Connection fails a request whose response cannot be read as sent, and is closed", async () => {
  await using broker = scripted();
  broker.on(Api.metadata, () => Uint8Array.of(0, 1, 2));
  const connection = await open(broker);
  const error = await assertRejects(() => connection.send(metadataRequest([]), 5000), ConnectionError);
  assert(error.isSent && error.message.includes("its answer to Metadata cannot be read"), error.message);
  assert(connection.closedBy !== null);
});

Deno.test("Connection is closed by a response to a request that was not sent", async () => {
  await using broker = scripted();
  broker.onConnect = () => Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 99);
  const error = await assertRejects(() => open(broker), ConnectionError);
  assertEquals(error.message.split(" (")[0], `${broker.address}: it answered a request that was not sent`);
});

Deno.test("Connection waits longer for a broker that throttles it", async () => {
  await using broker = scripted();
  broker.next(Api.heartbeat, () => heartbeatResponse(0, 1500));
  const connection = await open(broker);
  assertEquals(connection.throttledMs, 0);
  await connection.send(BEAT, 5000);
  assert(connection.throttledMs > 200, `${connection.throttledMs}`);
  broker.on(Api.heartbeat, async () => {
    await until(() => connection.throttledMs === 0, () => "throttled");
    return heartbeatResponse();
  });
  // The deadline alone would be over.
  await connection.send(BEAT, 1000);
  close(connection);
});

Deno.test("Connection refuses a request in versions that the broker does not understand, and stays open", async () => {
  await using broker = scripted();
  broker.on(Api.apiVersions, () => apiVersionsResponse({ [Api.metadata]: [0, 11], [Api.heartbeat]: [4, 9] }));
  const connection = await open(broker);
  const error = await assertRejects(() => connection.send(metadataRequest([]), 5000), UnsupportedVersionError);
  assertEquals(
    error.message,
    "Cannot send Metadata in a version from 12 to 12: the broker understands 0 to 11 (Kafka 3.1 and later work)",
  );
  await assertRejects(() => connection.send(BEAT, 5000), UnsupportedVersionError, "understands 4 to 9");
  assertEquals(connection.closedBy, null);
  close(connection);
});

Deno.test("Connection names the step that was not over at the deadline of opening", async () => {
  await using silent = new ScriptedBroker();
  const startedMs = performance.now();
  const error = await assertRejects(() => open(silent, { connectionTimeoutMs: 200 }), ConnectionError);
  assert(performance.now() - startedMs < 4000);
  assertEquals(
    error.message,
    `${silent.address}: it did not answer with its versions (it may not be a Kafka, or hang) within 200 ms`,
  );
  assert(!error.isFinal && !error.isSent);
});

Deno.test("Connection reports a port that cannot be one like any other failure", async () => {
  for (const address of ["127.0.0.1:70000", "127.0.0.1:-1", "nowhere"]) {
    const closed: ConnectionError[] = [];
    const opening = new Connection(address, OPTIONS, (error) => closed.push(error)).ready;
    const error = await assertRejects(() => opening, ConnectionError);
    assert(error.message.startsWith(`${address}: `), error.message);
    assertEquals(closed, [error]);
  }
});

Deno.test("Connection can be closed while it is being opened", async () => {
  await using silent = new ScriptedBroker();
  const connection = new Connection(silent.address, OPTIONS);
  await until(() => silent.openConnections === 1, () => "it did not connect");
  using machine = new MachineMeter();
  const startedMs = performance.now();
  close(connection);
  await assertRejects(() => connection.ready, ConnectionError, "the test is over");
  machine.assertWithin("close", performance.now() - startedMs, 1000);
});

Deno.test("an open connection with nothing pending lets the process end, one that waits for a response does not", async () => {
  await using broker = scripted();
  broker.on(Api.findCoordinator, async () => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    return findCoordinatorResponse({ nodeId: 3, port: 1 });
  });
  const wire = new URL("../../../../src/broker/kafka/wire/", import.meta.url);
  const program = `
    import { Connection } from "${wire}connection.ts";
    import { findCoordinator } from "${wire}requests.ts";
    const options = { clientId: "c", ssl: false, sasl: null, connectionTimeoutMs: 60_000 };
    const connection = await new Connection("${broker.address}", options).ready;
    connection.send(findCoordinator("g"), 60_000).then(({ coordinator }) => console.log(coordinator.nodeId));
  `;
  const startedMs = performance.now();
  await using folder = await Folder.create({ "program.ts": program });
  await using child = new Child([`${folder.path}/program.ts`], { options: ["-A", "--no-check"] });
  assertEquals(await child.ended(), { code: 0, signal: null, stdout: ["3"], stderr: [] });
  assert(performance.now() - startedMs < 30_000);
});
