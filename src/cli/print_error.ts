/** How a failure is said: one line on standard error, with its cause, and without anything that draws on a terminal. */
import { describeError } from "../errors.ts";

/** Prints one line. */
export function printError(message: string): void {
  console.error(`error: ${oneLine(message)}`);
}

/**
 * Prints what was thrown: its message and what caused it.
 *
 * @param withStack whether the stacks follow
 */
export function printThrown(thrown: unknown, withStack: boolean): void {
  const messages: string[] = [];
  const stacks: string[] = [];
  // A cause may be circular, and a getter may throw.
  for (let error: unknown = thrown, depth = 0; error != null && depth < 5; error = causeOf(error), depth++) {
    const { errorClass, message, stack } = describeError(error);
    const text = message === "" ? errorClass : message;
    if (!messages.some((earlier) => earlier.includes(text))) messages.push(text);
    stacks.push(stack ?? `${errorClass}: ${message}`);
  }
  printError(messages.length === 0 ? String(thrown) : messages.join(": "));
  if (withStack) console.error(stacks.join("\ncaused by "));
}

function causeOf(error: unknown): unknown {
  try {
    return (error as { cause?: unknown }).cause;
  } catch {
    return undefined;
  }
}

// deno-lint-ignore no-control-regex
const BREAKS_OUT = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;

function oneLine(text: string): string {
  return text.replace(BREAKS_OUT, " ").trim();
}
