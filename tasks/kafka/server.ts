/**
 * A real Apache Kafka on this machine: one node in KRaft mode, downloaded from Maven Central. Its data is in a
 * temporary folder, which is removed when it stops. Tests and development need neither Docker nor a cluster.
 *
 * Several may run at the same time, one for each port. The state is in
 * `<temporary folder>/activejob-kafka-<port>/state.json`, so that another process can find it or stop it.
 */
import { createCertificates } from "./certificates.ts";

/**
 * The version that is downloaded: that of the environment variable `KAFKA_VERSION`, by default the newest tested one.
 */
export const KAFKA_VERSION: string = Deno.env.get("KAFKA_VERSION") || "4.3.1";

/** Warnings and errors only. */
const LOG = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"];

/** The options of {@linkcode startKafka}. */
export interface StartOptions {
  /** The port of the plain listener; 0 selects a free one. @default 9092 */
  readonly port?: number;
  /** Whether it also has a SASL_SSL listener. @default false */
  readonly secure?: boolean;
  /** The lifetime of an authentication on that listener, in ms: a client must authenticate again before. @default none */
  readonly reauthenticateMs?: number;
}

/** The addresses, process and folder of a Kafka. */
export interface KafkaState {
  /** The plain listener, such as `127.0.0.1:9092`. */
  readonly brokers: string;
  /** The port of the plain listener. */
  readonly port: number;
  /** The id of its process. */
  readonly pid: number;
  /** The folder of its data, configuration and log. It is removed by a stop. */
  readonly folder: string;
  /** The SASL_SSL listener, such as `localhost:41233`. */
  readonly secureBrokers?: string;
  /** The certificate of the authority that signed the SASL_SSL listener's certificate, as PEM. */
  readonly ca?: string;
  /**
   * The user of the SASL_SSL listener, with PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512. With OAUTHBEARER every token without a
   * signature is accepted.
   */
  readonly username?: string;
  /** The password of that user. */
  readonly password?: string;
}

/** A running Kafka. */
export interface LocalKafka extends KafkaState {
  /** Ends the process and removes its data. */
  stop(): Promise<void>;
}

/** A Kafka cannot be started on this machine; the message says what is missing. */
export class KafkaUnavailableError extends Error {
  override name = "KafkaUnavailableError";
}

/**
 * Starts a Kafka and waits until it accepts connections. Returns the running one if there is one on that port.
 *
 * @throws {KafkaUnavailableError} if Java or Maven is missing, or if it does not come up
 */
export async function startKafka(options: StartOptions = {}): Promise<LocalKafka> {
  if (Deno.build.os === "windows") {
    throw new KafkaUnavailableError("Cannot start Kafka on Windows: name one that runs elsewhere in BROKER_URL");
  }
  // All at once: a port that was given back may be returned again.
  const [anyPort, controllerPort, securePort] = findFreePorts(3);
  const port = options.port === 0 ? anyPort! : options.port ?? 9092;
  const running = await findKafka(port);
  if (running !== null) {
    if (options.secure && running.secureBrokers === undefined) {
      throw new KafkaUnavailableError(`Cannot start a secure Kafka: one without --secure runs on port ${port}`);
    }
    return running;
  }
  if (await isListening(port)) throw new KafkaUnavailableError(`Cannot start Kafka: port ${port} is taken`);
  const jars = await fetchJars();
  const folder = stateFolder(port);
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const secure = options.secure ? { ...await createCertificates(folder), port: securePort! } : null;
  const credentials = { username: "jobs", password: crypto.randomUUID() };
  await Deno.writeTextFile(
    `${folder}/server.properties`,
    formatProperties({
      port,
      controllerPort: controllerPort!,
      folder,
      secure: secure && { ...secure, ...credentials, reauthenticateMs: options.reauthenticateMs ?? 0 },
    }),
  );
  await runCommand("java", [
    ...[
      "-Xmx256m",
      "-XX:+UseSerialGC",
      "-XX:TieredStopAtLevel=1",
      ...LOG,
      "-cp",
      `${jars}/*`,
      "kafka.tools.StorageTool",
    ],
    ...["format", "--config", `${folder}/server.properties`, "--cluster-id", generateClusterId()],
    ...(secure === null ? [] : ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) => [
      "--add-scram",
      `${mechanism}=[name=${credentials.username},password=${credentials.password}]`,
    ])),
  ]);
  const child = new Deno.Command("sh", {
    // "exec" replaces the shell by Java, so that the id of the process is that of Java.
    args: [
      "-c",
      'exec java "$@" > "$0/server.log" 2>&1',
      folder,
      ...javaOptions(jars),
      "kafka.Kafka",
      `${folder}/server.properties`,
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn();
  child.unref();
  const state: KafkaState = {
    brokers: `127.0.0.1:${port}`,
    port,
    pid: child.pid,
    folder,
    ...(secure ? { secureBrokers: `localhost:${secure.port}`, ca: secure.ca, ...credentials } : {}),
  };
  await Deno.writeTextFile(`${folder}/state.json`, JSON.stringify(state, null, 2), { mode: 0o600 });
  try {
    await waitUntilUp(child, folder, [port, ...(secure ? [secure.port] : [])]);
  } catch (error) {
    await end(state, child);
    throw error;
  }
  return { ...state, stop: () => end(state, child) };
}

/** Returns the Kafka that an earlier {@linkcode startKafka} left running on a port, or `null`. */
export async function findKafka(port: number): Promise<LocalKafka | null> {
  const text = await Deno.readTextFile(`${stateFolder(port)}/state.json`).catch(() => null);
  if (text === null) return null;
  const state = JSON.parse(text) as KafkaState;
  if (!await isListening(port)) return null;
  return { ...state, stop: () => end(state) };
}

/** Stops the Kafka on a port, also if it accepts no connections. Returns whether there was one. */
export async function stopKafka(port: number): Promise<boolean> {
  const text = await Deno.readTextFile(`${stateFolder(port)}/state.json`).catch(() => null);
  if (text === null) return false;
  await end(JSON.parse(text) as KafkaState);
  return true;
}

async function end(state: KafkaState, child?: Deno.ChildProcess): Promise<void> {
  if (await isOurs(state)) {
    // Its data is removed below, so it need not shut down in order.
    Deno.kill(state.pid, "SIGKILL");
    if (child === undefined) { while (await isListening(state.port)) await sleep(20); }
  }
  child?.ref();
  await child?.status;
  await Deno.remove(state.folder, { recursive: true }).catch(() => {});
}

/** Whether the process is still that Kafka: its id may belong to another process by now. */
async function isOurs(state: KafkaState): Promise<boolean> {
  const output = await new Deno.Command("ps", { args: ["-ww", "-o", "args=", "-p", String(state.pid)] }).output();
  return new TextDecoder().decode(output.stdout).includes(state.folder);
}

/** Whether Kafka was downloaded before. If not, {@linkcode startKafka} downloads it first, which takes a minute. */
export function isKafkaDownloaded(): Promise<boolean> {
  return Deno.stat(`${jarFolder()}/.complete`).then(() => true, () => false);
}

function jarFolder(): string {
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
  return `${cache}/activejob-kafka/kafka-${KAFKA_VERSION}`;
}

/** Downloads Kafka where that was not done before. @returns the folder of its jars */
export async function fetchJars(): Promise<string> {
  await runCommand("java", ["-version"]);
  const folder = jarFolder();
  if (await isKafkaDownloaded()) return folder;
  const pom = new URL("pom.xml", import.meta.url).pathname;
  const properties = [`-DoutputDirectory=${folder}`, `-Dkafka.version=${KAFKA_VERSION}`];
  await runCommand("mvn", ["-q", "-B", "-f", pom, "dependency:copy-dependencies", ...properties]);
  await Deno.writeTextFile(`${folder}/.complete`, "");
  return folder;
}

interface SecureListener {
  readonly port: number;
  readonly keystore: string;
  readonly username: string;
  readonly password: string;
  readonly reauthenticateMs: number;
}

function formatSecureProperties(of: SecureListener): Record<string, string | number> {
  const login = (mechanism: string) => `listener.name.sasl_ssl.${mechanism}.sasl.jaas.config`;
  const security = "org.apache.kafka.common.security";
  return {
    "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
    [login("plain")]: `${security}.plain.PlainLoginModule required user_${of.username}="${of.password}";`,
    [login("scram-sha-256")]: `${security}.scram.ScramLoginModule required;`,
    [login("scram-sha-512")]: `${security}.scram.ScramLoginModule required;`,
    [login("oauthbearer")]:
      `${security}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
    "connections.max.reauth.ms": of.reauthenticateMs,
    "ssl.keystore.type": "PEM",
    "ssl.keystore.location": of.keystore,
  };
}

function formatProperties(
  of: { port: number; controllerPort: number; folder: string; secure: SecureListener | null },
): string {
  const secure = of.secure === null ? {} : formatSecureProperties(of.secure);
  const secureListener = of.secure === null ? "" : `,SASL_SSL://localhost:${of.secure.port}`;
  const settings: Record<string, string | number> = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@127.0.0.1:${of.controllerPort}`,
    "controller.listener.names": "CONTROLLER",
    "listeners": `PLAINTEXT://127.0.0.1:${of.port},CONTROLLER://127.0.0.1:${of.controllerPort}${secureListener}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${of.port}${secureListener}`,
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL",
    "inter.broker.listener.name": "PLAINTEXT",
    "log.dirs": `${of.folder}/data`,
    "auto.create.topics.enable": "false",
    "num.partitions": 1,
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 4,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
    // Tests use sessions of 2 s; the default lower bound is 6 s.
    "group.min.session.timeout.ms": 1000,
    "log.retention.check.interval.ms": 500,
    "log.segment.delete.delay.ms": 100,
    "log.cleaner.dedupe.buffer.size": 2_097_152,
    // Tests wait for the compaction; the default is 15 s.
    "log.cleaner.backoff.ms": 500,
    ...secure,
  };
  return Object.entries(settings).map(([name, value]) => `${name}=${value}\n`).join("");
}

function javaOptions(jars: string): string[] {
  return [
    "-Xmx512m",
    "-Xms128m",
    "-XX:+UseSerialGC",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-cp",
    `${jars}/*`,
  ];
}

/** The longest wait for a Kafka that starts, in milliseconds. It takes a few seconds, on a busy machine a minute. */
const START_MS = 180_000;

async function waitUntilUp(child: Deno.ChildProcess, folder: string, ports: readonly number[]): Promise<void> {
  let ended = false;
  void child.status.then(() => ended = true);
  const deadline = performance.now() + START_MS;
  for (const port of ports) {
    while (!await isListening(port)) {
      if (ended || performance.now() > deadline) {
        const log = await Deno.readTextFile(`${folder}/server.log`).catch(() => "");
        const why = ended ? "it ended" : `it did not answer within ${START_MS} ms`;
        throw new KafkaUnavailableError(`Cannot start Kafka on port ${port}: ${why}: ${log.slice(-2000)}`);
      }
      await sleep(50);
    }
  }
}

/** Whether a port of this machine accepts connections. */
export async function isListening(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

/** Runs a program to its end. @throws {KafkaUnavailableError} if it is missing or fails */
export async function runCommand(command: string, args: readonly string[]): Promise<void> {
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command(command, { args: [...args] }).output();
  } catch (cause) {
    const what = command === "java" ? "Java 17 or later" : command === "mvn" ? "Maven" : `"${command}"`;
    throw new KafkaUnavailableError(`Cannot start Kafka: ${what} is not on the PATH`, { cause });
  }
  if (!output.success) {
    const text = new TextDecoder().decode(output.stderr) + new TextDecoder().decode(output.stdout);
    throw new KafkaUnavailableError(`Cannot start Kafka: "${command}" failed: ${text.trim().slice(-1000)}`);
  }
}

/** Finds ports that nothing listens on, all at once: a port that was given back may be returned again. */
export function findFreePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  for (const listener of listeners) listener.close();
  return listeners.map(({ addr }) => (addr as Deno.NetAddr).port);
}

function stateFolder(port: number): string {
  return `${Deno.env.get("TMPDIR") ?? "/tmp"}/activejob-kafka-${port}`;
}

/** An id of a cluster: 16 bytes as URL-safe base64. The first one is 0, since an id that begins with "-" would be read as an option. */
export function generateClusterId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = 0;
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
