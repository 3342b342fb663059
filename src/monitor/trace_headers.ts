/**
 * Passes a trace from process to process in a record's headers. Headers that come in are untrusted: a malformed
 * `traceparent`, and any header that is too long or not UTF-8, is absent.
 */

/** The headers of a record, as brokers have them. */
export type Headers = readonly (readonly [name: string, value: Uint8Array | null])[];

/** The longest header that is read, in bytes: what W3C allows for `baggage`, the longest of them. */
const MAX_BYTES = 8192;

const encoder = new TextEncoder();
/** Throws a TypeError for bytes that are not UTF-8. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Writes headers for OpenTelemetry. */
export const OUTGOING = {
  set(headers: [string, Uint8Array][], name: string, value: string): void {
    headers.push([name, encoder.encode(value)]);
  },
};

/** Reads headers for OpenTelemetry; of several with one name the last one counts. */
export const INCOMING = {
  get(headers: Headers, name: string): string | undefined {
    const bytes = headers.findLast((header) => header[0] === name)?.[1];
    if (!bytes || bytes.length > MAX_BYTES) return undefined;
    let text: string;
    try {
      text = decoder.decode(bytes);
    } catch {
      return undefined;
    }
    return name === "traceparent" && !isTraceparent(text) ? undefined : text;
  },
  keys: (headers: Headers): string[] => headers.map(([name]) => name),
};

/**
 * The header that continues a trace in another process (W3C Trace Context):
 *
 *     00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
 *     version, trace id, span id, flags
 */
const TRACEPARENT = /^(?!ff)([\da-f]{2})-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(-[\x21-\x7e]*)?$/;

/** The longest `traceparent` that is accepted: a later version may have more fields, but not so many. */
const MAX_TRACEPARENT = 512;

/**
 * Returns whether a string is a `traceparent`. Version 00 has exactly these four fields; a later one may have more. Ids of
 * zeros, the version ff and upper case are refused.
 */
export function isTraceparent(text: string): boolean {
  if (text.length > MAX_TRACEPARENT) return false;
  const found = TRACEPARENT.exec(text);
  return found !== null && (found[1] !== "00" || found[2] === undefined);
}
