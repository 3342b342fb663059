/** One line for each port that is not the Kafka that was expected. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createCertificates } from "../../../../tasks/kafka/certificates.ts";
import type { KafkaTlsOptions } from "../../../../src/broker/kafka/options.ts";
import { Connection } from "../../../../src/broker/kafka/wire/connection.ts";
import { ConnectionError } from "../../../../src/broker/kafka/wire/errors.ts";
import { describeForeignBytes, joinAddress, splitAddress } from "../../../../src/broker/kafka/wire/socket.ts";
import { Api, ScriptedBroker } from "../../../support/kafka/scripted_broker.ts";
import { apiVersionsResponse } from "../../../support/kafka/scripted_responses.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Opens a connection that must fail within five seconds, and returns its message behind the address. */
async function problemOf(
  address: string,
  ssl: boolean | KafkaTlsOptions = false,
  connectionTimeoutMs = 4000,
): Promise<string> {
  const startedMs = performance.now();
  const opening = new Connection(address, { clientId: "c", ssl, sasl: null, connectionTimeoutMs }).ready;
  const error = await assertRejects(() => opening, ConnectionError);
  assert(performance.now() - startedMs < 5000);
  assert(error.message.startsWith(`${address}: `), error.message);
  assert(!error.message.includes("\n"), error.message);
  assert(!error.isSent || !error.isFinal);
  return error.message.slice(address.length + 2);
}

Deno.test("splitAddress() and joinAddress() keep names, IPv4 and IPv6 addresses", () => {
  for (const [host, port, address] of [["a.b", 9092, "a.b:9092"], ["::1", 1, "[::1]:1"], ["1.2.3.4", 5, "1.2.3.4:5"]]) {
    assertEquals(joinAddress(host as string, port as number), address);
    assertEquals<unknown>(splitAddress(address as string), { host, port });
  }
});

Deno.test("a port that speaks something else than Kafka is named by its first bytes", async () => {
  const cases: [greeting: Uint8Array, problem: string][] = [
    [text("HTTP/1.1 400 Bad Request\r\n\r\n"), "the port speaks HTTP, not Kafka's protocol"],
    [text("SSH-2.0-OpenSSH_9.6\r\n"), "the port speaks SSH, not Kafka's protocol"],
    [Uint8Array.of(0x15, 3, 3, 0, 2, 2, 70), 'the port speaks TLS: set "ssl"'],
    [text("220 mail.example ESMTP\r\n"), 'the port does not speak Kafka\'s protocol (it sent "220 ")'],
    [text("-ERR unknown command\r\n"), 'the port does not speak Kafka\'s protocol (it sent "-ERR")'],
  ];
  for (const [greeting, problem] of cases) {
    await using broker = new ScriptedBroker();
    broker.onConnect = () => greeting;
    // The client writes first, and the server cuts: its answer may be lost on the way.
    assertEquals((await problemOf(broker.address)).split(" (ApiVersions")[0], problem);
  }
});

Deno.test("an HTTP server is named", async () => {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => new Response("no"));
  const problem = await problemOf(`127.0.0.1:${server.addr.port}`);
  assert(/speaks HTTP|closed the connection before it answered with its versions/.test(problem), problem);
  await server.shutdown();
});

Deno.test("a port at which nothing listens, and a host that does not exist, are named", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  assert((await problemOf(`127.0.0.1:${listener.addr.port}`)).includes("ECONNREFUSED"));
  const unknown = await problemOf("no-such-host.invalid:9092");
  assert(/ENOTFOUND|EAI_AGAIN|getaddrinfo/.test(unknown), unknown);
});

Deno.test("a port that closes the connection at once may want TLS", async () => {
  await using broker = new ScriptedBroker();
  broker.onConnect = () => "cut";
  const problem = await problemOf(broker.address);
  assert(/it closed the connection before it answered with its versions|ECONNRESET/.test(problem), problem);
});

Deno.test("describeForeignBytes() quotes what it does not know", () => {
  assertEquals(
    describeForeignBytes(Uint8Array.of(0, 255, 10, 65)),
    'the port does not speak Kafka\'s protocol (it sent "\\u0000ÿ\\nA")',
  );
});

Deno.test({
  name: "TLS: the certificate is verified, a port in clear and a port with TLS are recognised",
  ignore: !hasOpenssl(),
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const { ca, key, cert } = await createCertificates(folder);
      await using secure = new ScriptedBroker({ key, cert });
      secure.on(Api.apiVersions, () => apiVersionsResponse());
      await using clear = new ScriptedBroker();
      clear.on(Api.apiVersions, () => apiVersionsResponse());

      const options = { clientId: "c", ssl: { ca }, sasl: null, connectionTimeoutMs: 4000 };
      const connection = await new Connection(secure.address, options).ready;
      connection.close(new ConnectionError(secure.address, "the test is over"));

      const untrusted = await problemOf(secure.address, true);
      assert(untrusted.startsWith("the certificate was refused: "), untrusted);
      const misnamed = await problemOf(secure.address, { ca, servername: "other.example" });
      assert(misnamed.startsWith("the certificate was refused: "), misnamed);

      const withoutTls = await problemOf(secure.address);
      assert(
        /the port speaks TLS: set "ssl"|it closed the connection before .* then set "ssl"/.test(withoutTls),
        withoutTls,
      );
      // Kafka cuts at what it takes for a request of 370 MB; other servers wait for more.
      const hint = ' (the port may not speak TLS: then leave "ssl" out)';
      assertEquals(await problemOf(clear.address, true), `it closed the connection in the TLS handshake${hint}`);
      await using silent = new SilentServer();
      assertEquals(
        await problemOf(silent.address, true, 300),
        `it did not finish the TLS handshake${hint} within 300 ms`,
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** Accepts connections, and does nothing with them. */
class SilentServer implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections: Deno.Conn[] = [];
  readonly #accepting = (async () => {
    for await (const connection of this.#listener) this.#connections.push(connection);
  })();

  get address(): string {
    return `127.0.0.1:${this.#listener.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    for (const connection of this.#connections) connection.close();
  }
}

function hasOpenssl(): boolean {
  try {
    return new Deno.Command("openssl", { args: ["version"], stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}
