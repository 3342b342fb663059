/**
 * URLs of the dashboard's own pages, wherever it is mounted. Without `basePath` they are relative to the page (`../topics`),
 * so that they are right behind a proxy or a router that strips a prefix. The first page is then at `/jobs/`, with the slash:
 * a router that strips `/jobs` hides whether there was one, and relative links of `/jobs` would go astray. With `basePath`
 * they are absolute, and both work.
 */
import type { Position } from "../../support/position.ts";

/** The URL of a page. */
export type UrlOf = (path: string, query?: Readonly<Record<string, string | number | null | undefined>>) => string;

/**
 * Returns the function that makes the links of one page.
 *
 * @param path the path of the page, without a slash at its start
 * @param basePath such as `"/jobs"`, `""` for the root; `undefined` for relative links
 */
export function linksFrom(path: string, basePath: string | undefined): UrlOf {
  const depth = path.split("/").length - 1;
  const start = basePath !== undefined ? `${basePath}/` : depth === 0 ? "./" : "../".repeat(depth);
  return (to, query = {}) => {
    let url = `${start}${to}`;
    let mark = "?";
    for (const name in query) {
      const value = query[name];
      if (value === undefined || value === null) continue;
      url += `${mark}${encode(name)}=${encode(String(value))}`;
      mark = "&";
    }
    return url;
  };
}

/** Encodes a part of a query. `URLSearchParams` would take half of the time of a page with many links. */
function encode(text: string): string {
  return /^[\w.~-]*$/.test(text) ? text : encodeURIComponent(text.toWellFormed());
}

/**
 * Takes the base path off the path of a URL. A router such as Hono's has done so already.
 *
 * @returns the path without a slash at its start
 */
export function stripBasePath(pathname: string, basePath: string | undefined): string {
  const isBelow = basePath !== undefined && basePath !== "" &&
    (pathname === basePath || pathname.startsWith(`${basePath}/`));
  return (isBelow ? pathname.slice(basePath.length) : pathname).replace(/^\//, "");
}

/** Returns the path of the page of a topic. */
export function topicPath(queue: string): string {
  return `topics/${encodeURIComponent(queue)}`;
}

/** Returns the path of the page of a topic's records. */
export function recordsPath(queue: string): string {
  return `${topicPath(queue)}/records`;
}

/** Returns the path of the page of a record. */
export function recordPath(queue: string, { partition, offset }: Omit<Position, "topic">): string {
  return `${recordsPath(queue)}/${partition}@${offset}`;
}

/** Returns the path of the page of a dead letter. */
export function letterPath({ topic, partition, offset }: Position): string {
  return `dead_letters/${encodeURIComponent(topic)}/${partition}@${offset}`;
}

/** Returns the path of the page of a worker. */
export function workerPath(id: string): string {
  return `workers/${encodeURIComponent(id)}`;
}
