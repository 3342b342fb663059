/**
 * The dashboard: a `fetch` handler that serves the pages of an App, their data as JSON, and their actions. It uses web
 * standards only, keeps nothing between requests but outcomes that wait for their page, and needs no worker.
 *
 * The life of a request:
 * 1. Its Host is checked, its user found, its origin checked if it changes things (`security.ts`).
 * 2. Its page is found (`router.ts`): at its path, or below `api/` for JSON.
 * 3. GET loads the data within a time limit, and renders it.
 * 4. POST performs one action, emits `operator.acted`, and redirects to a page, which shows the outcome.
 */
import type { App } from "../../app/app.ts";
import { describeError } from "../../errors.ts";
import { respondError } from "./error_page.ts";
import { readForm } from "./form.ts";
import { FORM_ID, UsedForms } from "./form_ids.ts";
import { renderDocument } from "./layout.ts";
import { linksFrom, stripBasePath } from "./links.ts";
import { checkDashboardOptions, type DashboardOptions } from "./options.ts";
import { packOutcome, REMOVE_OUTCOME, unpackOutcome } from "./outcomes.ts";
import {
  type Action,
  type ActionOutcome,
  type Page,
  type PageContext,
  PageError,
  type PageRequest,
  type ShownOutcome,
} from "./page.ts";
import { PAGES } from "./pages/mod.ts";
import { createRedactor, redactSecrets } from "./redact.ts";
import { redirect, respond, respondHtml, respondJson, respondText, withHeaders, withoutBody } from "./responses.ts";
import { type RoutedPage, Router } from "./router.ts";
import { SCRIPT } from "./script.ts";
import {
  checkHost,
  checkOrigin,
  type DashboardUser,
  findRemoteAddress,
  type Refusal,
  type Visitor,
} from "./security.ts";
import { loadPage } from "./slow_page.ts";
import { STYLE } from "./style.ts";
import { runWithin, TimeLimitError } from "./time_limit.ts";

/** A dashboard. */
export interface Dashboard {
  /**
   * Handles a request, as `Deno.serve`, Hono's `mount`, and the servers of Node and Bun call it.
   *
   * @param info the second argument of the server's call: the address of the client is taken from there
   */
  readonly fetch: (request: Request, info?: unknown) => Promise<Response>;
  /** Ends it: further requests get 503. The App stays open. */
  readonly close: () => void;
}

const ASSETS: ReadonlyMap<string, readonly [type: string, text: string]> = new Map([
  ["assets/style.css", ["text/css; charset=utf-8", STYLE]],
  ["assets/script.js", ["text/javascript; charset=utf-8", SCRIPT]],
]);

/**
 * Returns the dashboard of an App. It is closed by default: `authorize` finds the user of each request.
 *
 * @param app the App, which stays open when the dashboard is closed
 * @throws {InvalidConfigurationError} for another value than an App, for a wrong option, or if neither `authorize` nor `publicRead` is set
 * @example
 * ```ts
 * import { activeJobTopic, App } from "@activejob/kafka";
 * import { dashboard } from "@activejob/kafka/web";
 * import { assertEquals } from "@std/assert";
 *
 * await using app = new App({ name: "shop", broker: "memory:", jobs: [], topics: [activeJobTopic("default")] });
 * const jobs = dashboard(app, {
 *   authorize: (request) =>
 *     request.headers.get("x-user") === "ada" ? { user: "ada", access: "operate" } : null,
 * });
 * // Deno.serve(jobs.fetch);
 * const response = await jobs.fetch(new Request("http://localhost/about", { headers: { "x-user": "ada" } }));
 * assertEquals(response.status, 200);
 * assertEquals((await jobs.fetch(new Request("http://localhost/about"))).status, 403);
 * ```
 */
export function dashboard(app: App, options: DashboardOptions): Dashboard {
  checkDashboardOptions(app, options);
  const handler = new DashboardHandler(app, options, PAGES);
  return { fetch: (request, info) => handler.fetch(request, info), close: () => handler.close() };
}

/** Longest name of a user, in characters. */
const MAX_USER_LENGTH = 255;

/** A request that was let through, with its place. */
interface Visit extends Visitor {
  readonly request: Request;
  readonly query: URLSearchParams;
  /** The path of the page, without `api/` and without a slash at its start. */
  readonly path: string;
  /** Whether JSON is wanted. */
  readonly isApi: boolean;
}

/**
 * Handles the requests of one dashboard.
 *
 * @internal
 */
export class DashboardHandler {
  readonly #app: App;
  readonly #options: DashboardOptions;
  readonly #loadTimeoutMs: number;
  readonly #actionTimeoutMs: number;
  readonly #pages: readonly Page[];
  readonly #router: Router;
  readonly #redact: (data: unknown) => unknown;
  readonly #usedForms = new UsedForms();
  #isClosed = false;

  /** @param pages the pages that it serves */
  constructor(app: App, options: DashboardOptions, pages: readonly Page[]) {
    this.#app = app;
    this.#options = options;
    this.#loadTimeoutMs = options.loadTimeoutMs ?? 10_000;
    this.#actionTimeoutMs = options.actionTimeoutMs ?? 30_000;
    this.#pages = pages;
    this.#router = new Router(pages);
    this.#redact = createRedactor(options.redact ?? redactSecrets);
  }

  /** See {@linkcode Dashboard.fetch}. */
  async fetch(request: Request, info: unknown): Promise<Response> {
    const response = await this.#respond(request, info);
    return request.method === "HEAD" ? withoutBody(response) : response;
  }

  /** See {@linkcode Dashboard.close}. */
  close(): void {
    this.#isClosed = true;
  }

  async #respond(request: Request, info: unknown): Promise<Response> {
    const url = URL.parse(request.url);
    if (url === null) return respondText(400, "Bad request");
    if (this.#isClosed) return respondText(503, "The dashboard is closed");
    const admitted = await this.#admit(request, info);
    if (admitted instanceof Response) return admitted;
    const full = stripBasePath(url.pathname, this.#options.basePath);
    const isApi = full.startsWith("api/");
    const path = isApi ? full.slice("api/".length) : full;
    const visit: Visit = { ...admitted, request, query: url.searchParams, path, isApi };
    try {
      return await this.#route(visit);
    } catch (error) {
      return this.#respondError(visit, error);
    }
  }

  /** Lets a request through, or returns the response that ends it. */
  async #admit(request: Request, info: unknown): Promise<Visitor | Response> {
    const { authorize, hosts, publicRead = false } = this.#options;
    const refusal = checkHost(request, hosts, findRemoteAddress(request, info));
    if (refusal !== null) return refuse(refusal);
    try {
      const found = authorize === undefined
        ? null
        : await runWithin(this.#loadTimeoutMs, async () => await authorize(request));
      if (found instanceof Response) return withHeaders(found);
      if (found !== null && !isUser(found)) {
        throw new TypeError(
          'authorize() must return { user: string, access: "read" | "operate" }, a Response, or null: a user has 1 to 255 characters',
        );
      }
      if (found === null && !publicRead) return respondText(403, "Not allowed");
      const foreign = request.method === "POST" ? checkOrigin(request) : null;
      if (foreign !== null) return refuse(foreign);
      return found === null ? { user: null, access: "read" } : { user: found.user, access: found.access };
    } catch (error) {
      this.#app.reportError("authorize of the dashboard", error);
      return respondText(500, "The request cannot be authorized: the log has the error");
    }
  }

  async #route(visit: Visit): Promise<Response> {
    const { path, request: { method }, isApi } = visit;
    if (method === "POST" && visit.access !== "operate") this.#refuseChange(visit);
    const asset = isApi ? undefined : ASSETS.get(path);
    if (asset !== undefined) return isRead(method) ? respond(200, ...asset) : refuseMethod("GET, HEAD");
    const routed = this.#router.find(path);
    if (routed === null) throw new PageError(404, "There is no such page");
    const canPost = !isApi && routed.page.actions !== undefined;
    if (isRead(method)) return await this.#show(visit, routed);
    if (method === "POST" && canPost) return await this.#act(visit, routed);
    return refuseMethod(canPost ? "GET, HEAD, POST" : "GET, HEAD");
  }

  /** A reader may not change anything, whatever the path is. */
  #refuseChange({ user, path }: Visit): never {
    const message = "You may look, but not change things";
    this.#app.reportAction({ user, path: `/${path}`, action: null, outcome: "refused", target: null, message });
    throw new PageError(403, message);
  }

  async #show(visit: Visit, { page, params }: RoutedPage): Promise<Response> {
    const data = await loadPage(
      this.#app,
      this.#loadTimeoutMs,
      (signal) => page.load(this.#app, this.#pageRequest(visit, params, signal)),
    );
    if (visit.isApi) return respondJson(200, data);
    const outcome = unpackOutcome(visit.request.headers.get("cookie"), visit.query.get("outcome"), visit.user);
    const context = this.#context(visit, outcome);
    const content = page.render(data, context);
    const html = renderDocument({ title: page.title(data), content, pages: this.#pages, context });
    return respondHtml(200, html, outcome === null ? {} : { "set-cookie": REMOVE_OUTCOME });
  }

  async #act(visit: Visit, { page, params }: RoutedPage): Promise<Response> {
    const form = await readForm(visit.request);
    const name = form.get("action");
    const action = page.actions!.find((action) => action.name === name);
    if (action === undefined) throw new PageError(400, "There is no such action");
    const user = visit.user!;
    const { redirectTo = visit.path, ...acted } = await this.#perform(visit, action, params, form, user);
    this.#app.reportAction({ user, path: `/${visit.path}`, action: action.name, ...acted });
    const { id, setCookie } = packOutcome(user, acted);
    return redirect(linksFrom(visit.path, this.#options.basePath)(redirectTo, { outcome: id }), setCookie);
  }

  async #perform(
    visit: Visit,
    action: Action,
    params: Readonly<Record<string, string>>,
    form: URLSearchParams,
    user: string,
  ): Promise<ActionOutcome & { readonly redirectTo?: string }> {
    const { failedRedirectTo: redirectTo = visit.path } = action;
    if (!this.#usedForms.add(form.get(FORM_ID))) {
      const message = "This form was sent before: nothing was done a second time";
      return { outcome: "refused", target: "a form that was sent before", message, redirectTo };
    }
    try {
      return await runWithin(
        this.#actionTimeoutMs,
        (signal) => action.perform(this.#app, { ...this.#pageRequest(visit, params, signal), form, user }),
      );
    } catch (error) {
      const message = error instanceof TimeLimitError
        ? `The broker did not respond within ${error.limitMs} ms: it may be done, in part or later`
        : describeError(error).message;
      return { outcome: "failed", target: visit.path, message, redirectTo };
    }
  }

  #pageRequest(visit: Visit, params: Readonly<Record<string, string>>, signal: AbortSignal): PageRequest {
    const { command } = this.#options;
    const request = { params, query: visit.query, access: visit.access, signal, redact: this.#redact };
    return command === undefined ? request : { ...request, command };
  }

  #context({ user, access, path, query }: Visit, outcome: ShownOutcome | null): PageContext {
    const url = linksFrom(path, this.#options.basePath);
    return { access, user, appName: this.#app.name, path, query, nowMs: Date.now(), outcome, url };
  }

  #respondError(visit: Visit, error: unknown): Response {
    const context = this.#context(visit, null);
    return respondError(error, {
      isApi: visit.isApi,
      pages: this.#pages,
      context,
      brokerName: this.#app.brokerName,
      report: (error) => this.#app.reportError(`page /${visit.path} of the dashboard`, error),
    });
  }
}

/** Whether `authorize` has returned a user. Markers and orders have no longer name. */
function isUser(value: DashboardUser | undefined): boolean {
  const { user, access } = value ?? {};
  return typeof user === "string" && user !== "" && user.length <= MAX_USER_LENGTH &&
    (access === "read" || access === "operate");
}

function isRead(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

function refuse({ status, reason }: Refusal): Response {
  return respondText(status, reason);
}

function refuseMethod(allow: string): Response {
  return respondText(405, `Only ${allow}`, { allow });
}
