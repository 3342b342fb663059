/**
 * Every error that this library throws or rejects with, and the plain description in which errors travel through events.
 *
 * A message says what failed, quotes values, and states the current and the wanted state. An error that was caused by
 * another one carries it as `cause`.
 */

const CLASS_NAME: unique symbol = Symbol.for("@activejob/kafka.errorClass") as never;

/** An option, a class or a name cannot work. Thrown where it is declared, before anything is sent. */
export class InvalidConfigurationError extends Error {
  /** `"InvalidConfigurationError"`. */
  override name = "InvalidConfigurationError";
  /** @internal */
  static readonly [CLASS_NAME]: string = "InvalidConfigurationError";
}

/** Whether a record is in the log: `"no"`, or `"unknown"` if the broker's response was lost. */
export type Written = "no" | "unknown";

/** A job could not be enqueued. `cause` is the error behind it, such as the broker's, if there is one. */
export class EnqueueError extends Error {
  /** `"EnqueueError"`. */
  override name = "EnqueueError";
  /** `"no"`: it is certainly not in the log, and can be enqueued again. `"unknown"`: it may be in the log. */
  readonly written: Written;

  /** Makes one. */
  constructor(message: string, options: ErrorOptions & { written: Written }) {
    super(message, options);
    this.written = options.written;
  }
}

/**
 * An argument, or a current attribute, cannot be written: no serializer takes it, or it would change. The message has its path, such as
 * `arguments[0].user.at`. It is an {@linkcode EnqueueError} whose `written` is `"no"`.
 */
export class SerializationError extends EnqueueError {
  /** `"SerializationError"`. */
  override name = "SerializationError";

  /** Makes one. */
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, { ...options, written: "no" });
  }
}

/** The broker does not have the topic. */
export class UnknownTopicError extends Error {
  /** `"UnknownTopicError"`. */
  override name = "UnknownTopicError";
  /** @internal */
  static readonly [CLASS_NAME]: string = "UnknownTopicError";
}

/** The broker refuses the record for its content: it will never be accepted, another record may be. */
export class RecordRefusedError extends Error {
  /** `"RecordRefusedError"`. */
  override name = "RecordRefusedError";
}

/** The record is larger than its topic allows. The message has both sizes. */
export class RecordTooLargeError extends RecordRefusedError {
  /** `"RecordTooLargeError"`. */
  override name = "RecordTooLargeError";
}

/** The broker refused a request, or cannot be reached. `cause` is the client's error, if there is one. */
export class BrokerError extends Error {
  /** `"BrokerError"`. */
  override name = "BrokerError";
  /** @internal */
  static readonly [CLASS_NAME]: string = "BrokerError";
}

/**
 * Returns whether an error is one of a class. The error of a worker may be of another copy of this library than the class that
 * a job names.
 */
export function isErrorOf(error: unknown, Class: abstract new (...args: never[]) => unknown): boolean {
  if (error instanceof Class) return true;
  if (!Object.hasOwn(Class, CLASS_NAME) || typeof error !== "object" || error === null) return false;
  const name = (Class as { [CLASS_NAME]?: string })[CLASS_NAME];
  return (error.constructor as { [CLASS_NAME]?: string } | undefined)?.[CLASS_NAME] === name;
}

const ABORT: unique symbol = Symbol.for("@activejob/kafka.Abort") as never;

/** Thrown by a callback before a job is enqueued or performed: then it is not, and that is not a failure. */
export class Abort extends Error {
  /** `"Abort"`. */
  override name = "Abort";
  /** @internal */
  readonly [ABORT] = true;
}

/** Returns whether a value is an {@linkcode Abort}, of any copy of this library. */
export function isAbort(value: unknown): value is Abort {
  return hasMark(value, ABORT);
}

const CONTINUATION_ERROR: unique symbol = Symbol.for("@activejob/kafka.ContinuationError") as never;

/** The steps of a job are not in the order of its earlier run, come twice or inside each other, or cannot go on. */
export class ContinuationError extends Error {
  /** `"ContinuationError"`. */
  override name = "ContinuationError";
  /** @internal */
  static readonly [CLASS_NAME]: string = "ContinuationError";
  /** @internal */
  readonly [CONTINUATION_ERROR] = true;
}

/** Returns whether a value is a `ContinuationError`, of any copy of this library. */
export function isContinuationError(value: unknown): value is ContinuationError {
  return hasMark(value, CONTINUATION_ERROR);
}

const INTERRUPT: unique symbol = Symbol.for("@activejob/kafka.Interrupt") as never;

/**
 * Thrown through a job that is interrupted at a checkpoint: it goes on there later. Let it pass: a `catch` of the job must throw
 * it again.
 */
export class Interrupt extends Error {
  /** `"Interrupt"`. */
  override name = "Interrupt";
  /** @internal */
  readonly [INTERRUPT] = true;
  /** The step in which, or after which, the job was interrupted. */
  readonly step: string | null;
  /** The reason: `"stopping"`, `"quiet"`, `"revoked"`, `"cancelled"` or `"isolating"`. */
  readonly reason: string;

  /** Makes one. */
  constructor(message: string, { step, reason }: { step: string | null; reason: string }) {
    super(message);
    this.step = step;
    this.reason = reason;
  }
}

/** Returns whether a value is an {@linkcode Interrupt}, of any copy of this library. */
export function isInterrupt(value: unknown): value is Interrupt {
  return hasMark(value, INTERRUPT);
}

/** Returns whether a thrown value has a mark. It may be a proxy that throws at each read. */
function hasMark(value: unknown, mark: symbol): boolean {
  return readOrUndefined(() => (value as { [mark: symbol]: unknown } | null | undefined)?.[mark]) === true;
}

/** A job ran longer than its `timeoutMs`: the reason of its `signal`, and the error that it failed with. */
export class TimeoutError extends Error {
  /** `"TimeoutError"`. */
  override name = "TimeoutError";
  /** @internal */
  static readonly [CLASS_NAME]: string = "TimeoutError";
}

/** Another worker owns the job's partition now: the reason of the job's `signal`. The job will not be marked. */
export class RevokedError extends Error {
  /** `"RevokedError"`. */
  override name = "RevokedError";
}

/** An operator has cancelled the job while it ran: the reason of its `signal`. Its error is not a failure then. */
export class CancelledError extends Error {
  /** `"CancelledError"`. */
  override name = "CancelledError";
}

/** The worker is stopping and the job did not end in time: the reason of the job's `signal`. */
export class ShutdownError extends Error {
  /** `"ShutdownError"`. */
  override name = "ShutdownError";
}

/** The record can never be performed. It is dead-lettered at once. */
export class PoisonError extends Error {
  /** `"PoisonError"`. */
  override name = "PoisonError";
}

/**
 * An argument of a job cannot be read: no serializer of this App has its name, the serializer failed, or a GlobalID was not
 * found. The message has its path. It is thrown inside the job's run, which counts as an execution.
 */
export class DeserializationError extends Error {
  /** `"DeserializationError"`. */
  override name = "DeserializationError";
  /** @internal */
  static readonly [CLASS_NAME]: string = "DeserializationError";
}

/** One thing that is wrong with the arguments of a job. */
export interface SchemaIssue {
  /** The place, such as `arguments[0].email`. */
  readonly path: string;
  /** The message of the schema, cut to 500 characters. */
  readonly message: string;
}

/**
 * The arguments of a job do not fit the `schema` of its class: the `cause` of the {@linkcode EnqueueError} where the job is
 * enqueued. A record of such a job is poison: it is dead-lettered at once.
 */
export class SchemaError extends Error {
  /** `"SchemaError"`. */
  override name = "SchemaError";
  /** @internal */
  static readonly [CLASS_NAME]: string = "SchemaError";
  /** All that is wrong. */
  readonly issues: readonly SchemaIssue[];

  /** Makes one. */
  constructor(message: string, { issues }: { issues: readonly SchemaIssue[] }) {
    super(message);
    this.issues = issues;
  }
}

/**
 * A job was encrypted with a key that this App does not have. Its record waits, since a deploy may bring the key, as one of
 * an unknown class does.
 */
export class UnknownKeyError extends Error {
  /** `"UnknownKeyError"`. */
  override name = "UnknownKeyError";
  /** The id of the key. */
  readonly keyId: string;

  /** Makes one. */
  constructor(message: string, { keyId }: { keyId: string }) {
    super(message);
    this.keyId = keyId;
  }
}

/** The envelope names a class that is not in the `jobs` of this App. */
export class UnknownJobError extends Error {
  /** `"UnknownJobError"`. */
  override name = "UnknownJobError";
}

/** An error as plain data: what events carry, whatever was thrown. */
export interface ErrorInfo {
  /** The error's class name, or `"undefined"`, `"string"` … if another value was thrown. */
  readonly errorClass: string;
  /** Its message, cut to {@linkcode MAX_ERROR_TEXT} characters. */
  readonly message: string;
  /** Its stack, if it has one, cut to the same length. */
  readonly stack?: string;
  /** Its cause, if it has one, described in the same way: at most {@linkcode MAX_CAUSES} levels, without circles. */
  readonly cause?: ErrorInfo;
}

/** Longest message or stack that is kept of an error, in characters. */
export const MAX_ERROR_TEXT = 4000;

/** Most levels of causes that are kept of an error. */
export const MAX_CAUSES = 4;

/**
 * Describes a thrown value. It never throws itself, whatever the value: getters that throw, circular causes, a message of
 * megabytes, or a value that is not an error. An object without a message is described by its properties, such as
 * `{ code: 404 }`.
 *
 * @param thrown any value
 * @returns plain data
 */
export function describeError(thrown: unknown): ErrorInfo {
  const info = describe(thrown);
  originals.set(info, thrown);
  return info;
}

/**
 * Returns the reason that a thrown value gives: its message, or its class if it has none, such as `undefined`.
 *
 * @internal
 */
export function reasonOf(thrown: unknown): string {
  const { message, errorClass } = describeError(thrown);
  return message || errorClass;
}

/** Lets code in the same process get the original error, as the test kit does. An entry lives as long as its description. */
const originals = new WeakMap<ErrorInfo, unknown>();

/**
 * Returns the thrown value that a description was made of.
 *
 * @param info an object that {@linkcode describeError} returned, not a copy of it
 * @returns the thrown value; `undefined` for any other object
 */
export function originalError(info: ErrorInfo): unknown {
  return originals.get(info);
}

function describe(thrown: unknown, seen: readonly unknown[] = []): ErrorInfo {
  if (typeof thrown !== "object" || thrown === null) {
    return { errorClass: thrown === null ? "null" : typeof thrown, message: readString(() => thrown) ?? "" };
  }
  const error = thrown as Partial<Error>;
  const stack = readString(() => error.stack);
  const chain = [...seen, thrown];
  const cause = readOrUndefined(() => error.cause) ?? undefined;
  return {
    errorClass: readString(() => error.name) || readString(() => error.constructor?.name) || "Error",
    message: readString(() => error.message) ?? describeObject(thrown) ?? "(no message)",
    ...(stack === undefined ? {} : { stack }),
    ...(cause === undefined || chain.length > MAX_CAUSES || chain.includes(cause)
      ? {}
      : { cause: describe(cause, chain) }),
  };
}

/** Describes an object without a message: by its `toString`, or by its properties if that is only `[object Object]`. */
function describeObject(thrown: object): string | undefined {
  const own = readString(() => thrown);
  if (own !== undefined && !own.startsWith("[object ")) return own;
  const has = readString(() => describeProperties(thrown));
  return own === undefined && has === "{}" ? undefined : has ?? own;
}

/** Most properties of an object that are shown. */
const MAX_SHOWN = 5;
/** Most characters that are shown of a name or a value. */
const MAX_SHOWN_TEXT = 100;

/** Returns for example `{ code: 404, response: … }`. It calls neither getters nor `toString`. */
function describeProperties(value: object): string {
  const names = Object.keys(value);
  if (names.length === 0) return "{}";
  const shown = names.slice(0, MAX_SHOWN).map((name) =>
    `${name.slice(0, MAX_SHOWN_TEXT)}: ${describePrimitive(Object.getOwnPropertyDescriptor(value, name)?.value)}`
  );
  return `{ ${shown.join(", ")}${names.length > MAX_SHOWN ? ", …" : ""} }`;
}

function describePrimitive(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, MAX_SHOWN_TEXT));
  if (typeof value === "bigint") return `${value}n`;
  return value === null || typeof value === "number" || typeof value === "boolean" ? String(value) : "…";
}

function readString(read: () => unknown): string | undefined {
  return readOrUndefined(() => {
    const value = read();
    return value === undefined ? undefined : String(value).slice(0, MAX_ERROR_TEXT);
  });
}

/** Returns the result of a function, or `undefined` if it throws. */
function readOrUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
