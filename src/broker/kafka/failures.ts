/**
 * Reading kafkajs' errors: it wraps them in one another, and the protocol's own name of what happened stands somewhere in
 * the chain. Pure functions.
 */
import { BrokerError } from "../../errors.ts";

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
    chain(error).some((link) => link.code === NOT_ALLOWED) ||
    /_AUTHORIZATION_FAILED$/.test(protocolError(error) ?? "");
}

/** Whether the topic is not there. */
export function isUnknownTopic(error: unknown): boolean {
  const type = protocolError(error);
  return type === "UNKNOWN_TOPIC_OR_PARTITION" || type === "INVALID_TOPIC_EXCEPTION";
}

/** An error of ours whose `cause` is the client's. */
export function brokerError(what: string, cause: unknown): BrokerError {
  const text = cause instanceof Error ? cause.message : String(cause);
  return new BrokerError(`${what}: ${text}`, { cause });
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
