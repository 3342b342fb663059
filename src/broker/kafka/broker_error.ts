/** Errors of the broker interface, made of the errors of the wire. */
import { BrokerError, UnknownTopicError } from "../../errors.ts";
import { MissingPermissionError } from "../missing_permission.ts";
import { ConnectionError } from "./wire/errors.ts";

/**
 * Makes an error of this library; a missing permission of the process becomes one sentence.
 *
 * @param action the action that failed: `"Cannot reach Kafka"`
 * @param cause an error of the wire. One of this library is returned as it is
 */
export function brokerError(action: string, cause: unknown): Error {
  if (cause instanceof BrokerError || cause instanceof UnknownTopicError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof ConnectionError && cause.isPermission) return new MissingPermissionError(action, message);
  return new BrokerError(`${action}: ${message}`, { cause });
}
