/** Base64. `Uint8Array` has functions for it in Deno and Bun; Node has them from version 25. */
import { nodeBuiltin } from "./node_builtin.ts";

const isBuiltIn = "fromBase64" in Uint8Array;

/** Encodes bytes. */
export function encodeBase64(bytes: Uint8Array): string {
  return isBuiltIn ? bytes.toBase64() : nodeBuiltin("node:buffer").Buffer.from(bytes).toString("base64");
}

/**
 * Decodes Base64; white space is ignored.
 *
 * @throws {Error} if the string is not Base64
 */
export function decodeBase64(text: string): Uint8Array {
  return isBuiltIn ? Uint8Array.fromBase64(text) : Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
