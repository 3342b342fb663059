/**
 * Keys and values in a column: bytes as bytes, and a text as a text, since to exchange one with SQLite costs half as much.
 */

const encoder = new TextEncoder();

/** @returns what is stored */
export function writeData(data: Uint8Array | string | null): Uint8Array | string | null {
  // Reading would end a text at its first NUL.
  return typeof data === "string" && data.includes("\0") ? encoder.encode(data) : data;
}
