/**
 * `web`: serves the dashboard of an App until a signal comes. No worker needs to run. It is open to this machine only, unless
 * there is a password, or `--insecure` says that something in front protects it.
 * Its server (`http.ts`) is bounded, but has no TLS: beyond this machine let a proxy stand in front.
 */
import { waitUntilAborted, waitUntilSettled } from "../support/deadline.ts";
import { quoteForShell } from "../support/shell.ts";
import { show } from "../support/validation.ts";
import { dashboard } from "../web/dashboard/dashboard.ts";
import { isLoopbackName } from "../web/dashboard/security.ts";
import { createBasicAuthorize } from "./basic_authorize.ts";
import { APP_FLAG, type Arguments, type Command, CommandError, UsageError } from "./command.ts";
import { disposing, type Keep } from "./disposing.ts";
import { EXIT } from "./exit_codes.ts";
import { formatAddress, type HealthAddress } from "./health.ts";
import { type FetchHandler, type HttpServer, serveHttp } from "./http.ts";
import { loadApp } from "./load_app.ts";
import { runtime, type Signal } from "./runtime.ts";
import { selectSignals, WorkerSignals } from "./signals.ts";

const DEFAULT_PORT = 9091;
const DEFAULT_HOST = "127.0.0.1";
/** The user of a dashboard without a password. */
const LOCAL_USER = "local";
/** The time for responses on their way, and for closing the App, at the end, in milliseconds. */
const CLOSE_MS = 1000;

/** `web`. */
export const web: Command = {
  name: "web",
  words: "",
  summary: "Serve the dashboard until stopped",
  details: [
    "Pages and JSON (/api/…) of topics, dead letters, workers and delayed jobs. No worker needs to run. On another address",
    "than one of this machine it needs --user and --password-env, or --insecure. INT, TERM and QUIT stop it.",
  ],
  flags: [
    APP_FLAG,
    { name: "port", value: "PORT", help: `the port to listen on (${DEFAULT_PORT}; 0: any free port)` },
    { name: "host", value: "HOST", help: `the address to listen on (${DEFAULT_HOST})` },
    { name: "user", value: "NAME", help: "ask for this user name and a password" },
    { name: "password-env", value: "NAME", help: "the environment variable with the password" },
    { name: "read-only", help: "show the pages, change nothing" },
    { name: "public-host", value: "NAME", help: "the name by which browsers reach it, such as jobs.example.com" },
    { name: "insecure", help: "serve other machines without a password: a proxy in front asks for it" },
  ],
  examples: [
    "web --app app.ts",
    "web --app app.ts --host 0.0.0.0 --user ada --password-env JOBS_PASSWORD",
  ],
  run: runWeb,
};

function runWeb(args: Arguments, program: string): Promise<number> {
  return disposing((keep) => serveUntilStopped(args, program, keep));
}

async function serveUntilStopped(args: Arguments, program: string, keep: Keep): Promise<number> {
  if (args.words.length > 0) throw new UsageError(`"web" takes options only, but it is given ${show(args.words[0])}`);
  const module = args.requireText("app");
  const address = readAddress(args);
  const login = readLogin(args, address.hostname);
  const hosts = readHosts(args, login !== null);
  const access = args.isSet("read-only") ? "read" : "operate";
  const end = Promise.withResolvers<void>();
  const handlers = {
    stop: () => end.resolve(),
    quiet() {},
    force: (_signal: Signal, code: number) => runtime.exit(code),
  };
  const signals = keep(new WorkerSignals(handlers, { ...selectSignals(runtime.isWindows), quiet: null }));
  const app = await waitUntilAborted(loadApp(module), signals.stop);
  if (app === null) return EXIT.ok;
  try {
    const pages = dashboard(app, {
      authorize: login === null ? () => ({ user: LOCAL_USER, access }) : createBasicAuthorize(login, access),
      ...hosts === undefined ? {} : { hosts },
      command: `${program} skip --app ${quoteForShell(module)}`,
    });
    const server = await listen(address, pages.fetch);
    console.log(`Dashboard on http://${formatAddress({ ...address, port: server.port })}/`);
    await end.promise;
    pages.close();
    // Not otherwise: to abort a server that was shut down is an error in Deno 2.9.6.
    if (!await waitUntilSettled(server.shutdown(), CLOSE_MS)) server.abort();
    return EXIT.ok;
  } finally {
    await app.close(CLOSE_MS);
  }
}

async function listen(address: HealthAddress, fetch: FetchHandler): Promise<HttpServer> {
  try {
    return await serveHttp(address, fetch);
  } catch (cause) {
    throw new CommandError(`Cannot listen on ${formatAddress(address)} for the dashboard`, { cause });
  }
}

function readAddress(args: Arguments): HealthAddress {
  const text = args.getText("port") ?? String(DEFAULT_PORT);
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (port <= 65_535) return { hostname: args.getText("host") ?? DEFAULT_HOST, port };
  throw new UsageError(`Option "--port" must be a port from 0 to 65535, but it is ${show(text)}`);
}

/**
 * Reads the names by which browsers reach the dashboard. A page of another site does not know a password, whatever its own name
 * points to; without one only these names protect from it.
 *
 * @returns `undefined` for the names of this machine
 */
function readHosts(args: Arguments, hasLogin: boolean): readonly string[] | "any" | undefined {
  const host = args.getText("public-host");
  if (host !== undefined) return [host];
  return hasLogin ? "any" : undefined;
}

/** Reads the user and the password. @returns `null` for none */
function readLogin(args: Arguments, hostname: string): { user: string; password: string } | null {
  const user = args.getText("user");
  const variable = args.getText("password-env");
  if ((user === undefined) !== (variable === undefined)) {
    throw new UsageError(`Options "--user" and "--password-env" need each other`);
  }
  if (user === undefined || variable === undefined) {
    if (isLoopbackName(hostname.toLowerCase())) return null;
    if (args.isSet("insecure")) {
      if (args.getText("public-host") !== undefined) return null;
      throw new UsageError(
        `With "--insecure" on ${show(hostname)} any site that a user visits could act on the dashboard: ` +
          "add --public-host with the name by which browsers reach it",
      );
    }
    throw new UsageError(
      `On ${
        show(hostname)
      } every machine of the network can reach the dashboard: add --user and --password-env, or --insecure`,
    );
  }
  if (user.includes(":")) throw new UsageError(`Option "--user" must not have a colon, but it is ${show(user)}`);
  const password = runtime.readEnv(variable) ?? "";
  if (password === "") {
    throw new CommandError(`There is no password: the environment variable ${show(variable)} is not set`);
  }
  return { user, password };
}
