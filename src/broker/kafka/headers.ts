/**
 * Headers between the list of the broker interface and kafkajs' object. The object loses the order between different names, and its decoder
 * starts from a plain object, in which `constructor` is there before any header is. Pure functions.
 */
import { Buffer } from "node:buffer";
import type { IHeaders } from "./kafkajs.ts";
import type { Headers } from "../broker.ts";
import { NO_HEADERS } from "../record.ts";

/**
 * Reads what kafkajs decoded.
 *
 * @returns the headers; those of one name in their order, wherever that name came first
 */
export function headersFrom(decoded: IHeaders | undefined): Headers {
  for (const _ in decoded) return listOf(decoded);
  return NO_HEADERS;
}

function listOf(decoded: IHeaders): Headers {
  const list: [string, Uint8Array | null][] = [];
  for (const [name, value] of Object.entries(decoded)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      // What is neither was never a header: it is what a plain object answers for names such as "constructor".
      if (one === null || one instanceof Uint8Array) list.push([name, one]);
    }
  }
  return list;
}

/**
 * Writes headers for kafkajs' encoder.
 *
 * @returns `undefined` for none
 */
export function headersFor(headers: Headers | undefined): IHeaders | undefined {
  if (headers === undefined || headers.length === 0) return undefined;
  const values = new Map<string, (Buffer | null)[]>();
  for (const [name, value] of headers) {
    const list = values.get(name);
    if (list === undefined) values.set(name, [value && asBuffer(value)]);
    else list.push(value && asBuffer(value));
  }
  // Without a prototype: a header may be called "__proto__".
  const object = Object.create(null) as IHeaders;
  for (const [name, list] of values) {
    object[name] = (list.includes(null) ? new NullableValues(...list) : list) as Buffer[];
  }
  return object;
}

/** The same bytes as the Buffer that kafkajs wants. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Values of which some are null. kafkajs' encoder can write a null, but measures it first with a function that throws for
 * one; it maps over the list to make `{ key, value }` of each, so that here such an entry can say that it is empty when it
 * is measured.
 */
class NullableValues extends Array<Buffer | null> {
  override map<T>(make: (value: Buffer | null, index: number, list: (Buffer | null)[]) => T): T[] {
    return Array.from(this, (value, index) => {
      const entry = make(value, index, this);
      return value === null ? Object.defineProperty(entry as object, "value", nullAfterMeasuring()) as T : entry;
    });
  }
}

function nullAfterMeasuring(): PropertyDescriptor {
  let measured = false;
  return {
    get() {
      if (measured) return null;
      measured = true;
      return EMPTY;
    },
  };
}

const EMPTY = Buffer.alloc(0);
