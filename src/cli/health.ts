/**
 * `--health-port`: serves a worker's health from before its start until the end of its stop. It keeps no process alive, and
 * an end does not wait for open connections.
 */
import { type EventSource, Metrics } from "../monitor/metrics.ts";
import { show } from "../support/validation.ts";
import { type ObservedWorker, respond } from "../web/health.ts";
import { type Arguments, CommandError, type Flag, UsageError } from "./command.ts";
import { HealthServer } from "./health_server.ts";
import { listenTcp } from "./tcp.ts";

/** All addresses: probes come from outside of the container. */
const ANYWHERE = "0.0.0.0";

/** The flags of the health server. */
export const HEALTH_FLAGS: readonly Flag[] = [
  { name: "health-port", value: "PORT", help: "serve /livez, /readyz and /metrics there (0: any free port)" },
  { name: "health-host", value: "HOST", help: `the address to listen on (${ANYWHERE})` },
];

/** The address to listen on. */
export interface HealthAddress {
  readonly hostname: string;
  readonly port: number;
}

/**
 * Reads the address to listen on.
 *
 * @returns `null` where no port is given
 * @throws {UsageError} if the port is not a port, or a host has no port
 */
export function readHealthAddress(args: Arguments): HealthAddress | null {
  const text = args.getText("health-port");
  const hostname = args.getText("health-host");
  if (text === undefined) {
    if (hostname === undefined) return null;
    throw new UsageError(`Option "--health-host" needs "--health-port" as well`);
  }
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (port <= 65_535) return { hostname: hostname ?? ANYWHERE, port };
  throw new UsageError(`Option "--health-port" must be a port from 0 to 65535, but it is ${show(text)}`);
}

/** The App whose worker is observed, of any copy of this library. */
interface ObservedApp extends EventSource {
  /** Reports an error that no caller gets. */
  reportError(where: string, error: unknown): void;
}

/**
 * Serves a worker's health until it is disposed of.
 *
 * @throws {CommandError} if the address cannot be had
 */
export async function serveHealth(
  { hostname, port }: HealthAddress,
  app: ObservedApp,
  worker: ObservedWorker,
): Promise<Disposable> {
  const metrics = new Metrics();
  const handler = (method: string, path: string) => respond(method, path, worker, metrics);
  const onError = (error: unknown) => app.reportError("health server", error);
  let server: HealthServer;
  try {
    server = new HealthServer(await listenTcp({ hostname, port }), handler, { onError });
  } catch (cause) {
    throw new CommandError(`Cannot listen on ${formatAddress({ hostname, port })} for health checks`, { cause });
  }
  console.log(`Health on http://${formatAddress({ hostname, port: server.port })}`);
  const detach = metrics.attach(app);
  return {
    [Symbol.dispose]() {
      detach();
      server[Symbol.dispose]();
    },
  };
}

/** Formats an address: `"0.0.0.0:9090"`, `"[::1]:9090"`. */
export function formatAddress({ hostname, port }: HealthAddress): string {
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}
