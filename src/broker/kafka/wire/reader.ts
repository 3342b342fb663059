/** Reads a response of Kafka's protocol: fixed-width integers, and the compact forms of flexible versions. */
import type { Buffer } from "node:buffer";

/** Reads one payload from its start to its end. */
export class Reader {
  readonly #data: Buffer;
  #at: number;

  constructor(data: Buffer, at = 0) {
    this.#data = data;
    this.#at = at;
  }

  int16(): number {
    return this.#data.readInt16BE((this.#at += 2) - 2);
  }

  int32(): number {
    return this.#data.readInt32BE((this.#at += 4) - 4);
  }

  /** An integer of 64 bits, as a number: exact up to 2^53. */
  int64(): number {
    return readInt64(this.#data, (this.#at += 8) - 8);
  }

  /** An integer of 64 bits, exact. */
  bigInt64(): bigint {
    return this.#data.readBigInt64BE((this.#at += 8) - 8);
  }

  boolean(): boolean {
    return this.#data[this.#at++] !== 0;
  }

  /** Bytes of a known length: a window on the payload. */
  bytes(length: number): Buffer {
    return this.#data.subarray(this.#at, this.#at += length);
  }

  /** A string with two bytes of length; `null` for none. */
  string(): string | null {
    const length = this.int16();
    return length < 0 ? null : this.bytes(length).toString();
  }

  /** An unsigned integer in seven bits a byte. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#data.readUInt8(this.#at++);
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError("Cannot read a response: an integer has no end");
  }

  /** A string of a flexible version; `null` for none. */
  compactString(): string | null {
    const length = this.varint();
    return length === 0 ? null : this.bytes(length - 1).toString();
  }

  /** A list of a flexible version. */
  compactArray<T>(item: () => T): T[] {
    const length = this.varint();
    return Array.from({ length: Math.max(0, length - 1) }, item);
  }

  /** A list with four bytes of length. */
  array<T>(item: () => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, item);
  }

  /** Skips the tagged fields of a flexible version. */
  skipTags(): void {
    for (let count = this.varint(); count > 0; count--) {
      this.varint();
      this.bytes(this.varint());
    }
  }
}

/** Reads an integer of 64 bits as a number: exact up to 2^53. */
export function readInt64(data: Buffer, at: number): number {
  return data.readInt32BE(at) * 2 ** 32 + data.readUInt32BE(at + 4);
}

/** Writes an unsigned integer in seven bits a byte. @returns the position after it */
export function writeVarint(data: Buffer, value: number, at: number): number {
  while (value > 0x7f) {
    data[at++] = (value & 0x7f) | 0x80;
    value >>>= 7;
  }
  data[at++] = value;
  return at;
}
