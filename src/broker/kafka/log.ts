/**
 * What kafkajs has to say, as events. It logs what it tries again by itself as an error; here that is a warning at most,
 * since what really failed reaches the caller as an outcome, a rejection or a call of the sink.
 */
import type { LogEntry } from "./kafkajs.ts";
import type { Monitor } from "../../monitor/monitor.ts";

/** kafkajs' number of its level "warn"; an error is below, info is 4, debug 5. */
const WARN = 2;
const INFO = 4;

/** The idempotent producer's retries are limited on purpose: what is given up is thrown away with its producer. */
const ANSWERED = "Limiting retries for the idempotent producer";

/**
 * The log function of one client.
 *
 * @param monitor where the events go
 * @param secrets texts that are replaced wherever they stand
 */
export function kafkaLog(monitor: Monitor, secrets: readonly string[]): (entry: LogEntry) => void {
  return ({ level, namespace, log }) => {
    // The environment may ask kafkajs for its debug level, which shows requests as they go over the wire.
    if (level > INFO || !monitor.hears("broker.log") || log.message.startsWith(ANSWERED)) return;
    const { message, timestamp: _, logger: __, ...details } = log;
    monitor.emit("broker.log", {
      level: level <= WARN ? "warn" : "debug",
      message: hide(`${namespace}: ${message}`, secrets),
      details: hidden(details, secrets),
    });
  };
}

function hidden(details: Record<string, unknown>, secrets: readonly string[]): Record<string, unknown> {
  try {
    // Through JSON: errors, sockets and buffers would keep what they belong to alive in whoever keeps the event.
    return JSON.parse(hide(JSON.stringify(details, plain), secrets));
  } catch {
    return {};
  }
}

function plain(_key: string, value: unknown): unknown {
  return value instanceof Error ? `${value.name}: ${value.message}` : value;
}

/**
 * A text without the secrets.
 *
 * @param text any text
 * @param secrets what to replace
 */
export function hide(text: string, secrets: readonly string[]): string {
  let result = text;
  for (const secret of secrets) {
    result = result.replaceAll(secret, "***").replaceAll(JSON.stringify(secret).slice(1, -1), "***");
  }
  return result;
}
