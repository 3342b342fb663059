/** Finds the page of a path. A pattern such as `topics/:topic` names the parts that vary. */
import type { Page } from "./page.ts";

/** A page with the parts of the path that vary. */
export interface RoutedPage {
  /** The page. */
  readonly page: Page;
  /** The parts of the path that its pattern names, decoded. */
  readonly params: Readonly<Record<string, string>>;
}

/** Matches paths with the patterns of pages. */
export class Router {
  readonly #routes: readonly (readonly [parts: readonly string[], page: Page])[];

  /** @param pages of two patterns that match the same path the first one counts */
  constructor(pages: readonly Page[]) {
    this.#routes = pages.map((page) => [page.path.split("/"), page]);
  }

  /**
   * Finds a page.
   *
   * @param path the encoded path without a slash at its start
   * @returns `null` if there is none
   */
  find(path: string): RoutedPage | null {
    const parts = path.split("/");
    for (const [pattern, page] of this.#routes) {
      const params = match(pattern, parts);
      if (params !== null) return { page, params };
    }
    return null;
  }
}

function match(pattern: readonly string[], parts: readonly string[]): Record<string, string> | null {
  if (pattern.length !== parts.length) return null;
  const params: Record<string, string> = {};
  for (const [at, expected] of pattern.entries()) {
    const part = parts[at]!;
    if (!expected.startsWith(":")) {
      if (part !== expected) return null;
    } else {
      const decoded = decode(part);
      if (decoded === null || decoded === "") return null;
      params[expected.slice(1)] = decoded;
    }
  }
  return params;
}

function decode(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}
