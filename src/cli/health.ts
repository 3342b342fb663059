/**
 * `--health-port`: serves a worker's health from before its start until the end of its stop. It keeps no process alive, and
 * an end does not wait for whoever is still being answered.
 */
import { type EventSource, Metrics } from "../monitor/metrics.ts";
import { show } from "../support/validation.ts";
import { healthHandler, type ObservedWorker } from "../web/health.ts";
import { type Arguments, CommandError, type Flag, UsageError } from "./command.ts";

/** Probes come from outside of the container. */
const ANYWHERE = "0.0.0.0";

/** The flags that speak of it. */
export const HEALTH_FLAGS: readonly Flag[] = [
  { name: "health-port", value: "PORT", help: "serve /livez, /readyz and /metrics there (0: any free port)" },
  { name: "health-host", value: "HOST", help: `the address to listen on (${ANYWHERE})` },
];

/** Where to listen. */
export interface HealthAddress {
  readonly hostname: string;
  readonly port: number;
}

/**
 * Reads where to listen.
 *
 * @returns `null` where no port is given
 * @throws {UsageError} if the port is none, or a host has no port
 */
export function healthAddress(given: Arguments): HealthAddress | null {
  const text = given.text("health-port");
  const hostname = given.text("health-host");
  if (text === undefined) {
    if (hostname === undefined) return null;
    throw new UsageError(`Option "--health-host" says where to listen, but there is no "--health-port"`);
  }
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (port <= 65_535) return { hostname: hostname ?? ANYWHERE, port };
  throw new UsageError(`Option "--health-port" must be a port from 0 to 65535, but it is ${show(text)}`);
}

/**
 * Serves a worker's health until it is disposed of.
 *
 * @throws {CommandError} if the address cannot be had
 */
export function serveHealth({ hostname, port }: HealthAddress, app: EventSource, worker: ObservedWorker): Disposable {
  const metrics = new Metrics();
  const end = new AbortController();
  try {
    const onListen = ({ port }: { port: number }) => console.log(`Health on http://${hostOf({ hostname, port })}`);
    const handler = healthHandler(worker, metrics);
    Deno.serve({ hostname, port, signal: end.signal, onListen }, handler).unref();
  } catch (cause) {
    throw new CommandError(`Cannot listen on ${hostname}:${port} for health checks`, { cause });
  }
  const detach = metrics.attach(app);
  return {
    [Symbol.dispose]() {
      detach();
      end.abort();
    },
  };
}

/** An address in one word: `"0.0.0.0:9090"`, `"[::1]:9090"`. */
export function hostOf({ hostname, port }: HealthAddress): string {
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}
