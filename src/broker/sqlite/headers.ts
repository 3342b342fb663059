/**
 * Headers in a column: a JSON array of `[name, value]`, in which each byte of a value is one character, so that any bytes
 * come back as they were.
 */
import { Buffer } from "node:buffer";
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
  if (!Array.isArray(pairs) || !pairs.every(isPair)) return undefined;
  return pairs.map(([name, value]) => [name, value === null ? null : new Uint8Array(Buffer.from(value, "latin1"))]);
}

/** Anything else is refused: `Buffer.from()` would allocate what an object such as `{ length: 1e9 }` asks for. */
function isPair(pair: unknown): pair is readonly [name: string, value: string | null] {
  if (!Array.isArray(pair) || pair.length !== 2) return false;
  const [name, value] = pair;
  return typeof name === "string" && (value === null || (typeof value === "string" && isLatin1(value)));
}

function isLatin1(text: string): boolean {
  return /^[\0-\xff]*$/.test(text);
}

function latin1Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
