/**
 * Reading kafkajs' errors: it wraps them in one another, and the protocol's own name of what happened stands somewhere in
 * the chain. Pure functions.
 */
import { BrokerError } from "../../errors.ts";
import { asMissingPermission, MissingPermissionError } from "../missing_permission.ts";
import { ENVIRONMENT } from "./environment.ts";

/** kafkajs nests a handful; a chain that bites its own tail ends here. */
const MAX_DEPTH = 10;

interface KafkaJsError {
  readonly name?: string;
  readonly type?: string;
  readonly code?: string | number;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
}

/** The protocol's name of what happened, such as `"MESSAGE_TOO_LARGE"`, or `null` if the broker did not answer. */
export function protocolError(error: unknown): string | null {
  for (const link of chain(error)) if (typeof link.type === "string") return link.type;
  return null;
}

/** Whether an error of this class name is in the chain. */
export function isNamed(error: unknown, name: string): boolean {
  return chain(error).some((link) => link.name === name);
}

/** The code of a connection that the process has no permission for. */
export const NOT_ALLOWED = "NOT_ALLOWED";

/** Whether trying again cannot help: the client may not, is not who it says it is, or its process lacks a permission. */
export function isForbidden(error: unknown): boolean {
  return isNamed(error, "KafkaJSSASLAuthenticationError") || isNamed(error, "NotCapable") ||
    chain(error).some((link) => link.code === NOT_ALLOWED || link instanceof MissingPermissionError) ||
    /_AUTHORIZATION_FAILED$/.test(protocolError(error) ?? "");
}

/** Whether the topic is not there. */
export function isUnknownTopic(error: unknown): boolean {
  const type = protocolError(error);
  return type === "UNKNOWN_TOPIC_OR_PARTITION" || type === "INVALID_TOPIC_EXCEPTION";
}

/** What a Kafka needs: each of its brokers, wherever the cluster says that they are, and kafkajs' variables. */
const NEEDED = { net: [], env: ENVIRONMENT };

/** Makes an error of this library, with the client's as its `cause`; a missing permission becomes one sentence. */
export function brokerError(action: string, cause: unknown): BrokerError {
  const denied = chain(cause).find((link) => link.code === NOT_ALLOWED);
  if (denied instanceof Error) return new MissingPermissionError(action, denied.message);
  const missing = asMissingPermission(action, cause, NEEDED);
  if (missing !== null) return missing;
  const text = cause instanceof Error ? cause.message : String(cause);
  return new BrokerError(`${action}: ${text}`, { cause });
}

function chain(error: unknown): KafkaJsError[] {
  const links: KafkaJsError[] = [];
  let next: unknown = error;
  while (typeof next === "object" && next !== null && links.length < MAX_DEPTH) {
    const link = next as KafkaJsError;
    links.push(link);
    next = link.cause ?? link.errors?.[0];
  }
  return links;
}
