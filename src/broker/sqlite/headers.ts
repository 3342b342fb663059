/**
 * Headers in a column: a JSON array of `[name, value]`, in which each byte of a value is one character, so that any bytes
 * come back as they were.
 */
import { Buffer } from "node:buffer";
import { allocateBytes } from "../../support/small_bytes.ts";
import type { Headers } from "../broker.ts";

/** Most records have none and share this. */
const NO_HEADERS: Headers = Object.freeze([]);

/** @returns the stored form, `null` for no headers */
export function writeHeaders(headers: Headers): string | null {
  if (headers.length === 0) return null;
  return JSON.stringify(headers.map(([name, value]) => [name, value && latin1Of(value)]));
}

/** Reads the stored form. @returns `undefined` if it is not what {@linkcode writeHeaders} writes */
export function readHeaders(stored: unknown): Headers | undefined {
  if (stored === null) return NO_HEADERS;
  if (typeof stored !== "string") return undefined;
  let pairs: unknown;
  try {
    pairs = JSON.parse(stored);
  } catch {
    return undefined;
  }
  if (!Array.isArray(pairs)) return undefined;
  const headers: [name: string, value: Uint8Array | null][] = [];
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== "string") return undefined;
    const value = pair[1] === null ? null : bytesOf(pair[1]);
    if (value === undefined) return undefined;
    headers.push([pair[0], value]);
  }
  return headers;
}

/**
 * Returns the bytes of a stored value; `undefined` if it is not one. In a loop: `Buffer.from(value, "latin1")` takes five
 * times as long for the short values that headers have.
 */
function bytesOf(value: unknown): Uint8Array | undefined {
  if (typeof value !== "string") return undefined;
  const bytes = allocateBytes(value.length);
  for (let index = 0; index < bytes.length; index++) {
    const byte = value.charCodeAt(index);
    if (byte > 0xff) return undefined;
    bytes[index] = byte;
  }
  return bytes;
}

function latin1Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
