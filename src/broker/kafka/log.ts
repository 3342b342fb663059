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
/** An error answer: whoever asked hears of it. */
const ERROR_ANSWER = /^Response /;
/** The same words come again after so many milliseconds at the earliest: while a broker is away there are ten a second. */
const QUIET_MS = 10_000;
/** No more different words are remembered. */
const MAX_HEARD = 1000;

/**
 * The log function of all clients of one broker object.
 *
 * @param monitor where the events go
 * @param secrets texts that are replaced wherever they stand
 */
export function kafkaLog(monitor: Monitor, secrets: readonly string[]): (entry: LogEntry) => void {
  const heard = new Map<string, { untilMs: number; repeated: number }>();
  return ({ level, namespace, log }) => {
    // The environment may ask kafkajs for its debug level, which shows requests as they go over the wire.
    if (level > INFO || !monitor.hasListener("broker.log") || log.message.startsWith(ANSWERED)) return;
    const { message, timestamp: _, logger: __, stack: ___, ...details } = log;
    const words = hide(`${namespace}: ${message}`, secrets);
    const nowMs = performance.now();
    const before = heard.get(words);
    if (before !== undefined && nowMs < before.untilMs) {
      before.repeated++;
      return;
    }
    if (heard.size > MAX_HEARD) heard.clear();
    heard.set(words, { untilMs: nowMs + QUIET_MS, repeated: 0 });
    const repeated = before === undefined || before.repeated === 0 ? {} : { repeated: before.repeated };
    monitor.emit("broker.log", {
      level: level <= WARN && !ERROR_ANSWER.test(message) ? "warn" : "debug",
      message: words,
      details: { ...hidden(details, secrets), ...repeated },
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
