/**
 * Prints a failure as one line on standard error, with its causes. Control characters and the user part of a URL never
 * reach the terminal.
 */
import { describeError, UnknownTopicError } from "../errors.ts";
import { findMissingPermission } from "../support/permissions.ts";
import { stderr } from "../support/stderr.ts";

/** At most this many causes are printed: a cause may be circular. */
const MAX_CAUSES = 5;

/** Prints text on standard error, behind the log lines that wait there, with a line break. */
export function printLine(text: string): void {
  stderr.write(`${text}\n`);
}

/** Prints one line. */
export function printError(message: string): void {
  printLine(`error: ${toOneLine(maskUrls(message))}`);
}

/**
 * Prints a thrown value: its message and those of its causes. A missing permission is printed with the flag that allows it.
 *
 * @param thrown anything
 * @param withStack whether the stacks follow
 */
export function printThrown(thrown: unknown, withStack: boolean): void {
  const messages: string[] = [];
  const stacks: string[] = [];
  for (let error: unknown = thrown, depth = 0; error != null && depth < MAX_CAUSES; depth++) {
    const { errorClass, message, stack } = describeError(error);
    const text = message === "" ? errorClass : message;
    if (!messages.some((earlier) => earlier.includes(text))) messages.push(text);
    stacks.push(stack ?? `${errorClass}: ${message}`);
    error = readCause(error);
  }
  const line = messages.length === 0 ? `${String(thrown)} was thrown` : messages.join(": ");
  const missing = findMissingPermission(thrown);
  const needsTopics = thrown instanceof UnknownTopicError && !line.includes("topics apply");
  // Deno's own advice names a flag without a value, which allows everything of its kind.
  const advised = missing === null
    ? line
    : line.replace(/, run again with the .*? flag/, `; start it with ${missing.flag}`);
  printError(needsTopics ? `${advised}; "topics apply" creates it` : advised);
  if (withStack) printLine(maskUrls(stacks.join("\ncaused by ")));
}

function readCause(error: unknown): unknown {
  try {
    return (error as { cause?: unknown }).cause;
  } catch {
    return undefined;
  }
}

// deno-lint-ignore no-control-regex
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;

function toOneLine(text: string): string {
  return text.replace(CONTROL_CHARACTERS, " ").trim();
}

/** The user part of a URL. `http://host:80/@x` and `https://host/@x` do not have one. */
const USER_PART = /([a-z][a-z0-9+.-]*:\/\/)(?:[^\s"'/@:]*:(?!\d{1,5}\/)[^\s"']*@|[^\s"'/@]*@)/gi;

/** Masks the user and the password in each URL. */
function maskUrls(text: string): string {
  return text.replace(USER_PART, "$1***@");
}
