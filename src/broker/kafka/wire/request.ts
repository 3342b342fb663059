/**
 * Requests before they are sent. A request is encoded for the versions of the broker that it goes to, and its response is
 * decoded and never judged: error codes are the caller's business, since most responses carry one for each partition.
 */
import type { Buffer } from "node:buffer";
import { type BrokerVersions, definitions, type KafkaJsCodec } from "./kafkajs.ts";

const UNSUPPORTED_VERSION = 35;

/** A request, encoded in one version. */
export interface EncodedRequest<Response> {
  /** Number of the request. */
  readonly apiKey: number;
  readonly version: number;
  /** Whether the version has tagged fields, in the headers too. @default false */
  readonly isFlexible?: boolean;
  readonly body: Buffer;
  decode(payload: Buffer): Response | Promise<Response>;
}

/** A request. */
export interface Request<Response> {
  /** Name for messages, such as `"Heartbeat"`. */
  readonly name: string;
  /**
   * Encodes it.
   *
   * @throws {UnsupportedVersionError} if the broker understands no version that this client speaks
   */
  encode(versions: BrokerVersions): EncodedRequest<Response> | Promise<EncodedRequest<Response>>;
}

/** The broker is too old or too new for a request. */
export class UnsupportedVersionError extends Error {
  override name = "UnsupportedVersionError";
  /** Trying again cannot help. */
  readonly isFinal = true;
}

/**
 * Chooses the version of a request.
 *
 * @returns the highest that both sides understand
 * @throws {UnsupportedVersionError} if there is none
 */
export function chooseVersion(
  name: string,
  apiKey: number,
  ours: { readonly min: number; readonly max: number },
  versions: BrokerVersions,
): number {
  const theirs = versions[apiKey];
  const version = Math.min(ours.max, theirs?.maxVersion ?? -1);
  if (theirs === undefined || version < ours.min || version < theirs.minVersion) {
    const range = theirs === undefined
      ? "does not know it"
      : `understands ${theirs.minVersion} to ${theirs.maxVersion}`;
    throw new UnsupportedVersionError(
      `Cannot send ${name} in a version from ${ours.min} to ${ours.max}: the broker ${range} (Kafka 3.1 and later work)`,
    );
  }
  return version;
}

/**
 * Returns a request that kafkajs encodes.
 *
 * @param name its name in kafkajs, such as `"GroupCoordinator"`
 * @param maxVersion the highest version to use: a later one may behave in another way
 */
export function kafkaJsRequest<Response>(name: string, maxVersion: number, args: object): Request<Response> {
  const definition = definitions[name]!;
  const known = definition.versions.map(Number);
  const ours = { min: Math.min(...known), max: Math.min(maxVersion, Math.max(...known)) };
  return {
    name,
    encode(versions) {
      // Only an encoded request has the number.
      const { apiKey } = definition.protocol({ version: ours.max })(args).request;
      const version = chooseVersion(name, apiKey, ours, versions);
      const codec = definition.protocol({ version })(args) as KafkaJsCodec<Response>;
      return encodedBy(name, codec);
    },
  };
}

/** Encodes a request of kafkajs whose version is chosen already. */
export async function encodedBy<Response>(
  name: string,
  { request, response }: KafkaJsCodec<Response>,
): Promise<EncodedRequest<Response>> {
  const { buffer } = await request.encode();
  return {
    apiKey: request.apiKey,
    version: request.apiVersion,
    body: buffer,
    async decode(payload) {
      try {
        return await response.decode(payload);
      } catch (error) {
        // The one code that kafkajs does not leave to the caller: what follows it in the response is in another version.
        if ((error as { readonly code?: number }).code !== UNSUPPORTED_VERSION) throw error;
        throw new UnsupportedVersionError(
          `Cannot send ${name} in version ${request.apiVersion}: the broker refuses it`,
        );
      }
    },
  };
}
