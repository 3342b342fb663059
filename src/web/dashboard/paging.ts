/** Parts of a long list that is in memory: the query names the page, from 1. Pure. */
import { formatCount } from "./format.ts";
import type { Html } from "./html.ts";
import { renderPager } from "./parts.ts";

/** One part of a list. */
export interface ListPage<T> {
  /** The items of this part. */
  readonly items: readonly T[];
  /** The links to the parts beside it; `false` if there is only one part. */
  readonly pager: Html | false;
}

/**
 * Returns the part of a list that a query names. A number beyond the end means the last part, and anything else the first one.
 *
 * @param name the name of the links, such as `"Pages of topics"`
 * @param urlOf returns the URL of a part: `null` for the first one
 */
export function pageOf<T>(
  name: string,
  all: readonly T[],
  size: number,
  query: URLSearchParams,
  urlOf: (page: number | null) => string,
): ListPage<T> {
  const last = Math.max(1, Math.ceil(all.length / size));
  const wanted = query.get("page") ?? "";
  const page = /^[1-9]\d{0,5}$/.test(wanted) ? Math.min(last, Number(wanted)) : 1;
  const from = (page - 1) * size;
  const items = all.slice(from, from + size);
  const pager = last > 1 && renderPager(name, {
    previous: page === 1 ? null : urlOf(page === 2 ? null : page - 1),
    next: page === last ? null : urlOf(page + 1),
    note: `${formatCount(from + 1)}–${formatCount(from + items.length)} of ${formatCount(all.length)}`,
  });
  return { items, pager };
}
