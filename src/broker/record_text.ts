/** Keys and values of records as strings, whatever a broker has at hand. Pure. */

const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Returns a key or a value as a string: a byte that is not UTF-8 becomes U+FFFD. */
export function textOf<T extends Uint8Array | string | null>(data: T): T extends null ? null : string;
export function textOf(data: Uint8Array | string | null): string | null {
  return data === null || typeof data === "string" ? data : lenient.decode(data);
}

/**
 * Returns a key or a value as a string; `null` for none, for bytes that are not UTF-8, and for one that is too long.
 *
 * @param maxLength in bytes, or in UTF-16 units of a string
 */
export function strictTextOf(data: Uint8Array | string | null, maxLength: number): string | null {
  if (data === null || data.length > maxLength) return null;
  try {
    return typeof data === "string" ? data : strict.decode(data);
  } catch {
    return null;
  }
}
