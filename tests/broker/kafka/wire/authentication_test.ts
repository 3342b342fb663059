/** SASL on a scripted broker: PLAIN, whose exchange is one message, and OAUTHBEARER, whose token may fail. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { KafkaSaslOptions } from "../../../../src/broker/kafka/options.ts";
import { Connection } from "../../../../src/broker/kafka/wire/connection.ts";
import { ConnectionError } from "../../../../src/broker/kafka/wire/errors.ts";
import type { Request } from "../../../../src/broker/kafka/wire/request.ts";
import { heartbeat } from "../../../../src/broker/kafka/wire/requests.ts";
import { Api, ScriptedBroker, type ScriptedRequest } from "../../../support/kafka/scripted_broker.ts";
import {
  apiVersionsResponse,
  heartbeatResponse,
  saslAuthenticateResponse,
  saslHandshakeResponse,
} from "../../../support/kafka/scripted_responses.ts";
import { MachineMeter } from "../../../support/machine_meter.ts";
import { until } from "../../../support/until.ts";

const PLAIN: KafkaSaslOptions = { mechanism: "plain", username: "shop", password: "secret-word" };
const BEAT = heartbeat({ groupId: "g", groupGenerationId: 1, memberId: "m" });
const AUTHENTICATION_FAILED = 58;
const LIFETIME_MS = 1500;

/** A broker that accepts any credentials, for a lifetime. */
function scripted(mechanism: string, lifetimeMs = 0): ScriptedBroker {
  const broker = new ScriptedBroker();
  broker.on(Api.apiVersions, () => apiVersionsResponse());
  broker.on(Api.saslHandshake, () => saslHandshakeResponse(mechanism));
  broker.on(Api.saslAuthenticate, () => saslAuthenticateResponse({ lifetimeMs }));
  broker.on(Api.heartbeat, () => heartbeatResponse());
  return broker;
}

function open(broker: ScriptedBroker, sasl: KafkaSaslOptions, connectionTimeoutMs = 5000): Promise<Connection> {
  return new Connection(broker.address, { clientId: "c", ssl: false, sasl, connectionTimeoutMs }).ready;
}

function close(connection: Connection): void {
  connection.close(new ConnectionError(connection.address, "the test is over"));
}

function apis(requests: readonly ScriptedRequest[]): number[] {
  return requests.map(({ api }) => api);
}

Deno.test("Connection authenticates before anything else", async () => {
  await using broker = scripted("PLAIN");
  const connection = await open(broker, PLAIN);
  await connection.send(BEAT, 5000);
  assertEquals(apis(broker.requests), [Api.apiVersions, Api.saslHandshake, Api.saslAuthenticate, Api.heartbeat]);
  const sent = broker.received(Api.saslAuthenticate)[0]!.body.toString();
  assert(sent.includes("\0shop\0secret-word"), "Expected the user and the password as PLAIN has them");
  close(connection);
});

Deno.test("a wrong password is one line, final, and does not show the password", async () => {
  await using broker = scripted("PLAIN");
  broker.on(Api.saslAuthenticate, () => {
    return saslAuthenticateResponse({ error: AUTHENTICATION_FAILED, message: "Invalid username or password" });
  });
  const startedMs = performance.now();
  const error = await assertRejects(() => open(broker, PLAIN), ConnectionError);
  assert(performance.now() - startedMs < 5000);
  assert(error.isFinal);
  assert(
    error.message.startsWith(`${broker.address}: the broker refused the plain authentication: check user, password`),
  );
  assert(error.message.includes("Invalid username or password"), error.message);
  assert(!error.message.includes("\n") && !error.message.includes("secret-word"), error.message);
});

Deno.test("a mechanism that the broker does not offer is final", async () => {
  await using broker = scripted("SCRAM-SHA-512");
  const error = await assertRejects(() => open(broker, PLAIN), ConnectionError, "check user, password and mechanism");
  assert(error.isFinal);
});

Deno.test("a broker that goes away while it authenticates may come back", async () => {
  for (
    const [answer, problem] of [["cut", "closed the connection"], ["silence", "finish the authentication"]] as const
  ) {
    await using broker = scripted("PLAIN");
    broker.on(Api.saslAuthenticate, () => answer);
    const error = await assertRejects(() => open(broker, PLAIN, 400), ConnectionError, problem);
    assert(!error.isFinal, error.message);
  }
});

Deno.test("Connection authenticates again before the lifetime is over, and sends nothing in between", async () => {
  await using broker = scripted("PLAIN");
  const isUnderWay: boolean[] = [];
  let underWay = false;
  broker.on(Api.saslHandshake, () => {
    underWay = true;
    return saslHandshakeResponse("PLAIN");
  });
  broker.on(Api.saslAuthenticate, async () => {
    await new Promise((resolve) => setTimeout(resolve, 30));
    underWay = false;
    return saslAuthenticateResponse({ lifetimeMs: LIFETIME_MS });
  });
  broker.on(Api.heartbeat, () => {
    isUnderWay.push(underWay);
    return heartbeatResponse();
  });
  using machine = new MachineMeter();
  const connection = await open(broker, PLAIN);
  // An encoder that takes its time: an authentication may begin meanwhile.
  const slow: Request<{ readonly errorCode: number }> = {
    name: "Slow",
    async encode(versions) {
      const request = await BEAT.encode(versions);
      await new Promise((resolve) => setTimeout(resolve, 1));
      return request;
    },
  };
  const isRenewed = () => broker.received(Api.saslAuthenticate).length >= 3;
  const sendAll = async (): Promise<void> => {
    while (!isRenewed()) await connection.send(slow, 5000);
  };
  await Promise.all(Array.from({ length: 8 }, sendAll));
  // The broker reads one request after the other: one that was sent in between is read in between.
  const order = apis(broker.requests);
  for (const [at, api] of order.entries()) {
    if (api === Api.saslHandshake) assertEquals(order[at + 1], Api.saslAuthenticate);
  }
  assert(isUnderWay.length > 10 && !isUnderWay.includes(true));
  const times = broker.received(Api.saslAuthenticate).map(({ atMs }) => atMs);
  machine.assertWithin("second authentication", times[1]! - times[0]!, LIFETIME_MS);
  assertEquals(broker.connectionCount, 1);
  close(connection);
});

Deno.test("Connection is closed if it is refused when it authenticates again", async () => {
  await using broker = scripted("PLAIN");
  broker.next(
    Api.saslAuthenticate,
    () => saslAuthenticateResponse({ lifetimeMs: 150 }),
    () => saslAuthenticateResponse({ error: AUTHENTICATION_FAILED, message: "revoked" }),
  );
  const connection = await open(broker, PLAIN);
  await until(() => connection.closedBy !== null, () => "it is open");
  assert(connection.closedBy!.isFinal);
  assert(connection.closedBy!.message.includes("revoked"));
});

Deno.test("a token that cannot be got is not the broker's refusal, and may be there later", async () => {
  await using broker = scripted("OAUTHBEARER");
  let calls = 0;
  const sasl: KafkaSaslOptions = {
    mechanism: "oauthbearer",
    token: () => calls++ === 0 ? Promise.reject(new Error("503 from the token endpoint")) : Promise.resolve("t-2"),
  };
  const error = await assertRejects(() => open(broker, sasl), ConnectionError);
  assertEquals(error.message, `${broker.address}: there is no token: 503 from the token endpoint`);
  assert(!error.isFinal);
  close(await open(broker, sasl));
  assert(broker.received(Api.saslAuthenticate).at(-1)!.body.toString().includes("auth=Bearer t-2"));
});

Deno.test("a token that never comes does not hold up the end of a connection, and no timer is left", async () => {
  for (const answered of [0, 1]) {
    await using broker = scripted("OAUTHBEARER", 150);
    let calls = 0;
    const asked = Promise.withResolvers<void>();
    const sasl: KafkaSaslOptions = {
      mechanism: "oauthbearer",
      token: () => {
        if (calls++ < answered) return Promise.resolve("t");
        asked.resolve();
        return new Promise<string>(() => {});
      },
    };
    const options = { clientId: "c", ssl: false, sasl, connectionTimeoutMs: 60_000 };
    const connection = new Connection(broker.address, options);
    await asked.promise;
    close(connection);
    if (answered === 0) await assertRejects(() => connection.ready, ConnectionError, "the test is over");
    else assert(await connection.ready === connection);
  }
});

Deno.test("a token that never comes holds up requests until the deadline of an authentication only", async () => {
  await using broker = scripted("OAUTHBEARER", 150);
  let calls = 0;
  const renewing = Promise.withResolvers<void>();
  const sasl: KafkaSaslOptions = {
    mechanism: "oauthbearer",
    token: () => {
      if (calls++ === 0) return Promise.resolve("t");
      renewing.resolve();
      return new Promise<string>(() => {});
    },
  };
  const connection = await open(broker, sasl, 400);
  await renewing.promise;
  const error = await assertRejects(() => connection.send(BEAT, 60_000), ConnectionError);
  assert(error.message.includes("it was not authenticated again within 400 ms"), error.message);
  assert(!error.isSent && !error.isFinal);
});
