/** The responses of the dashboard. Each has the same headers: nothing is loaded from elsewhere, framed, guessed or stored. */
import type { Html } from "./html.ts";

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join("; ");

const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};

/** Responds with text of a content type. */
export function respond(status: number, type: string, body: string, headers: Record<string, string> = {}): Response {
  const bytes = new TextEncoder().encode(body);
  return new Response(bytes, {
    status,
    headers: { "content-type": type, "content-length": String(bytes.length), ...HEADERS, ...headers },
  });
}

/** Responds with a document. */
export function respondHtml(status: number, { text }: Html, headers?: Record<string, string>): Response {
  return respond(status, "text/html; charset=utf-8", `<!doctype html>\n${text}`, headers);
}

/** Responds with data. A `bigint` becomes a string. */
export function respondJson(status: number, data: unknown, headers?: Record<string, string>): Response {
  const text = JSON.stringify(data, (_key, value) => typeof value === "bigint" ? String(value) : value);
  return respond(status, "application/json; charset=utf-8", `${text}\n`, headers);
}

/** Responds with one line of plain text. */
export function respondText(status: number, line: string, headers?: Record<string, string>): Response {
  return respond(status, "text/plain; charset=utf-8", `${line}\n`, headers);
}

/** Redirects to a page after a POST, with a cookie. */
export function redirect(to: string, setCookie: string): Response {
  return new Response(null, { status: 303, headers: { ...HEADERS, location: to, "set-cookie": setCookie } });
}

/** Adds the headers to a response of the user's own, such as a redirect to a page for signing in. */
export function withHeaders(response: Response): Response {
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(HEADERS)) if (!headers.has(name)) headers.set(name, value);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

/** Removes the body, for HEAD. */
export function withoutBody(response: Response): Response {
  return new Response(null, { status: response.status, headers: response.headers });
}
