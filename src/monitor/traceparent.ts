/**
 * `traceparent`, the header by which a trace goes on in another process (W3C Trace Context), as it comes in from outside:
 *
 *     00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
 *     version, trace id, span id, flags
 */
const TRACEPARENT = /^(?!ff)([\da-f]{2})-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(-[\x21-\x7e]*)?$/;

/** A later version may say more behind the flags, but no header is as long as this. */
const MAX_LENGTH = 512;

/**
 * Whether a text is one. Version 00 has these four fields and no more; a later one may have others behind them. Ids of
 * zeros, the version ff and upper case are refused.
 */
export function isTraceparent(text: string): boolean {
  if (text.length > MAX_LENGTH) return false;
  const found = TRACEPARENT.exec(text);
  return found !== null && (found[1] !== "00" || found[2] === undefined);
}
