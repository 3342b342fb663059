/**
 * Names of job classes on the wire. There is one rule for them: an App accepts a name exactly if a worker that does not
 * know it yet waits for it. Any other name in a record is poison.
 */

/** The static side of a job class, as far as its name goes. */
export interface Named {
  /** The name of the class. */
  readonly name: string;
  /** Its name on the wire, if that differs. Not inherited. */
  readonly jobName?: string;
}

/** Returns the name of a class on the wire: its own `jobName`, or else the name of the class. */
export function jobNameOf(Class: Named): string {
  return (Object.hasOwn(Class, "jobName") ? Class.jobName : undefined) ?? Class.name;
}

/** Longest name, in UTF-16 code units. */
const MAX_LENGTH = 255;

/** An identifier, then further parts behind `::`, `.` or `-`. */
const CLASS_NAME = /^[\p{ID_Start}$_][\p{ID_Continue}$]*(?:(?:::|[.-])[\p{ID_Continue}$]+)*$/u;

/** The rule in words, for messages. */
export const CLASS_NAME_RULE: string =
  `a name such as "WelcomeJob", "Admin::RefreshJob", "mail.welcome" or "send-mail", ` +
  `of at most ${MAX_LENGTH} characters`;

/**
 * Returns whether a value can be the name of a job class: an identifier of JavaScript or Ruby, or several joined by `::`,
 * `.` or `-`. The names of the members of every object, such as `constructor`, are none; nor are paths and URLs.
 */
export function isClassName(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_LENGTH && CLASS_NAME.test(value) &&
    !Object.hasOwn(Object.prototype, value);
}
