/**
 * Decodes short parts of the same bytes to strings, in rising order.
 *
 * A call into the runtime takes longer than all else that is done for a small record, so one call decodes the parts of a
 * few records, as Latin-1, of which ASCII is a part. Parts that are not ASCII are decoded as UTF-8, each for itself.
 */
import { type Buffer, isUtf8 } from "node:buffer";

/**
 * Bytes that are decoded at once. A string that is cut out of another one keeps all of it alive, so it is small: no record
 * that waits holds more than this beside its own data. More is not faster (measured from 1 KiB to 64 KiB).
 */
const WINDOW_BYTES = 2048;

/** A byte order mark stays, since data is kept byte for byte. */
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** See the module. */
export class TextWindow {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  #text = "";
  #start = 0;
  #end = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** @returns the string of which these bytes are the UTF-8; a copy of the bytes where there is none */
  read(from: number, to: number): string | Uint8Array {
    if (!this.#isAscii(from, to)) return this.#readUtf8(from, to);
    if (to - from > WINDOW_BYTES) return this.#bytes.toString("latin1", from, to);
    if (to > this.#end || from < this.#start) {
      this.#start = from;
      this.#end = Math.min(from + WINDOW_BYTES, this.#bytes.length);
      this.#text = this.#bytes.toString("latin1", from, this.#end);
    }
    return this.#text.substring(from - this.#start, to - this.#start);
  }

  #isAscii(from: number, to: number): boolean {
    const view = this.#view;
    let bits = 0;
    let at = from;
    for (const end = to - 15; at < end; at += 16) {
      bits |= view.getInt32(at) | view.getInt32(at + 4) | view.getInt32(at + 8) | view.getInt32(at + 12);
    }
    for (; at < to; at++) bits |= view.getUint8(at);
    return (bits & 0x80808080) === 0;
  }

  #readUtf8(from: number, to: number): string | Uint8Array {
    const bytes = this.#bytes.subarray(from, to);
    const text = utf8.decode(bytes);
    // Decoding puts U+FFFD where bytes are not UTF-8: only if the string has one, the bytes are checked.
    return !text.includes("\ufffd") || isUtf8(bytes) ? text : new Uint8Array(bytes);
  }
}
