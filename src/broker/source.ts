/**
 * Reads the `broker` option of an App: a string such as `"kafka://a:9092"`, or the result of `kafka()` or `sqlite()`.
 * Nothing is connected here.
 */
import { InvalidConfigurationError } from "../errors.ts";
import type { BrokerSource } from "./broker.ts";
import { kafkaFromUrl } from "./kafka/mod.ts";
import { maskAddress } from "./kafka/options.ts";
import { memory } from "./memory/mod.ts";
import { sqlite } from "./sqlite/mod.ts";

const ALLOWED =
  '"sqlite:file.db", "memory:", "memory:name", "kafka://host:port,host:port", or the result of sqlite() or kafka()';

/**
 * Reads the `broker` option.
 *
 * @param broker `"sqlite:file.db"`; `"memory:"`, a log of its own for each client; `"memory:name"`, a log that all
 * clients in the process share; `"kafka://host:port,host:port"`; or a source, which is returned as it is
 * @returns the source
 * @throws {InvalidConfigurationError} if it is none of these
 */
export function readBrokerSource(broker: string | BrokerSource): BrokerSource {
  if (typeof broker !== "string") return checkSource(broker);
  const [, scheme, rest] = /^(\w+):(.*)$/s.exec(broker) ?? [];
  if (scheme === "memory" && /^[\w.-]*$/.test(rest!)) return memory(rest === "" ? undefined : rest);
  if (scheme === "kafka" && /^\/\/[^/]/.test(rest!)) return kafkaFromUrl(broker);
  if (scheme === "sqlite" && !/^$|^\/\/[^/]/.test(rest!)) return sqlite(rest!);
  throw invalidBrokerError(maskAddress(broker));
}

function checkSource(broker: BrokerSource): BrokerSource {
  // Plain JavaScript may pass anything.
  if (typeof broker?.open === "function" && typeof broker.name === "string") return broker;
  throw invalidBrokerError(String(broker));
}

function invalidBrokerError(value: string): InvalidConfigurationError {
  return new InvalidConfigurationError(`Cannot read "broker": it is "${value}", but must be ${ALLOWED}`);
}
