/** Many async calls, a number of them at a time. */

/** Calls an async function for each item, in order, a number of them at a time. */
export async function forEachLimited<T>(
  items: Iterable<T>,
  limit: number,
  fn: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  const takeNext = async (): Promise<void> => {
    for (let next = rest.next(); !next.done; next = rest.next()) await fn(next.value);
  };
  await Promise.all(Array.from({ length: limit }, takeNext));
}
