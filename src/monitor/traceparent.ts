/**
 * Checks `traceparent`, the header that continues a trace in another process (W3C Trace Context). It is untrusted:
 *
 *     00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
 *     version, trace id, span id, flags
 */
const TRACEPARENT = /^(?!ff)([\da-f]{2})-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(-[\x21-\x7e]*)?$/;

/** The longest header that is accepted: a later version may have more fields, but not so many. */
const MAX_LENGTH = 512;

/**
 * Returns whether a string is a `traceparent`. Version 00 has exactly these four fields; a later one may have more. Ids of
 * zeros, the version ff and upper case are refused.
 */
export function isTraceparent(text: string): boolean {
  if (text.length > MAX_LENGTH) return false;
  const found = TRACEPARENT.exec(text);
  return found !== null && (found[1] !== "00" || found[2] === undefined);
}
