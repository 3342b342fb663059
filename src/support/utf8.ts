/**
 * UTF-8 without `node:buffer`, whose import costs a program that only enqueues a third of its start. As fast as
 * `Buffer.byteLength` for a value of some hundred bytes [measured: 158 and 154 ns at 300].
 */
const encoder = new TextEncoder();
/** Longer strings than a third of this are encoded into memory of their own. */
const scratch = new Uint8Array(16_384);

/**
 * Returns the size of a string in UTF-8.
 *
 * @returns bytes; a lone surrogate counts 3, as U+FFFD, which takes its place
 */
export function utf8Length(text: string): number {
  if (text.length * 3 > scratch.length) return encoder.encode(text).length;
  return encoder.encodeInto(text, scratch).written;
}
