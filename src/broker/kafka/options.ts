/**
 * What may be said about a Kafka cluster: read once, checked as a whole, frozen. Secrets stay in here and in the client's
 * own configuration; names, errors and events never have them.
 */
import { InvalidConfigurationError } from "../../errors.ts";

/** TLS options, as PEM text. */
export interface KafkaTlsOptions {
  /** The certificates that the brokers' own are signed with. @default the system's */
  readonly ca?: string | readonly string[];
  /** The client's certificate, where the brokers ask for one. */
  readonly cert?: string;
  /** The client's private key. */
  readonly key?: string;
  /** What the private key is encrypted with. */
  readonly passphrase?: string;
  /** The name that the brokers' certificates must have. @default the host that is connected to */
  readonly servername?: string;
  /** Whether a certificate that cannot be verified is refused. @default true */
  readonly rejectUnauthorized?: boolean;
}

/** How the client proves who it is. */
export type KafkaSaslOptions =
  | {
    readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
    readonly username: string;
    readonly password: string;
  }
  | {
    readonly mechanism: "oauthbearer";
    /** Asked for a token at each connection. */
    readonly token: () => Promise<string>;
  };

/** Options of {@linkcode kafka}. Times are milliseconds. */
export interface KafkaBrokerOptions {
  /** Some brokers of the cluster, each as `host:port`; the others are found through them. */
  readonly brokers: readonly string[];
  /** TLS; `true` for the system's certificates. @default false */
  readonly ssl?: boolean | KafkaTlsOptions;
  /** Authentication. @default none */
  readonly sasl?: KafkaSaslOptions;
  /** How long a record is sent again until it is acknowledged, the wait for the broker included. @default 120000 */
  readonly deliveryTimeoutMs?: number;
  /** How long an answer may take before the request counts as lost. @default 30000 */
  readonly requestTimeoutMs?: number;
  /** How long connecting to one broker may take. @default 5000 */
  readonly connectionTimeoutMs?: number;
  /** How old what is known about topics may be: new partitions are found within this time. @default 30000 */
  readonly metadataMaxAgeMs?: number;
}

/** The options with their defaults. */
export type KafkaSettings = Required<Omit<KafkaBrokerOptions, "sasl">> & { readonly sasl: KafkaSaslOptions | null };

const DEFAULTS = {
  ssl: false,
  deliveryTimeoutMs: 120_000,
  requestTimeoutMs: 30_000,
  connectionTimeoutMs: 5_000,
  metadataMaxAgeMs: 30_000,
};
const TIMES = ["deliveryTimeoutMs", "requestTimeoutMs", "connectionTimeoutMs", "metadataMaxAgeMs"] as const;
const KEYS = ["brokers", "sasl", ...Object.keys(DEFAULTS)];
const MECHANISMS = ["plain", "scram-sha-256", "scram-sha-512", "oauthbearer"];
const DEFAULT_PORT = 9092;

/**
 * Checks the options and adds the defaults.
 *
 * @throws {InvalidConfigurationError} if a key is unknown or a value cannot work; secrets are not quoted
 */
export function kafkaSettings(options: KafkaBrokerOptions): KafkaSettings {
  for (const key of Object.keys(options)) {
    if (!KEYS.includes(key)) throw invalid(`"${key}" is unknown, allowed are ${quoted(KEYS)}`);
  }
  if (!Array.isArray(options.brokers) || options.brokers.length === 0) {
    throw invalid('"brokers" must be a list of "host:port", but it is empty');
  }
  for (const name of TIMES) {
    const value = options[name];
    if (value !== undefined && !(Number.isFinite(value) && value > 0)) {
      throw invalid(`"${name}" must be a positive number of milliseconds, but it is ${value}`);
    }
  }
  checkSasl(options.sasl);
  return Object.freeze({
    ...DEFAULTS,
    ...options,
    brokers: Object.freeze(options.brokers.map(hostAndPort)),
    sasl: options.sasl ?? null,
  });
}

/**
 * Reads the brokers out of `kafka://host:port,host:port`.
 *
 * @throws {InvalidConfigurationError} if the text has no brokers in it, or more than brokers
 */
export function brokersOfUrl(url: string): string[] {
  const hosts = /^kafka:\/\/([^/?#@]+)\/?$/.exec(url)?.[1];
  if (hosts === undefined) {
    const shown = url.replace(/\/\/.*@/s, "//***@");
    throw invalid(`"${shown}" must be "kafka://host:port,host:port"; users and passwords go through kafka({ sasl })`);
  }
  return hosts.split(",");
}

/** What must not be shown: every secret text of the settings. */
export function secretsOf(settings: KafkaSettings): string[] {
  const { sasl, ssl } = settings;
  const secrets = [
    sasl !== null && "password" in sasl ? sasl.password : undefined,
    typeof ssl === "object" ? ssl.key : undefined,
    typeof ssl === "object" ? ssl.passphrase : undefined,
  ];
  return secrets.filter((secret) => secret !== undefined && secret !== "") as string[];
}

function hostAndPort(broker: unknown): string {
  const [, host, port] = /^([\w.-]+)(?::(\d{1,5}))?$/.exec(String(broker)) ?? [];
  if (host === undefined || Number(port ?? 1) > 65_535) {
    // The client underneath splits at the first colon: an IPv6 literal would be read as another host.
    throw invalid(`a broker must be "host:port" with a name or an IPv4 address, but it is "${broker}"`);
  }
  return `${host}:${port ?? DEFAULT_PORT}`;
}

function checkSasl(sasl: KafkaSaslOptions | undefined): void {
  if (sasl === undefined) return;
  if (!MECHANISMS.includes(sasl?.mechanism)) {
    throw invalid(`"sasl.mechanism" must be one of ${quoted(MECHANISMS)}, but it is "${sasl?.mechanism}"`);
  }
  const complete = sasl.mechanism === "oauthbearer"
    ? typeof sasl.token === "function"
    : typeof sasl.username === "string" && typeof sasl.password === "string";
  if (!complete) {
    const needed = sasl.mechanism === "oauthbearer" ? '"token"' : '"username" and "password"';
    throw invalid(`"sasl" with mechanism "${sasl.mechanism}" must have ${needed}`);
  }
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
}

function invalid(what: string): InvalidConfigurationError {
  return new InvalidConfigurationError(`Cannot use the Kafka options: ${what}`);
}
