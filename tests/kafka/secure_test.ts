import { activeJobTopic, App, Job, type KafkaOptions } from "@activejob/kafka";
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Broker } from "../../src/broker/broker.ts";
import { Recorder } from "../broker/conformance/recorder.ts";
import { kafka, type KafkaSaslOptions } from "../../src/broker/kafka/mod.ts";
import { EVENT_NAMES } from "../../src/monitor/monitor.ts";
import type { EventName } from "../../src/monitor/events.ts";
import { Monitor } from "../../src/monitor/monitor.ts";
import { type LocalKafka, startKafka } from "../../tasks/kafka/server.ts";
import { noKafka } from "../support/kafka/cluster.ts";

/** This test starts a Kafka of its own: the one that is there may have no secure listener. */
function canStart(): boolean {
  try {
    return ["java", "openssl"].every((command) => {
      const args = [command === "java" ? "-version" : "version"];
      return new Deno.Command(command, { args, stdout: "null", stderr: "null" }).outputSync().success;
    });
  } catch {
    return false;
  }
}

/** Lifetime of an authentication, in milliseconds. */
const LIFETIME_MS = 4000;
/** Each mechanism is used for so long: two authentications have expired by then. */
const LOAD_MS = 2 * LIFETIME_MS + 1000;

/** A token as the broker of the tests accepts it: not signed. */
function unsignedToken(subject: string): string {
  const encode = (part: object) => btoa(JSON.stringify(part)).replaceAll("=", "");
  const nowS = Math.floor(Date.now() / 1000);
  return `${encode({ alg: "none" })}.${encode({ sub: subject, iat: nowS, exp: nowS + 3600 })}.`;
}

/** The Kafka of both tests: to start one takes seconds. */
let server: LocalKafka;

const ignore = noKafka || !canStart();
if (!ignore) {
  Deno.test.beforeAll(async () => {
    server = await startKafka({ port: 0, secure: true, reauthenticateMs: LIFETIME_MS });
  });
  Deno.test.afterAll(() => server.stop());
}

Deno.test({
  name: "SASL_SSL: each mechanism goes on under load while authentications expire after 4 s, and shows no secret",
  ignore,
  // A password that is hashed while its connection closes cannot be stopped.
  sanitizeOps: false,
  async fn() {
    const tokens: string[] = [];
    const user = { username: server.username!, password: server.password! };
    const token = () => Promise.resolve(tokens[tokens.push(unsignedToken("jobs")) - 1]!);
    const shown = await Promise.all([
      useForAWhile(server, { mechanism: "plain", ...user }),
      useForAWhile(server, { mechanism: "scram-sha-256", ...user }),
      useForAWhile(server, { mechanism: "scram-sha-512", ...user }),
      useForAWhile(server, { mechanism: "oauthbearer", token }),
    ]);
    assert(tokens.length > 6, `Expected further tokens for each connection, but there were ${tokens.length}`);
    for (const text of shown.flat()) {
      for (const secret of [server.password!, ...tokens]) assert(!text.includes(secret), text);
    }
  },
});

/**
 * Appends and consumes at once, with one mechanism, for {@linkcode LOAD_MS}: each record comes once, no connection is lost,
 * and the group keeps its member.
 *
 * @returns everything that was shown
 */
async function useForAWhile(server: LocalKafka, sasl: KafkaSaslOptions): Promise<string[]> {
  const shown: string[] = [];
  const monitor = new Monitor();
  for (const name of Object.keys(EVENT_NAMES) as EventName[]) {
    monitor.on(name, (event) => void shown.push(`${name} ${JSON.stringify(event)}`));
  }
  const source = kafka({ brokers: [server.secureBrokers!], ssl: { ca: server.ca! }, sasl });
  await using broker = await source.open({ clientId: "secure", monitor });
  shown.push(Deno.inspect(source), JSON.stringify(source), Deno.inspect(broker, { depth: 10 }));
  const topic = `load-${sasl.mechanism}`;
  await broker.admin.create([{ name: topic, partitions: 1 }]);
  const recorder = new Recorder(60_000);
  // Long enough for a busy machine: a lost connection shows in the log.
  const options = { group: topic, topics: [topic], sessionTimeoutMs: 30_000, maxFetchBytes: 65_536 };
  await using consumer = broker.consume(options, recorder);
  await recorder.until("it is a member", () => recorder.isMember === true);
  const before = shown.length;
  const endMs = performance.now() + LOAD_MS;
  const sent: string[] = [];
  while (performance.now() < endMs) {
    const records = Array.from({ length: 20 }, (_, n) => ({ value: `${sent.length + n}` }));
    const outcomes = await broker.append(topic, records);
    assert(outcomes.every(({ ok }) => ok));
    sent.push(...records.map(({ value }) => value));
    await recorder.until("they came", () => recorder.received.length >= sent.length);
    const mark = { ownership: recorder.own(0), next: sent.length, metadata: "" };
    assertEquals(await consumer.commit([mark]), ["committed"]);
  }
  assertEquals(recorder.values(), sent);
  assertEquals([recorder.losses, recorder.failures, recorder.isMember], [[], [], true]);
  assertEquals(shown.slice(before).filter((text) => text.startsWith("broker.log")), [], "no connection was lost");
  return shown;
}

Deno.test({
  name: "SASL_SSL: records go through, a wrong password is refused at once, and no secret is shown anywhere",
  ignore,
  // A password that is hashed while its connection closes cannot be stopped.
  sanitizeOps: false,
  async fn() {
    const shown: string[] = [];
    const open = async (password: string): Promise<Broker> => {
      const monitor = new Monitor();
      for (const name of Object.keys(EVENT_NAMES) as EventName[]) {
        monitor.on(name, (event) => shown.push(`${name} ${JSON.stringify(event)}`));
      }
      const source = kafka({
        brokers: [server.secureBrokers!],
        ssl: { ca: server.ca! },
        sasl: { mechanism: "scram-sha-512", username: server.username!, password },
        deliveryTimeoutMs: 20_000,
      });
      shown.push(Deno.inspect(source), JSON.stringify(source));
      const broker = await source.open({ clientId: "secure", monitor });
      shown.push(Deno.inspect(broker, { depth: 10 }));
      return broker;
    };
    await using broker = await open(server.password!);
    await broker.connect();
    await broker.admin.create([{ name: "jobs", partitions: 1 }]);
    const outcomes = await broker.append("jobs", [{ value: "a" }, { value: "b" }]);
    assertEquals(outcomes.map(({ ok }) => ok), [true, true]);
    const recorder = new Recorder(30_000);
    const options = { group: "g", topics: ["jobs"], sessionTimeoutMs: 2000, maxFetchBytes: 65_536 };
    const consumer = broker.consume(options, recorder);
    await recorder.until("both came", () => recorder.received.length === 2);
    const mark = { ownership: recorder.own(0), next: 2, metadata: "" };
    assertEquals(await consumer.commit([mark]), ["committed"]);

    await performThrough(server, shown);

    const wrong = "not-the-password";
    await using stranger = await open(wrong);
    const startedMs = performance.now();
    shown.push(everything(await assertRejects(() => stranger.connect())));
    const [refused] = await stranger.append("jobs", [{ value: "c" }]);
    assert(!refused!.ok && refused!.written === "no");
    shown.push(everything(refused!.error));
    const turnedAway = new Recorder(30_000);
    stranger.consume(options, turnedAway);
    await turnedAway.until("it failed", () => turnedAway.failures.length === 1);
    shown.push(everything(turnedAway.failures[0]!));
    assert(performance.now() - startedMs < 10_000, "what cannot help is not tried again");

    assert(shown.some((text) => text.startsWith("broker.log")), "Expected the client to have said something");
    for (const text of shown) {
      for (const secret of [server.password!, wrong]) assert(!text.includes(secret), text);
    }
  },
});

/** An error with all that hangs on it. */
function everything(error: Error): string {
  return Deno.inspect(error, { depth: 20, showHidden: true }) + error.stack;
}

class SecretJob extends Job {
  static override queue = "secret";
  static override kafkaOptions: KafkaOptions = { dispatchMethod: "produceSync" };
  perform(n: number) {
    if (this.attempt === 1) throw new Error("once");
    this.logger.info(`Performed ${n}`);
  }
}

/** An App enqueues and performs over the secure listener; everything that it logs, at every level, is looked through too. */
async function performThrough(server: LocalKafka, shown: string[]): Promise<void> {
  await using app = new App({
    name: "secure-app",
    broker: kafka({
      brokers: [server.secureBrokers!],
      ssl: { ca: server.ca! },
      sasl: { mechanism: "scram-sha-512", username: server.username!, password: server.password! },
    }),
    jobs: [SecretJob],
    topics: [activeJobTopic("secret", { backoff: { initialMs: 5 } })],
    logger: { level: "debug", format: "json", write: (text) => void shown.push(text) },
  });
  let performed = 0;
  app.on("job.performed", () => void performed++);
  await app.applyTopics();
  await SecretJob.performLater(1);
  await SecretJob.performLater(2);
  assertEquals(await app.worker().run(undefined, { once: true }), { unfinished: [], stuck: [] });
  assertEquals(performed, 2);
}
