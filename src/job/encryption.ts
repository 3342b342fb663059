/**
 * Encryption of what a job carries: its arguments, its current attributes and its progress in steps, by AES-256-GCM. The rest
 * of the envelope stays readable, so that an operator sees the class and the id of a job.
 *
 * Written: `{"job_class":…, "job_id":…, …, "encrypted":{"key":"2026-11","data":"…"}}`, without `arguments`. `data` is the
 * nonce (12 bytes), the encrypted JSON of those fields, and the tag (16 bytes), in Base64. The topic, the class and the id are
 * authenticated with them: the data of one job is not accepted in another.
 *
 * A reader without the key fails, since there are no arguments: it never performs the job without them.
 */
import type { KeyObject } from "node:crypto";
import { InvalidConfigurationError, PoisonError, UnknownKeyError } from "../errors.ts";
import { nodeBuiltin } from "../support/node_builtin.ts";
import { boolean, checkOptions, describeType, show } from "../support/validation.ts";

/** A key, and the id by which envelopes name it. */
export interface EncryptionKey {
  /** The id: up to 100 characters. It is not a secret. */
  readonly id: string;
  /** 32 bytes, or their Base64, as `openssl rand -base64 32` prints them. */
  readonly key: string | Uint8Array;
}

/** Options of {@linkcode encryption}. */
export interface EncryptionOptions {
  /** The keys. The first one encrypts, each of them decrypts. */
  readonly keys: readonly EncryptionKey[];
  /** Whether a job that is not encrypted is refused as poison. @default false */
  readonly required?: boolean;
}

/** A part of an envelope that names the job, as it is authenticated. */
interface Identity {
  readonly topic: string;
  readonly jobClass: unknown;
  readonly jobId: unknown;
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;

const crypto = () => nodeBuiltin("node:crypto");
const buffer = () => nodeBuiltin("node:buffer").Buffer;

/**
 * The fields that are encrypted: `cattr_0`, `cattr_1` … are the current attributes of Rails, and `continuation` has the cursor.
 * The places of bigints and of `undefined` have the names of fields in them.
 */
const SECRET = /^(?:arguments|current_attributes|cattr_\d+|continuation|bigints|undefineds)$/;

/** Encrypts and decrypts what jobs carry. Its keys cannot be read from it. */
export class Encryption {
  readonly #keys: ReadonlyMap<string, KeyObject>;
  readonly #writing: string;
  /** Whether a job that is not encrypted is refused. */
  readonly isRequired: boolean;

  /** @internal */
  constructor({ keys, required = false }: EncryptionOptions) {
    this.#keys = new Map(keys.map(({ id, key }) => [id, crypto().createSecretKey(toBytes(key))]));
    this.#writing = keys[0]!.id;
    this.isRequired = required;
  }

  /**
   * Encrypts the secret fields of an envelope.
   *
   * @param envelope its fields, as JSON values
   * @internal
   */
  seal(envelope: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const { clear, secret } = splitFields(envelope);
    const { queue_name, job_class, job_id } = envelope;
    const { randomBytes, createCipheriv } = crypto();
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", this.#keys.get(this.#writing)!, nonce);
    cipher.setAAD(identityBytes({ topic: String(queue_name), jobClass: job_class, jobId: job_id }));
    const parts = [nonce, cipher.update(JSON.stringify(secret), "utf8"), cipher.final(), cipher.getAuthTag()];
    return { ...clear, encrypted: { key: this.#writing, data: buffer().concat(parts).toString("base64") } };
  }

  /**
   * Decrypts the secret fields of an envelope.
   *
   * @param encrypted its field `encrypted`
   * @returns the fields as JSON text
   * @throws {UnknownKeyError} if it was encrypted with another key
   * @throws {PoisonError} if it was changed, or is of another job or topic
   * @internal
   */
  open(encrypted: unknown, identity: Identity): string {
    const { key, data } = (encrypted ?? {}) as { readonly key?: unknown; readonly data?: unknown };
    if (typeof key !== "string" || typeof data !== "string") throw new PoisonError(`"encrypted" is not readable`);
    const found = this.#keys.get(key);
    if (found === undefined) throw unknownKey(key, [...this.#keys.keys()]);
    const bytes = buffer().from(data, "base64");
    if (bytes.byteLength < NONCE_BYTES + TAG_BYTES) throw new PoisonError(`"encrypted" is too short`);
    const tagStart = bytes.byteLength - TAG_BYTES;
    const decipher = crypto().createDecipheriv("aes-256-gcm", found, bytes.subarray(0, NONCE_BYTES));
    decipher.setAAD(identityBytes(identity));
    decipher.setAuthTag(bytes.subarray(tagStart));
    try {
      return decipher.update(bytes.subarray(NONCE_BYTES, tagStart), undefined, "utf8") + decipher.final("utf8");
    } catch (cause) {
      throw new PoisonError("The job was changed since it was encrypted, or is of another job or topic", { cause });
    }
  }
}

/** Splits the fields of an envelope into those that stay readable, and those that are encrypted. */
export function splitFields(envelope: Readonly<Record<string, unknown>>): {
  readonly clear: Readonly<Record<string, unknown>>;
  readonly secret: Readonly<Record<string, unknown>>;
} {
  const clear: Record<string, unknown> = {};
  const secret: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(envelope)) (SECRET.test(field) ? secret : clear)[field] = value;
  return { clear, secret };
}

/**
 * Makes the `encryption` of an App: arguments, current attributes and cursors of its jobs are encrypted in the log.
 *
 * To change the key, add the new one as the second on all machines, then make it the first, and remove the old one when no
 * job that it encrypted is left, dead letters and delayed jobs included.
 *
 * @throws {InvalidConfigurationError} if there is no key, an id comes twice, or a key does not have 32 bytes
 *
 * @example
 * ```ts
 * import { activeJobTopic, App, encryption, Job } from "@activejob/kafka";
 * import { assertEquals } from "@std/assert";
 *
 * const performed: string[] = [];
 * class ChargeJob extends Job {
 *   perform(cardNumber: string) {
 *     performed.push(cardNumber);
 *   }
 * }
 *
 * await using app = new App({
 *   name: "shop",
 *   broker: "memory:",
 *   jobs: [ChargeJob],
 *   topics: [activeJobTopic("default")],
 *   encryption: encryption({
 *     keys: [{ id: "2026-11", key: "Zx5oT1n2dQ8mJ0rW3kYb7uVfHc4sLgPa9eEiXqRtN6M=" }], // from a secret of the environment
 *     required: true,
 *   }),
 *   logger: false,
 * });
 * await ChargeJob.performLater("4111 1111 1111 1111");
 * await app.worker().run(undefined, { once: true });
 * assertEquals(performed, ["4111 1111 1111 1111"]);
 * ```
 */
export function encryption(options: EncryptionOptions): Encryption {
  checkOptions("encryption()", options, {
    keys: (value) => Array.isArray(value) && value.length > 0 ? null : "an array of keys that is not empty",
    required: boolean,
  });
  if (options.keys === undefined) throw new InvalidConfigurationError(`encryption() needs the option "keys"`);
  const ids = new Set<string>();
  for (const entry of options.keys) {
    if (typeof entry !== "object" || entry === null) {
      throw new InvalidConfigurationError(
        `A key of encryption() must be { id, key }, but it is ${describeType(entry)}`,
      );
    }
    const { id, key } = entry as Partial<EncryptionKey>;
    checkOptions("a key of encryption()", entry, { id: () => null, key: () => null });
    if (typeof id !== "string" || id === "" || id.length > 100) {
      throw new InvalidConfigurationError(`An "id" of encryption() must be 1 to 100 characters, but it is ${show(id)}`);
    }
    if (ids.has(id)) throw new InvalidConfigurationError(`Two keys of encryption() have the id ${show(id)}`);
    ids.add(id);
    // Never a part of the key in a message.
    if (!isKey(key)) {
      throw new InvalidConfigurationError(
        `Key ${show(id)} of encryption() must be 32 bytes, or their Base64: "openssl rand -base64 32" makes one`,
      );
    }
  }
  return new Encryption(options);
}

/**
 * Decrypts an envelope.
 *
 * @param text the envelope as JSON
 * @param parsed the same, parsed
 * @param topic the topic of its record; without one, the queue that it names
 * @returns the envelope with its secret fields, as JSON: numbers are read from it exactly
 * @throws {PoisonError} if it cannot be decrypted, or is not encrypted and must be
 * @throws {UnknownKeyError} if the key is not there
 */
export function decryptEnvelope(
  text: string,
  parsed: Readonly<Record<string, unknown>>,
  encryption: Encryption | undefined,
  topic: string = String(parsed.queue_name),
): string {
  const { encrypted, job_class: jobClass, job_id: jobId } = parsed;
  if (encrypted === undefined) throw new PoisonError("The job is not encrypted, but this App requires it");
  // Fields beside the encrypted ones would take their place, without being authenticated.
  const added = Object.keys(parsed).find((field) => SECRET.test(field));
  if (added !== undefined) throw new PoisonError(`The job is encrypted, but has a readable "${added}" as well`);
  if (encryption === undefined) throw unknownKey(String((encrypted as { key?: unknown } | null)?.key), []);
  const secret = encryption.open(encrypted, { topic, jobClass, jobId });
  return `${text.slice(0, text.lastIndexOf("}"))},${secret.slice(1)}`;
}

/** Returns the error about a job that was encrypted with a key that is not there. */
function unknownKey(keyId: string, known: readonly string[]): UnknownKeyError {
  const names = known.length === 0 ? "none" : known.join(", ");
  return new UnknownKeyError(
    `The job is encrypted with key ${show(keyId)}, which this App does not have (keys: ${names})`,
    {
      keyId,
    },
  );
}

function isKey(key: unknown): key is EncryptionKey["key"] {
  if (key instanceof Uint8Array) return key.byteLength === KEY_BYTES;
  return typeof key === "string" && /^[A-Za-z0-9+/_-]{43}=?$/.test(key);
}

function toBytes(key: string | Uint8Array): Uint8Array {
  return typeof key === "string" ? buffer().from(key, "base64") : key;
}

function identityBytes({ topic, jobClass, jobId }: Identity): Uint8Array {
  return buffer().from(JSON.stringify([topic, jobClass, jobId]));
}
