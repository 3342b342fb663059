/**
 * Options of a Kafka cluster: read once, checked as a whole, frozen. Secrets stay in here and in the client's
 * own configuration; names, errors and events never have them.
 */
import { InvalidConfigurationError } from "../../errors.ts";
import { boolean, type Check, checkOptions, type Checks, show, timeLimit } from "../../support/validation.ts";

/** TLS options, as PEM text. */
export interface KafkaTlsOptions {
  /** The certificates that the brokers' own are signed with. @default the system's */
  readonly ca?: string | readonly string[];
  /** The client's certificate, where the brokers ask for one. */
  readonly cert?: string;
  /** The client's private key. */
  readonly key?: string;
  /** The passphrase of the private key. */
  readonly passphrase?: string;
  /** The name that the brokers' certificates must have. @default the host that is connected to */
  readonly servername?: string;
  /** Whether a certificate that cannot be verified is refused. @default true */
  readonly rejectUnauthorized?: boolean;
}

/** Credentials of the client. */
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
  /** The longest time until a record is acknowledged, retries and the wait for the broker included. @default 120000 */
  readonly deliveryTimeoutMs?: number;
  /** The longest time until a response; at most 3 s for one that a broker has in memory. @default 30000 */
  readonly requestTimeoutMs?: number;
  /** The longest time to connect to one broker. @default 5000 */
  readonly connectionTimeoutMs?: number;
  /** The longest age of the metadata of topics: new partitions are found within this time. @default 30000 */
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
const CHECKS: Checks<KafkaBrokerOptions> = {
  brokers: checkBrokers,
  ssl: checkTls,
  sasl: checkSasl,
  deliveryTimeoutMs: timeLimit,
  requestTimeoutMs: timeLimit,
  connectionTimeoutMs: timeLimit,
  metadataMaxAgeMs: timeLimit,
};
const TLS_CHECKS: Checks<KafkaTlsOptions> = {
  ca: (value) => {
    if (![value].flat().every((pem) => typeof pem === "string")) {
      throw invalid('"ssl.ca" must be a string or an array of strings');
    }
    return null;
  },
  cert: unshown("ssl.cert"),
  key: unshown("ssl.key"),
  passphrase: unshown("ssl.passphrase"),
  servername: unshown("ssl.servername"),
  rejectUnauthorized: (value) => {
    if (boolean(value) !== null) throw invalid('"ssl.rejectUnauthorized" must be true or false');
    return null;
  },
};
/** The keys that each mechanism has besides its own name. */
const SASL_KEYS = { password: ["username", "password"], token: ["token"] } as const;
const MECHANISMS = ["plain", "scram-sha-256", "scram-sha-512", "oauthbearer"];
const DEFAULT_PORT = 9092;

/**
 * Checks the options and adds the defaults.
 *
 * @throws {InvalidConfigurationError} if a key is unknown or a value cannot work; secrets are not quoted
 */
export function kafkaSettings(options: KafkaBrokerOptions): KafkaSettings {
  checkOptions("kafka()", options, CHECKS);
  if (options.brokers === undefined) throw invalid('they need "brokers", an array of "host:port"');
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return Object.freeze({
    ...DEFAULTS,
    ...given,
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
    throw invalid(
      `"${maskAddress(url)}" must be "kafka://host:port,host:port"; users and passwords go through kafka({ sasl })`,
    );
  }
  return hosts.split(",");
}

/**
 * Masks an address that could not be read, for a message. Only plain hosts, ports and paths are shown: anything else may be
 * a password, wherever it is.
 */
export function maskAddress(address: string): string {
  if (/^(?:[a-z]\w*:\/\/|memory:|sqlite:)?[\w./-]*(?::\d*)?(?:,[\w.-]+(?::\d*)?)*$/i.test(address)) return address;
  if (/^\[[\da-f:.]*\](?::\d*)?$/i.test(address)) return address;
  return `${/^[a-z]\w*:\/\//i.exec(address)?.[0] ?? ""}***`;
}

function hostAndPort(broker: unknown): string {
  const [, host, port] = typeof broker === "string" ? /^([\w.-]+)(?::(\d{1,5}))?$/.exec(broker) ?? [] : [];
  if (host === undefined || Number(port ?? 1) > 65_535) {
    // The client underneath splits at the first colon: an IPv6 literal would be read as another host.
    const shown = typeof broker === "string" ? `"${maskAddress(broker)}"` : show(broker);
    throw invalid(`a broker must be "host:port" with a name or an IPv4 address, but it is ${shown}`);
  }
  return `${host}:${port ?? DEFAULT_PORT}`;
}

function checkBrokers(value: unknown): null {
  if (!Array.isArray(value) || value.length === 0) {
    throw invalid('"brokers" must be an array of "host:port", not empty');
  }
  return null;
}

function checkTls(value: unknown): null {
  if (typeof value === "boolean") return null;
  if (typeof value !== "object" || value === null) throw invalid('"ssl" must be true, false or an object');
  checkOptions("ssl", value as KafkaTlsOptions, TLS_CHECKS);
  return null;
}

// A wrong value may be the secret, under the wrong name or with the wrong type: none is quoted.
function checkSasl(value: unknown): null {
  if (typeof value !== "object" || value === null) throw invalid('"sasl" must be an object with a "mechanism"');
  const { mechanism, ...rest } = value as Record<string, unknown>;
  if (!MECHANISMS.includes(mechanism as string)) {
    throw invalid(`"sasl.mechanism" must be one of ${quoted(MECHANISMS)}`);
  }
  const [needed, type] = mechanism === "oauthbearer"
    ? [SASL_KEYS.token, "function"] as const
    : [SASL_KEYS.password, "string"] as const;
  const unknown = Object.keys(rest).filter((key) => !(needed as readonly string[]).includes(key));
  if (unknown.length > 0 || needed.some((key) => typeof rest[key] !== type)) {
    throw invalid(
      `"sasl" with mechanism "${mechanism}" must have ${quoted(needed)}${
        unknown.length === 0 ? "" : `, but it has ${quoted(unknown)}`
      }`,
    );
  }
  return null;
}

/** A string that no error message quotes. */
function unshown(name: string): Check {
  return (value) => {
    if (typeof value !== "string") throw invalid(`"${name}" must be a string`);
    return null;
  };
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
}

function invalid(what: string): InvalidConfigurationError {
  return new InvalidConfigurationError(`Cannot use the Kafka options: ${what}`);
}
