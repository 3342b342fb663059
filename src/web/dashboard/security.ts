/**
 * The checks of a request. The dashboard makes them in this order, before anything else of the request counts:
 *
 * 1. The Host must be an allowed one. Without `hosts` this concerns clients on this machine: a page of another site may
 *    let its name point to 127.0.0.1 (DNS rebinding), and would then be of the same origin.
 * 2. `authorize` names the user and the access; without a user only `publicRead` lets a request read.
 * 3. A POST must come from a page of the same origin, and its user must have the access "operate".
 */
import type { Access } from "./page.ts";

/** A user of the dashboard. */
export interface DashboardUser {
  /** The name, for events and markers: 1 to 255 characters. */
  readonly user: string;
  /** The rights: to look, or also to change things. */
  readonly access: Access;
}

/** Finds the user of a request. See {@linkcode DashboardOptions.authorize}. */
export type Authorize = (
  request: Request,
) => DashboardUser | Response | null | Promise<DashboardUser | Response | null>;

/** A user, or a reader that is not signed in. */
export interface Visitor {
  readonly user: string | null;
  readonly access: Access;
}

/** A request that is not handled, and why. */
export interface Refusal {
  readonly status: number;
  readonly reason: string;
}

/**
 * Checks the Host of a request.
 *
 * @param hosts the allowed names, or names with a port; `"any"` for no check; `undefined` for the names of this machine where
 * the client is on this machine
 * @param remoteAddress the address of the client, if the server passes it
 * @returns the refusal; `null` if the Host is allowed
 */
export function checkHost(
  request: Request,
  hosts: readonly string[] | "any" | undefined,
  remoteAddress: string | null,
): Refusal | null {
  if (hosts === "any") return null;
  const host = hostOf(request);
  const name = URL.parse(`http://${host}/`)?.hostname ?? "";
  const isAllowed = hosts === undefined
    ? remoteAddress === null || !isLoopbackAddress(remoteAddress) || isLoopbackName(name)
    : hosts.some((allowed) => allowed.toLowerCase() === host || allowed.toLowerCase() === name);
  if (isAllowed) return null;
  return {
    status: 403,
    reason: `The Host of this request is not allowed: add it to the option "hosts" of the dashboard`,
  };
}

/**
 * Checks that a request that changes things comes from a page of the same origin. A browser sets `Sec-Fetch-Site` on https and
 * on this machine, and `Origin` for every POST; a page cannot change them.
 */
export function checkOrigin(request: Request): Refusal | null {
  const site = request.headers.get("sec-fetch-site");
  if (site !== null) {
    return site === "same-origin" || site === "none" ? null : { status: 403, reason: "The form is from another site" };
  }
  const origin = request.headers.get("origin");
  if (origin === null) return { status: 403, reason: "The request has neither Sec-Fetch-Site nor Origin" };
  const host = URL.parse(`http://${hostOf(request)}/`)?.host;
  return host !== undefined && URL.parse(origin)?.host === host
    ? null
    : { status: 403, reason: "The form is from another origin" };
}

/** Returns the Host of a request in lower case, with its port if it has one; `""` for anything that is not a host. */
function hostOf(request: Request): string {
  const host = (request.headers.get("host") ?? URL.parse(request.url)?.host ?? "").toLowerCase();
  return /[\s/?#@\\]/.test(host) ? "" : host;
}

/** Whether an address is one of this machine. IPv4 may be written as IPv6. */
function isLoopbackAddress(address: string): boolean {
  return /^(?:::ffff:)?127\.\d+\.\d+\.\d+$|^\[?::1\]?$/i.test(address);
}

/** Whether a name always means this machine. */
export function isLoopbackName(name: string): boolean {
  return name === "localhost" || name.endsWith(".localhost") || isLoopbackAddress(name);
}

/**
 * Finds the address of the client in the second argument that a server passes to `fetch`: `Deno.serve`, Hono on it, Node's
 * adapter of Hono, and Bun pass different objects.
 *
 * @returns `null` if the server does not pass it
 */
export function findRemoteAddress(request: Request, info: unknown): string | null {
  if (typeof info !== "object" || info === null) return null;
  const { remoteAddr, incoming, requestIP } = info as {
    readonly remoteAddr?: { readonly hostname?: unknown };
    readonly incoming?: { readonly socket?: { readonly remoteAddress?: unknown } };
    readonly requestIP?: unknown;
  };
  const address = typeof requestIP === "function"
    ? requestIP.call(info, request)?.address
    : remoteAddr?.hostname ?? incoming?.socket?.remoteAddress;
  return typeof address === "string" ? address : null;
}
