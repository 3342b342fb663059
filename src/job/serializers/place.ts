/** Places of values inside of others: the path in a message, and the pointer in an envelope. */

/** The place of a value: a key inside an outer value. The outermost place is the name of the whole. */
export interface Place {
  readonly outer: Place | null;
  readonly key: string | number;
}

/** Returns for example `arguments[0].user.at`. */
export function pathOf(place: Place): string {
  if (place.outer === null) return String(place.key);
  return `${pathOf(place.outer)}${typeof place.key === "number" ? `[${place.key}]` : `.${place.key}`}`;
}

/** Returns for example `/arguments/0/user/at`: a JSON pointer (RFC 6901). */
export function pointerOf(place: Place): string {
  const key = String(place.key).replaceAll("~", "~0").replaceAll("/", "~1");
  return `${place.outer === null ? "" : pointerOf(place.outer)}/${key}`;
}

/**
 * Replaces the values at some places. The pointers come from a record, so they are not trusted: an entry is own, and it is
 * replaced only if its value is one that `replace` takes.
 *
 * @param root the parsed envelope; changed in place
 * @param pointers JSON pointers into its fields, never to a field itself
 * @param replace returns the new value, or the same one
 */
export function replaceAt(
  root: Record<string, unknown>,
  pointers: unknown,
  replace: (value: unknown) => unknown,
): void {
  if (!Array.isArray(pointers)) return;
  for (const pointer of pointers) if (typeof pointer === "string") replaceOne(root, pointer, replace);
}

function replaceOne(root: Record<string, unknown>, pointer: string, replace: (value: unknown) => unknown): void {
  const keys = pointer.split("/").slice(1).map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = keys.pop();
  let holder: unknown = root;
  for (const key of keys) holder = ownEntry(holder, key);
  if (last === undefined || holder === root) return;
  const value = ownEntry(holder, last);
  const replaced = replace(value);
  if (replaced !== value) (holder as Record<string, unknown>)[last] = replaced;
}

/** Never an inherited entry, and not the length of an array. */
function ownEntry(holder: unknown, key: string): unknown {
  if (typeof holder !== "object" || holder === null || !Object.hasOwn(holder, key)) return undefined;
  return Array.isArray(holder) && key === "length" ? undefined : (holder as Record<string, unknown>)[key];
}
