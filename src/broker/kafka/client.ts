/**
 * Clients of kafkajs, and their connections. Every producer, consumer and administrator has a client of its own: what one
 * of them does to kafkajs' shared state (committed offsets, topics that it asks for) cannot reach another.
 */
import net from "node:net";
import tls from "node:tls";
import { waitUntilSettled } from "../../support/deadline.ts";
import type { BrokerContext } from "../broker.ts";
import { NOT_ALLOWED } from "./failures.ts";
import { type Kafka, type KafkaConfig, loadKafkaJs, type LogEntry } from "./kafkajs.ts";
import { kafkaLog } from "./log.ts";
import { type KafkaSettings, secretsOf } from "./options.ts";

/** The number of a produce request on the wire. */
const PRODUCE = 0;
const KEEP_ALIVE_MS = 60_000;
const FOREVER_MS = 2 ** 30;
/** One client's connections: how they are made, and the way to cut them where kafkajs would wait. */
export class Connections {
  /** How many produce requests were written to a socket: what was sent may be in the log. */
  produceRequests = 0;
  /** How many connections were opened: one more than before means that one was lost. */
  opened = 0;
  readonly #sockets = new Set<net.Socket>();
  readonly #established = new Set<net.Socket>();
  readonly #holdProcess: boolean;
  #refused = false;

  /** @param holdProcess whether an open connection keeps the process alive */
  constructor(holdProcess: boolean) {
    this.#holdProcess = holdProcess;
  }

  /** Whether any is up now. */
  get established(): boolean {
    return this.#established.size > 0;
  }

  /** Whether no more are made. */
  get refused(): boolean {
    return this.#refused;
  }

  /** Makes one; called by kafkajs. */
  open = (to: { host: string; port: number; ssl: unknown; onConnect: () => void }): net.Socket => {
    if (this.#refused) throw new Error("The client was closed");
    const { host, port, ssl, onConnect } = to;
    const name = net.isIP(host) ? {} : { servername: host };
    const connected = () => {
      this.#established.add(socket);
      onConnect();
    };
    const socket: net.Socket = ssl
      ? tls.connect({ host, port, ...name, ...(ssl as tls.ConnectionOptions) }, connected)
      : net.connect({ host, port }, connected);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.setNoDelay(true);
    if (!this.#holdProcess) socket.unref();
    this.#sockets.add(socket);
    this.opened++;
    // Before kafkajs' own, which keeps nothing but the message and the code.
    socket.on("error", (error) => sayIfNotAllowed(error, `${host}:${port}`));
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.#established.delete(socket);
    });
    this.#count(socket);
    return socket;
  };

  /** Cuts all of them, and refuses new ones: what waits for an answer fails, and what would try again does too. */
  cut(): void {
    this.#refused = true;
    // With an error, so that kafkajs rejects what waits for an answer on it.
    for (const socket of this.#sockets) socket.destroy(new Error("The connection was given up"));
  }

  /** Waits until all are closed, and cuts off those that are not in time. None is made any more. */
  async closed(deadlineMs: number): Promise<void> {
    this.#refused = true;
    if (await waitUntilSettled(this.#allClosed(), deadlineMs)) return;
    this.cut();
    await waitUntilSettled(this.#allClosed(), deadlineMs);
  }

  #allClosed(): Promise<unknown> {
    return Promise.all([...this.#sockets].map((socket) => new Promise((resolve) => socket.once("close", resolve))));
  }

  #count(socket: net.Socket): void {
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
    socket.write = ((...args: unknown[]) => {
      const data = args[0];
      // A request is its length in four bytes, then the number of its kind in two.
      if (data instanceof Uint8Array && data.length > 6 && ((data[4]! << 8) | data[5]!) === PRODUCE) {
        this.produceRequests++;
      }
      return write(...args);
    }) as typeof socket.write;
  }
}

/** Deno denies a connection by its own class, but the look-up of a name by a code that says little. */
function sayIfNotAllowed(error: Error, address: string): void {
  if (error.name !== "NotCapable" && !error.message.startsWith("getaddrinfo EPERM")) return;
  const message = `The process may not connect to "${address}": allow it with --allow-net=${address} ` +
    "(brokers are found where the cluster says they are, not only where it was asked)";
  Object.assign(error, { code: NOT_ALLOWED, message });
}

/** What one client has of its own. */
export interface ClientUse {
  readonly connections: Connections;
  /** How often kafkajs tries again by itself before it gives up. @default 1: whoever asks tries again, and knows when to stop */
  readonly retries?: number;
  /** Called with each line of its log. */
  readonly heard?: (entry: LogEntry) => void;
}

/** What all clients of one broker object have in common. */
export class ClientFactory {
  readonly settings: KafkaSettings;
  readonly context: BrokerContext;
  readonly #log: (entry: LogEntry) => void;

  constructor(settings: KafkaSettings, context: BrokerContext) {
    this.settings = settings;
    this.context = context;
    this.#log = kafkaLog(context.monitor, secretsOf(settings));
  }

  /** A new client. Nothing is connected yet. */
  async client(use: ClientUse): Promise<Kafka> {
    const { Kafka } = await loadKafkaJs();
    return new Kafka(this.config(use));
  }

  /** The configuration of a client. */
  config({ connections, retries = 1, heard }: ClientUse): KafkaConfig {
    const { settings, context } = this;
    const { sasl } = settings;
    const logCreator = () => (entry: LogEntry) => {
      heard?.(entry);
      this.#log(entry);
    };
    return {
      // A client without brokers gives up at once, where an error would be tried again.
      brokers: () => connections.refused ? [] : [...settings.brokers],
      clientId: context.clientId,
      ssl: settings.ssl as NonNullable<KafkaConfig["ssl"]>,
      ...(sasl === null ? {} : { sasl: saslOf(sasl) }),
      connectionTimeout: settings.connectionTimeoutMs,
      authenticationTimeout: settings.connectionTimeoutMs * 2,
      requestTimeout: settings.requestTimeoutMs,
      retry: { retries, initialRetryTime: 50, maxRetryTime: retries > 1 ? 1000 : 500 },
      logCreator,
      socketFactory: connections.open,
    };
  }
}

function saslOf(sasl: NonNullable<KafkaSettings["sasl"]>): NonNullable<KafkaConfig["sasl"]> {
  if (sasl.mechanism !== "oauthbearer") return sasl as NonNullable<KafkaConfig["sasl"]>;
  return { mechanism: "oauthbearer", oauthBearerProvider: async () => ({ value: await sasl.token() }) };
}

/** Keeps the process alive until something is done: sockets do not, so that a script with nothing pending ends by itself. */
export async function holding<T>(work: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => {}, FOREVER_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
