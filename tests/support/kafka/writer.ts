/** Writes a response of Kafka's protocol, for brokers that a test scripts. The counterpart of the client's `Reader`. */
import { Buffer } from "node:buffer";

/** Collects fields in their order. */
export class Writer {
  readonly #parts: Buffer[] = [];

  /** Everything written. */
  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  int8(value: number): this {
    return this.raw(Uint8Array.of(value & 0xff));
  }

  int16(value: number): this {
    const bytes = Buffer.alloc(2);
    bytes.writeInt16BE(value);
    return this.raw(bytes);
  }

  int32(value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    return this.raw(bytes);
  }

  int64(value: number | bigint): this {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(BigInt(value));
    return this.raw(bytes);
  }

  raw(bytes: Uint8Array): this {
    this.#parts.push(Buffer.from(bytes));
    return this;
  }

  /** A string with two bytes of length. */
  string(value: string | null): this {
    return value === null ? this.int16(-1) : this.int16(Buffer.byteLength(value)).raw(Buffer.from(value));
  }

  /** Bytes with four bytes of length. */
  data(value: Uint8Array): this {
    return this.int32(value.length).raw(value);
  }

  /** A list with four bytes of length. */
  array<T>(items: readonly T[], write: (item: T) => void): this {
    this.int32(items.length);
    items.forEach(write);
    return this;
  }

  /** An unsigned integer in seven bits a byte. */
  varint(value: number): this {
    const bytes: number[] = [];
    for (; value > 0x7f; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
    return this.raw(Uint8Array.from([...bytes, value]));
  }

  compactString(value: string | null): this {
    return value === null ? this.varint(0) : this.varint(Buffer.byteLength(value) + 1).raw(Buffer.from(value));
  }

  compactArray<T>(items: readonly T[], write: (item: T) => void): this {
    this.varint(items.length + 1);
    items.forEach(write);
    return this;
  }

  /** No tagged fields. */
  noTags(): this {
    return this.varint(0);
  }
}
