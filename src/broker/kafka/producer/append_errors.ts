/** The errors of records that are given up, and of requests that are not tried again. */
import { BrokerError } from "../../../errors.ts";
import { brokerError } from "../broker_error.ts";
import { Code, ConnectionError, ProtocolError } from "../wire/errors.ts";

/** Codes of InitProducerId after which asking again cannot help. */
const HOPELESS: ReadonlySet<number> = new Set([
  Code.clusterAuthorizationFailed,
  Code.transactionalIdAuthorizationFailed,
  Code.unsupportedVersion,
]);

/** Returns the error of records that are given up. */
export function appendError(topic: string, problem: string, cause?: unknown): Error {
  if (cause instanceof ConnectionError && cause.isPermission) {
    return brokerError(`Cannot append to topic "${topic}"`, cause);
  }
  return new BrokerError(
    `Cannot append to topic "${topic}": ${problem}`,
    cause === undefined ? undefined : { cause },
  );
}

/**
 * Returns the error of records that are given up without a response: its cause is the last problem.
 *
 * @param last the last problem; `""` if there was none
 */
export function unansweredError(topic: string, problem: string, last: string): Error {
  if (last === "") return appendError(topic, problem);
  return appendError(topic, `${problem} (last: ${last})`, new BrokerError(last));
}

/**
 * Whether trying again cannot help: a wrong password, a permission that the process or the user does not have, a broker that
 * is too old.
 */
export function isHopeless(error: unknown): error is Error {
  if (error instanceof ProtocolError) return HOPELESS.has(error.code);
  return (error as { readonly isFinal?: boolean }).isFinal === true;
}
