/**
 * A record batch on its way into the log: it grows record by record in one buffer, is sealed, and then stamped with the
 * producer's id, epoch and sequence. Sealed bytes never change but for the stamp, so that a batch that is sent again is the
 * same batch to the broker.
 */
import { Buffer } from "node:buffer";
import type { NewRecord } from "../../broker.ts";
import { compress } from "./compress.ts";
import { crc32c } from "./crc32c.ts";
import { COMPRESSIONS, Field, HEADER_BYTES, LENGTH_END, MAGIC } from "./layout.ts";

/** Compressions that this library writes. */
type Compression = "none" | "gzip" | "zstd";

const FIRST_BYTES = 32 * 1024;
const utf8 = new TextEncoder();

/** See the module. */
export class BatchBuilder {
  #buffer: Buffer;
  #end = HEADER_BYTES;
  #count = 0;
  #firstTimestampMs = 0;
  #lastTimestampMs = 0;
  #isSealed = false;
  #sealed: Buffer | null = null;

  /** @param spare buffer of an earlier batch that is not used any more */
  constructor(spare?: Buffer) {
    this.#buffer = spare ?? Buffer.allocUnsafe(FIRST_BYTES);
  }

  /** Number of records. */
  get count(): number {
    return this.#count;
  }

  /** Size before compression, in bytes. */
  get size(): number {
    return this.#end;
  }

  /** Whether no record can be added any more. */
  get isSealed(): boolean {
    return this.#isSealed;
  }

  /** The bytes to send; `null` before they are ready. */
  get sealed(): Buffer | null {
    return this.#sealed;
  }

  /** The buffer, for a later batch, once this one is done. */
  get spare(): Buffer {
    return this.#buffer;
  }

  /**
   * Adds a record.
   *
   * @param timestampMs milliseconds since 1970
   * @param maxBytes limit of the batch; the first record may be larger
   * @returns `false` if it does not fit, or is older or younger than the first by weeks
   */
  add(record: NewRecord, timestampMs: number, maxBytes: number): boolean {
    const { key, value, headers = [] } = record;
    if (this.#count === 0) this.#firstTimestampMs = this.#lastTimestampMs = timestampMs;
    const keyLength = byteLength(key);
    const valueLength = byteLength(value);
    const timestampDelta = timestampMs - this.#firstTimestampMs;
    // The clock was set by weeks: the distance has 32 bits here.
    if (timestampDelta !== (timestampDelta | 0)) return false;
    let size = 1 + sizeOfVarint(timestampDelta) + sizeOfVarint(this.#count) + sizeWithLength(keyLength) +
      sizeWithLength(valueLength) + sizeOfVarint(headers.length);
    for (const [name, bytes] of headers) {
      size += sizeWithLength(Buffer.byteLength(name)) + sizeWithLength(byteLength(bytes));
    }
    const total = sizeOfVarint(size) + size;
    if (this.#count > 0 && this.#end + total > maxBytes) return false;
    this.#makeRoom(total);
    if (timestampMs > this.#lastTimestampMs) this.#lastTimestampMs = timestampMs;
    const buffer = this.#buffer;
    let at = writeSignedVarint(buffer, size, this.#end);
    buffer[at++] = 0; // attributes
    at = writeSignedVarint(buffer, timestampDelta, at);
    at = writeSignedVarint(buffer, this.#count, at);
    at = writeData(buffer, key, keyLength, at);
    at = writeData(buffer, value, valueLength, at);
    at = writeSignedVarint(buffer, headers.length, at);
    for (const [name, bytes] of headers) {
      at = writeData(buffer, name, Buffer.byteLength(name), at);
      at = writeData(buffer, bytes, byteLength(bytes), at);
    }
    this.#end = at;
    this.#count++;
    return true;
  }

  /**
   * Compresses the records and fills the header: from now on no record can be added.
   *
   * @returns a promise where it takes long: a large batch is compressed beside the event loop
   */
  seal(compression: Compression): Promise<void> | void {
    if (this.#isSealed) return;
    this.#isSealed = true;
    const bytes = this.#buffer.subarray(0, this.#end);
    if (compression === "none") return this.#finish(bytes, compression);
    const records = bytes.subarray(HEADER_BYTES);
    const packed = compress(compression, records);
    if (packed instanceof Promise) return packed.then((packed) => this.#finishPacked(packed, compression));
    this.#finishPacked(packed, compression);
  }

  #finishPacked(packed: Buffer, compression: Compression): void {
    const bytes = Buffer.allocUnsafe(HEADER_BYTES + packed.length);
    packed.copy(bytes, HEADER_BYTES);
    this.#finish(bytes, compression);
  }

  #finish(bytes: Buffer, compression: Compression): void {
    bytes.fill(0, 0, Field.length);
    bytes.writeInt32BE(bytes.length - LENGTH_END, Field.length);
    bytes.writeInt32BE(-1, Field.leaderEpoch);
    bytes[Field.magic] = MAGIC;
    bytes.writeInt16BE(COMPRESSIONS.indexOf(compression), Field.attributes);
    bytes.writeInt32BE(this.#count - 1, Field.lastOffsetDelta);
    bytes.writeBigInt64BE(BigInt(this.#firstTimestampMs), Field.baseTimestamp);
    bytes.writeBigInt64BE(BigInt(this.#lastTimestampMs), Field.maxTimestamp);
    bytes.writeInt32BE(this.#count, Field.count);
    this.#sealed = bytes;
  }

  /** Writes the producer's id, epoch and sequence into a sealed batch, and its checksum. */
  stamp(producerId: bigint, epoch: number, sequence: number): void {
    const bytes = this.#sealed!;
    bytes.writeBigInt64BE(producerId, Field.producerId);
    bytes.writeInt16BE(epoch, Field.producerEpoch);
    bytes.writeInt32BE(sequence, Field.baseSequence);
    bytes.writeUInt32BE(crc32c(bytes, Field.attributes, bytes.length), Field.checksum);
  }

  #makeRoom(bytes: number): void {
    const needed = this.#end + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, needed));
    this.#buffer.copy(larger, 0, 0, this.#end);
    this.#buffer = larger;
  }
}

type Data = Uint8Array | string | null | undefined;

/** Length in bytes; −1 for none, as it is written. */
function byteLength(data: Data): number {
  if (data === null || data === undefined) return -1;
  return typeof data === "string" ? Buffer.byteLength(data) : data.length;
}

function sizeWithLength(length: number): number {
  return sizeOfVarint(length) + Math.max(length, 0);
}

function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}

function sizeOfVarint(value: number): number {
  const bits = zigzag(value);
  return bits < 0x80 ? 1 : bits < 0x4000 ? 2 : bits < 0x20_0000 ? 3 : bits < 0x1000_0000 ? 4 : 5;
}

function writeSignedVarint(buffer: Buffer, value: number, at: number): number {
  let bits = zigzag(value);
  while (bits > 0x7f) {
    buffer[at++] = (bits & 0x7f) | 0x80;
    bits >>>= 7;
  }
  buffer[at++] = bits;
  return at;
}

function writeData(buffer: Buffer, data: Data, length: number, at: number): number {
  at = writeSignedVarint(buffer, length, at);
  if (length <= 0) return at;
  if (typeof data === "string") utf8.encodeInto(data, buffer.subarray(at, at + length));
  else buffer.set(data!, at);
  return at + length;
}
