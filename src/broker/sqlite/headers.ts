/**
 * Headers in a column: JSON, in which each byte of a value is one character, so that any bytes come back as they were.
 */
import { Buffer } from "node:buffer";
import type { Headers } from "../broker.ts";

/** Most records have none: they share this one. */
const NONE: Headers = Object.freeze([]);

/** @returns what is stored, `null` for no headers */
export function writeHeaders(headers: Headers): string | null {
  if (headers.length === 0) return null;
  return JSON.stringify(headers.map(([name, value]) => [name, value && textOf(value)]));
}

/** Reads what {@linkcode writeHeaders} wrote. */
export function readHeaders(stored: string | null): Headers {
  if (stored === null) return NONE;
  return (JSON.parse(stored) as [string, string | null][]).map((
    [name, text],
  ) => [name, text === null ? null : bytesOf(text)]);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}
