/**
 * Every error that this library throws or rejects with, and the plain description in which errors travel through events.
 *
 * A message says what failed, quotes values, and states the current and the wanted state. An error that was caused by
 * another one carries it as `cause`.
 */

/** An option, a class or a name that cannot work. Thrown when it is declared, before anything is sent. */
export class InvalidConfigurationError extends Error {
  /** `"InvalidConfigurationError"`. */
  override name = "InvalidConfigurationError";
}

/** A feature that this version does not have. It is refused, never done in another way. */
export class NotSupportedError extends Error {
  /** `"NotSupportedError"`. */
  override name = "NotSupportedError";
}

/** Whether a record is in the log: `"no"`, or `"unknown"` where the answer to the request was lost. */
export type Written = "no" | "unknown";

/** A job could not be enqueued. `cause` is the broker's error, where there is one. */
export class EnqueueError extends Error {
  /** `"EnqueueError"`. */
  override name = "EnqueueError";
  /** `"no"`: it is certainly not in the log, enqueue it again. `"unknown"`: it may be there. */
  readonly written: Written;

  /** Makes one. */
  constructor(message: string, options: ErrorOptions & { written: Written }) {
    super(message, options);
    this.written = options.written;
  }
}

/**
 * An argument, or a current attribute, cannot be written as JSON. The message has its path, such as
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

/** A topic that the broker does not have. */
export class UnknownTopicError extends Error {
  /** `"UnknownTopicError"`. */
  override name = "UnknownTopicError";
}

/** A record that is larger than its topic allows. */
export class RecordTooLargeError extends Error {
  /** `"RecordTooLargeError"`. */
  override name = "RecordTooLargeError";
}

/** The broker refused, or cannot be reached. `cause` is the client's error, where there is one. */
export class BrokerError extends Error {
  /** `"BrokerError"`. */
  override name = "BrokerError";
}

/** A job ran longer than its `timeoutMs`: the reason of its `signal`, and the error that it failed with. */
export class TimeoutError extends Error {
  /** `"TimeoutError"`. */
  override name = "TimeoutError";
}

/** Another worker has the job's partition now: the reason of the job's `signal`. Whatever the job does is not marked. */
export class RevokedError extends Error {
  /** `"RevokedError"`. */
  override name = "RevokedError";
}

/** The worker is stopping and the job did not end in time: the reason of the job's `signal`. */
export class ShutdownError extends Error {
  /** `"ShutdownError"`. */
  override name = "ShutdownError";
}

/** A record that can never be performed, whatever is tried. It is dead-lettered at once. */
export class PoisonError extends Error {
  /** `"PoisonError"`. */
  override name = "PoisonError";
}

/** An envelope that names a class which no `jobs` list of this App has. */
export class UnknownJobError extends Error {
  /** `"UnknownJobError"`. */
  override name = "UnknownJobError";
}

/** An error as plain data: what events carry, whatever was thrown. */
export interface ErrorInfo {
  /** The error's class name, or `"undefined"`, `"string"` … where something else was thrown. */
  readonly errorClass: string;
  /** Its message, cut to {@linkcode MAX_ERROR_TEXT} characters. */
  readonly message: string;
  /** Its stack, cut likewise, where it has one. */
  readonly stack?: string;
  /** What caused it, described likewise, where it says so: at most {@linkcode MAX_CAUSES} deep, and none twice. */
  readonly cause?: ErrorInfo;
}

/** The longest text that is kept of an error's message or stack, in characters. */
export const MAX_ERROR_TEXT = 4000;

/** So many causes are kept of an error, one the cause of the other. */
export const MAX_CAUSES = 4;

/**
 * Describes whatever was thrown. It never throws itself: getters that throw, circular causes, megabytes of message and
 * values that are no errors are all described. An object without a message is described by what it has, such as
 * `{ code: 404 }`.
 *
 * @param thrown anything
 * @returns plain data
 */
export function describeError(thrown: unknown): ErrorInfo {
  const info = describe(thrown);
  behind.set(info, thrown);
  return info;
}

/** Events are plain data; who is in the same process may ask for the error itself, as tests do. Kept as long as its description. */
const behind = new WeakMap<ErrorInfo, unknown>();

/**
 * What was thrown, by its description: the very object that {@linkcode describeError} made of it, not a copy.
 *
 * @returns the thrown value; `undefined` where this process did not describe it
 */
export function originalError(info: ErrorInfo): unknown {
  return behind.get(info);
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

/** What an object without a message says of itself; where that is only its kind (`[object Object]`), what it has. */
function describeObject(thrown: object): string | undefined {
  const own = readString(() => thrown);
  if (own !== undefined && !own.startsWith("[object ")) return own;
  const has = readString(() => describeProperties(thrown));
  return own === undefined && has === "{}" ? undefined : has ?? own;
}

/** So many properties of an object are shown, and so many characters of each. */
const MAX_SHOWN = 5;
const MAX_SHOWN_TEXT = 100;

/** `{ code: 404, response: … }`: what it has of its own. Nothing of it is called: no getter, no `toString`. */
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

/** What was read; `undefined` where reading it throws. */
function readOrUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
