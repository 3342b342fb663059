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

/** An argument that cannot be written into an envelope. The message has its path, such as `arguments[0].user.at`. */
export class SerializationError extends Error {
  /** `"SerializationError"`. */
  override name = "SerializationError";
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
}

/** The longest text that is kept of an error's message or stack, in characters. */
export const MAX_ERROR_TEXT = 4000;

/**
 * Describes whatever was thrown. It never throws itself: getters that throw, circular causes, megabytes of message and
 * values that are no errors are all described.
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
export function thrownBehind(info: ErrorInfo): unknown {
  return behind.get(info);
}

function describe(thrown: unknown): ErrorInfo {
  if (typeof thrown !== "object" || thrown === null) {
    return { errorClass: thrown === null ? "null" : typeof thrown, message: text(() => thrown) ?? "" };
  }
  const error = thrown as Partial<Error>;
  const errorClass = text(() => error.name) || text(() => error.constructor?.name) || "Error";
  const message = text(() => error.message) ?? text(() => thrown) ?? "(no message)";
  const stack = text(() => error.stack);
  return stack === undefined ? { errorClass, message } : { errorClass, message, stack };
}

function text(read: () => unknown): string | undefined {
  try {
    const value = read();
    return value === undefined ? undefined : String(value).slice(0, MAX_ERROR_TEXT);
  } catch {
    return undefined;
  }
}
