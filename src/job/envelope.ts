/**
 * The envelope: a job as the JSON text that is a record's value. Its keys are Active Job's, so that a Rails application
 * can be on the other side of the topic.
 *
 * Three fields are our own, and Rails ignores them: `current_attributes`; `bigints`, which lists the places of integers that
 * were bigints although a number can hold them (JSON pointers such as `"/arguments/0"`); and `undefineds`, the places of
 * `undefined`, where Rails reads nil.
 *
 * Reading trusts nothing: an envelope that can never be performed throws a `PoisonError` that says why, counts are bounded,
 * and unknown fields are ignored. Arguments are turned into values later, in the job's run: a job can handle the error.
 */
import { PoisonError } from "../errors.ts";
import { show } from "../support/validation.ts";
import type { CodecOptions } from "./codec_options.ts";
import type { Envelope, SerializedValue } from "./envelope_data.ts";
import { type AnyCurrentAttributes, runWithAttributes } from "./current_attributes.ts";
import type { Job } from "./job.ts";
import { decryptEnvelope, splitFields } from "./encryption.ts";
import { setOrigin } from "./serializers/origins.ts";
import { replaceAt } from "./serializers/place.ts";
import {
  collectGlobalIds,
  deserialize,
  inspectJson,
  locateAll,
  OBJECT,
  parseExactly,
  type ReadOptions,
  UNSAFE_INTEGER,
} from "./serializers/read.ts";
import type { AnySerializer } from "./serializers/serializer.ts";
import { findSerializer } from "./serializers/write.ts";
import { envelopeFields, escapeHtml } from "./write_envelope.ts";

/** Writes and reads the envelopes of one App. */
export class EnvelopeCodec {
  readonly #options: CodecOptions;
  readonly #byName: ReadonlyMap<string, AnySerializer>;
  readonly #attributeClasses: readonly AnyCurrentAttributes[];
  /** The fields of Rails' current attributes: `cattr_0`, `cattr_1` … */
  readonly #railsFields: readonly string[];

  constructor(options: CodecOptions) {
    this.#options = options;
    this.#byName = new Map(options.serializers.map((serializer) => [serializer.name, serializer]));
    const { currentAttributes, railsCurrentAttributes } = options;
    this.#attributeClasses = [...currentAttributes, ...railsCurrentAttributes];
    this.#railsFields = railsCurrentAttributes.map((_, index) => `cattr_${index}`);
  }

  /**
   * Writes a job's envelope, with the current attributes of the enclosing scope.
   *
   * @param job the job
   * @param queueName the queue's full name
   * @throws {SerializationError} if an argument or an attribute cannot be written
   */
  write(job: Job, queueName: string): string {
    const fields = envelopeFields(job, queueName, this.#options, this.#railsFields);
    const { encryption } = this.#options;
    return escapeHtml(JSON.stringify(encryption === undefined ? fields : encryption.seal(fields)));
  }

  /** Returns the part of a job's envelope that can be read in the log, as JSON: the same each time. */
  describe(job: Job, queueName: string): string {
    const fields = envelopeFields(job, queueName, this.#options, this.#railsFields);
    return JSON.stringify(this.isEncrypting ? splitFields(fields).clear : fields);
  }

  /** Whether the arguments of jobs are encrypted: no message of an error may have them. */
  get isEncrypting(): boolean {
    return this.#options.encryption !== undefined;
  }

  /**
   * Reads an envelope. The name of the class may be any string: `decode` looks it up.
   *
   * @param value the value of a record
   * @param topic the topic of the record, for an encrypted job: that of another topic is poison
   * @throws {PoisonError} if it can never be performed
   * @throws {UnknownKeyError} if it is encrypted with a key that the App does not have
   */
  read(value: string, topic?: string): Envelope {
    let text = value;
    let parsed = parseObject(text, JSON.parse);
    const { encryption } = this.#options;
    if (parsed.encrypted !== undefined || encryption?.isRequired === true) {
      text = decryptEnvelope(text, parsed, encryption, topic);
      parsed = parseObject(text, JSON.parse);
    }
    let bits = inspectJson(parsed.arguments) | inspectJson(parsed.current_attributes) |
      inspectJson(parsed.continuation);
    for (const field of this.#railsFields) bits |= inspectJson(parsed[field]);
    if (bits & UNSAFE_INTEGER) parsed = parseObject(text, parseExactly);
    if (parsed.bigints !== undefined) replaceAt(parsed, parsed.bigints, toBigint);
    if (parsed.undefineds !== undefined) replaceAt(parsed, parsed.undefineds, toUndefined);
    const jobClass = parsed.job_class;
    if (typeof jobClass !== "string") throw new PoisonError(`The envelope has no "job_class"`);
    if (!Array.isArray(parsed.arguments)) throw new PoisonError(`The envelope has no list of "arguments"`);
    // A part of "_aj_" that is rare in plain envelopes: the search takes 60 ns in place of 500.
    const isPlain = (bits & OBJECT) === 0 || !text.includes("j_");
    if (!isPlain) setOrigin(parsed.arguments, { isSerialized: true });
    return {
      jobClass,
      jobId: nonEmptyStringOrNull(parsed.job_id),
      queueName: nonEmptyStringOrNull(parsed.queue_name),
      priority: Number.isSafeInteger(parsed.priority) ? parsed.priority as number : null,
      arguments: parsed.arguments,
      isPlain,
      executions: countOr0(parsed.executions),
      enqueuedAt: nonEmptyStringOrNull(parsed.enqueued_at),
      scheduledAtMs: readScheduledAt(parsed.scheduled_at),
      currentAttributes: parsed.current_attributes,
      raw: parsed,
      codec: this,
    };
  }

  /**
   * Returns the arguments of `perform`. With a locator the objects of GlobalIDs are found first, all at once.
   *
   * @returns the list of an envelope with plain data itself; a promise only if there are objects to find
   * @throws {DeserializationError} if an argument cannot be read, or a GlobalID is not found; also as a rejection
   */
  deserializeArguments(envelope: Envelope): readonly unknown[] | Promise<readonly unknown[]> {
    if (envelope.isPlain) return envelope.arguments;
    const { locateGlobalId } = this.#options;
    const ids = locateGlobalId === undefined ? undefined : collectGlobalIds(envelope.arguments);
    if (ids === undefined || ids.size === 0) return this.readArguments(envelope);
    return locateAll(ids, locateGlobalId!, this.isEncrypting).then((located) => this.readArguments(envelope, located));
  }

  /**
   * Returns the arguments of `perform` at once.
   *
   * @param located the objects of GlobalIDs; without them a GlobalID is a `GlobalId`
   * @throws {DeserializationError} if an argument cannot be read
   */
  readArguments(envelope: Envelope, located?: ReadonlyMap<string, unknown>): readonly unknown[] {
    if (envelope.isPlain) return envelope.arguments;
    return deserialize(envelope.arguments, "arguments", this.#readOptions(located)) as unknown[];
  }

  /**
   * Returns the current attributes of an envelope by class name; `undefined` for none.
   *
   * @throws {DeserializationError} if one cannot be read
   */
  readAttributes({ currentAttributes, isPlain, raw }: Envelope): unknown {
    const own = isPlain ? currentAttributes : this.deserialize(currentAttributes, "current_attributes");
    if (this.#railsFields.length === 0) return own;
    const { railsCurrentAttributes } = this.#options;
    const rails = this.#railsFields
      .map((field, index) => [railsCurrentAttributes[index]!.name, raw[field]] as const)
      .filter(([, values]) => values !== undefined);
    return rails.length === 0 ? own : Object.assign({}, own, Object.fromEntries(rails));
  }

  /**
   * Turns another field of an envelope into its value.
   *
   * @throws {DeserializationError} if it cannot be read
   */
  deserialize(json: unknown, field: string): unknown {
    return deserialize(json, field, this.#readOptions(undefined));
  }

  #readOptions(located: ReadOptions["located"]): ReadOptions {
    return { serializers: this.#byName, located, areSecret: this.isEncrypting };
  }

  /** Returns the serializer's name and the fields of a value; `undefined` if no serializer takes it. */
  fieldsOf(value: object): SerializedValue | undefined {
    const serializer = findSerializer(value, this.#options);
    return serializer && { name: serializer.name, fields: serializer.serialize(value) };
  }

  /** Whether jobs carry current attributes. */
  get hasAttributes(): boolean {
    return this.#attributeClasses.length > 0;
  }

  /** Runs a function in a scope with the current attributes of an envelope. */
  runWithAttributes<T>(envelope: Envelope, fn: () => T): T {
    return runWithAttributes(this.#attributeClasses, this.readAttributes(envelope), fn);
  }
}

function toBigint(value: unknown): unknown {
  return Number.isSafeInteger(value) ? BigInt(value as number) : value;
}

function toUndefined(value: unknown): unknown {
  return value === null ? undefined : value;
}

function parseObject(text: string, parse: (text: string) => unknown): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = parse(text);
  } catch (error) {
    throw new PoisonError("The value is not JSON", { cause: error });
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new PoisonError(`The value is JSON, but not an envelope: ${show(parsed)}`);
  }
  return parsed as Record<string, unknown>;
}

function nonEmptyStringOrNull(value: unknown): string | null {
  return typeof value === "string" && value !== "" && value.length <= 1000 ? value : null;
}

/** Untrusted: accepts 0 to 99,999; everything else is 0. */
function countOr0(value: unknown): number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= 99_999 ? value as number : 0;
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)$/;

/**
 * Reads a time of an envelope: ISO 8601 with up to nine fractional digits.
 *
 * @returns milliseconds since 1970; `null` for any other string
 */
export function readTime(text: string): number | null {
  if (text !== lastText) {
    const ms = ISO_TIME.test(text) ? Date.parse(text) : NaN;
    [lastText, lastMs] = [text, Number.isNaN(ms) ? null : ms];
  }
  return lastMs;
}

/** The last time that was read: jobs come many to a millisecond, and to read a time costs as much as a small job. */
let lastText = "";
let lastMs: number | null = null;

function readScheduledAt(value: unknown): number | null {
  if (value === undefined || value === null) return null;
  const ms = typeof value === "string" ? readTime(value) : null;
  if (ms === null) throw new PoisonError(`"scheduled_at" is not a time: ${show(value)}`);
  return ms;
}
