/**
 * The parts of kafkajs in use: encoders and decoders of requests, and its SASL exchanges. They are pure, or talk through the
 * connection that they are given; everything above them (sockets, retries, metadata, groups, producers) is this library's.
 *
 * The one file that names the package. It is named in full and not by the import map, so that a checkout of this library
 * also works under the import map of another project. The file itself is loaded when the first broker is opened.
 */
import type { Buffer } from "node:buffer";
import requestsModule from "npm:kafkajs@2.2.4/src/protocol/requests/index.js";
import errorModule from "npm:kafkajs@2.2.4/src/protocol/error.js";
import assignerProtocol from "npm:kafkajs@2.2.4/src/consumer/assignerProtocol.js";
import authenticatorModule from "npm:kafkajs@2.2.4/src/broker/saslAuthenticator/index.js";

/** Range of versions of one request that a broker understands. */
export interface VersionRange {
  readonly minVersion: number;
  readonly maxVersion: number;
}

/** The versions of a broker, by the number of the request. */
export type BrokerVersions = Readonly<Record<number, VersionRange>>;

/** A request of kafkajs in one version. `parse`, which would throw at error codes, is not used. */
export interface KafkaJsCodec<Response> {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    encode(): Promise<{ readonly buffer: Buffer }>;
  };
  readonly response: {
    decode(payload: Buffer): Response | Promise<Response>;
    parse(response: Response): Response | Promise<Response>;
  };
}

interface Definition {
  /** Versions that kafkajs can encode, as strings. */
  readonly versions: readonly (string | number)[];
  protocol(of: { readonly version: number }): (args: object) => KafkaJsCodec<unknown>;
}

/** Every request that kafkajs knows, by name. */
export const definitions = (requestsModule as unknown as { requests: Readonly<Record<string, Definition>> }).requests;

/** The protocol's error codes with their names. */
export const errorCodes =
  (errorModule as unknown as { errorCodes: readonly { readonly code: number; readonly type: string }[] }).errorCodes;

/** Subscription of a group's member, as the clients of all languages encode it. */
export interface Subscription {
  readonly version: number;
  readonly topics: readonly string[];
  readonly userData: Buffer;
}

/** Partitions of a group's member, by topic. */
export interface Assignment {
  readonly version: number;
  readonly assignment: Readonly<Record<string, readonly number[]>>;
}

interface GroupProtocol {
  readonly MemberMetadata: { encode(of: Subscription): Buffer; decode(bytes: Buffer): Subscription | null };
  readonly MemberAssignment: {
    encode(of: Assignment & { readonly userData?: Buffer }): Buffer;
    decode(bytes: Buffer): Assignment | null;
  };
}

/** Codecs of the consumer group's protocol. */
export const groupProtocol = assignerProtocol as unknown as GroupProtocol;

/** The connection as an SASL exchange sees it. */
export interface AuthenticatorConnection {
  /** Options of the exchange. It is written to. */
  readonly sasl: object;
  readonly host: string;
  readonly port: number;
  send(codec: KafkaJsCodec<unknown>): Promise<unknown>;
}

interface Authenticator {
  /** Lifetime of the authentication, in milliseconds; `"0"` without a limit. */
  readonly sessionLifetime: string;
  authenticate(): Promise<void>;
}

const NO_LOG = { namespace: () => NO_LOG, debug() {}, info() {}, warn() {}, error() {} };

/** Returns an SASL exchange over a connection, with `SaslAuthenticate` requests. */
export function saslAuthenticator(connection: AuthenticatorConnection, versions: BrokerVersions): Authenticator {
  const Class = authenticatorModule as unknown as new (
    connection: AuthenticatorConnection,
    logger: object,
    versions: BrokerVersions,
    supportsAuthenticationRequest: boolean,
  ) => Authenticator;
  return new Class(connection, NO_LOG, versions, true);
}
