/**
 * Reads what an App is given as its `broker`: a text such as `"kafka://a:9092"`, or the answer of `memory()` and its like.
 * Nothing is connected here.
 */
import { InvalidConfigurationError } from "../errors.ts";
import type { BrokerSource } from "./broker.ts";
import { kafkaFromUrl } from "./kafka/mod.ts";
import { memory } from "./memory/mod.ts";
import { sqlite } from "./sqlite/mod.ts";

const ALLOWED =
  '"sqlite:file.db", "memory:", "memory:name", "kafka://host:port,host:port", or what sqlite(), memory() or ' +
  "kafka() answers";

/**
 * Where an App's records live.
 *
 * @param broker `"sqlite:file.db"`, `"memory:"` (a log of the App's own), `"memory:name"` (one that is shared within the process),
 * `"kafka://host:port,host:port"`, or a source, which is answered as it is
 * @returns the source
 * @throws {InvalidConfigurationError} if it is none of these
 */
export function brokerSource(broker: string | BrokerSource): BrokerSource {
  if (typeof broker !== "string") return checked(broker);
  const [, scheme, rest] = /^(\w+):(.*)$/s.exec(broker) ?? [];
  if (scheme === "memory" && /^[\w.-]*$/.test(rest!)) return memory(rest === "" ? undefined : rest);
  if (scheme === "kafka" && /^\/\/[^/]/.test(rest!)) return kafkaFromUrl(broker);
  if (scheme === "sqlite" && !/^$|^\/\/[^/]/.test(rest!)) return sqlite(rest!);
  throw unreadable(shown(broker));
}

function checked(broker: BrokerSource): BrokerSource {
  // Whoever writes plain JavaScript may pass anything.
  if (typeof broker?.open === "function" && typeof broker.name === "string") return broker;
  throw unreadable(String(broker));
}

function unreadable(value: string): InvalidConfigurationError {
  return new InvalidConfigurationError(`Cannot read "broker": it is "${value}", but must be ${ALLOWED}`);
}

/** Whatever stands before an `@` may be a password. */
function shown(broker: string): string {
  return broker.replace(/^.*@/s, "***@");
}
