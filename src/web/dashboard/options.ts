/** The options of a dashboard. */
import type { App } from "../../app/app.ts";
import { InvalidConfigurationError } from "../../errors.ts";
import { boolean, type Check, checkOptions, nonEmptyString, show, timeLimit } from "../../support/validation.ts";
import type { Redact } from "./redact.ts";
import type { Authorize } from "./security.ts";

/** Options of {@linkcode dashboard}. */
export interface DashboardOptions {
  /**
   * Finds the user of a request, from its session, its headers, or a proxy in front. It is called for every request, before
   * anything else of the request counts. It may return `null` for a request that is not allowed, or a response of its own,
   * such as a redirect to a page for signing in. If it throws, the response is 500, and the error is logged.
   *
   * @default none; required without `publicRead`
   */
  readonly authorize?: Authorize;
  /** Whether every client may look at the pages, without changing things. @default false */
  readonly publicRead?: boolean;
  /**
   * Decides about each member of arguments, attributes and headers before they are shown; returns the value to show.
   *
   * @default leaves out the values of keys such as `password`, `apiKey` and `token`, also in a `Map`
   */
  readonly redact?: Redact;
  /**
   * The path at which the dashboard is mounted, such as `"/jobs"`, `""` for the root. Links are absolute then.
   *
   * @default links are relative, and the first page has a slash at the end of its URL
   */
  readonly basePath?: string;
  /**
   * The names by which browsers reach the dashboard (`"jobs.example.com"`, also with a port); `"any"` for no check.
   *
   * @default a client on this machine must use a name of this machine, such as `localhost`
   */
  readonly hosts?: readonly string[] | "any";
  /**
   * The command that skips a record, as pages show it: the position follows.
   *
   * @default "deno run -A jsr:@activejob/kafka/cli skip --app app.ts"
   */
  readonly command?: string;
  /** The longest time of loading a page, in milliseconds. @default 10000 */
  readonly loadTimeoutMs?: number;
  /** The longest time of an action, in milliseconds. @default 30000 */
  readonly actionTimeoutMs?: number;
}

const isFunction: Check = (value) => typeof value === "function" ? null : "a function";
const isBasePath: Check = (value) =>
  typeof value === "string" && /^(?:\/[\w.~-]+)*$/.test(value) ? null : `a path such as "/jobs", or ""`;
const isHosts: Check = (value) =>
  value === "any" || (Array.isArray(value) && value.every((host) => typeof host === "string" && host !== ""))
    ? null
    : `a list of host names, or "any"`;

/**
 * Checks the arguments of `dashboard()`.
 *
 * @throws {InvalidConfigurationError} for a wrong App or option, or if neither `authorize` nor `publicRead` is set
 */
export function checkDashboardOptions(app: App, options: DashboardOptions): void {
  // Not isApp(), which would load the module of the App.
  if (typeof (app as Partial<App> | null | undefined)?.reportError !== "function") {
    throw new InvalidConfigurationError(`dashboard() needs an App, but it is given ${show(app)}`);
  }
  checkOptions<DashboardOptions>("dashboard()", options, {
    authorize: isFunction,
    publicRead: boolean,
    redact: isFunction,
    basePath: isBasePath,
    hosts: isHosts,
    command: nonEmptyString,
    loadTimeoutMs: timeLimit,
    actionTimeoutMs: timeLimit,
  });
  if (options.authorize === undefined && options.publicRead !== true) {
    throw new InvalidConfigurationError(
      'dashboard() needs the option "authorize", which finds the user of a request; "publicRead: true" lets every client look',
    );
  }
}
