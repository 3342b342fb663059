/**
 * A fault of kafkajs' record decoder, mended: for each header it copies all that were before, so that one record with 10,000
 * of them blocks the event loop for ten seconds, and with it every heartbeat. It also begins with a plain object, in
 * which `constructor` is there before any header is, and in which `__proto__` can never be one.
 */

/** What is mended of kafkajs' decoder: headers are all that it reads with this. */
export interface HeaderDecoder {
  [MENDED]?: true;
  readVarIntArray(reader: (decoder: HeaderDecoder) => DecodedHeader): DecodedHeaders;
}

/** A header as kafkajs reads it. */
export interface DecodedHeader {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** The list of them, as far as it matters: kafkajs calls its `reduce`. */
interface DecodedHeaders extends Iterable<DecodedHeader> {
  readonly length: number;
  reduce: () => unknown;
}

const MENDED: unique symbol = Symbol.for("@activejob/kafka:header-decoder") as never;

/**
 * Mends it.
 *
 * @param decoder the prototype of kafkajs' `Decoder`
 */
export function mendHeaderDecoder(decoder: HeaderDecoder): void {
  // Two copies of this library may share one copy of kafkajs.
  if (decoder[MENDED]) return;
  decoder[MENDED] = true;
  const read = decoder.readVarIntArray;
  decoder.readVarIntArray = function (reader) {
    const headers = read.call(this, reader);
    // The record decoder reduces the list to an object: that is where it copies.
    if (headers.length > 0) headers.reduce = () => byName(headers);
    return headers;
  };
}

/** The object that kafkajs would make of them: values by name, a list where a name repeats. */
function byName(headers: Iterable<DecodedHeader>): Record<string, Uint8Array | null | (Uint8Array | null)[]> {
  const values = new Map<string, Uint8Array | null | (Uint8Array | null)[]>();
  for (const { key, value } of headers) {
    const before = values.get(key);
    if (before === undefined) values.set(key, value);
    else if (Array.isArray(before)) before.push(value);
    else values.set(key, [before, value]);
  }
  return Object.fromEntries(values);
}
