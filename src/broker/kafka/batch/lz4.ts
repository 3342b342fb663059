/**
 * Decompresses a frame of LZ4. Blocks may refer to earlier ones, up to 64 KB back. Checksums of the frame are not verified:
 * the batch around it has one.
 *
 * Own code: the packages at hand cannot be given a limit.
 */
import { Buffer } from "node:buffer";
import { copyBack } from "./back_reference.ts";
import { damaged, tooLarge } from "./decompression_errors.ts";

const MAGIC = 0x184d2204;
/** Magic, flags, descriptor of the block size, checksum of the header. */
const HEADER_BYTES = 7;
const Flag = { dictionary: 1, contentSize: 8, blockChecksum: 16 } as const;
const UNCOMPRESSED = 0x80000000;
/** Length that says that more of it follows. */
const LONG_LENGTH = 15;
const MIN_MATCH = 4;
const MIN_OUTPUT_BYTES = 65_536;
/** The longest distance of a reference, in bytes. */
const WINDOW_BYTES = 65_536;
/** Shorter literals are cheaper in a loop than in a call. */
const MIN_COPY = 24;

interface Block {
  readonly data: Buffer;
  readonly isCompressed: boolean;
  /** Limit of its result, in bytes. */
  readonly maxBytes: number;
}

/**
 * Decompresses at once.
 *
 * @param maxBytes limit of the result, in bytes
 * @throws {TooLargeError} if the result would be larger
 * @throws {RangeError} if the data is damaged
 */
export function decompressLz4(data: Buffer, maxBytes: number): Buffer {
  let output: Buffer = Buffer.allocUnsafeSlow(Math.min(maxBytes, Math.max(data.length * 4, MIN_OUTPUT_BYTES)));
  let to = 0;
  for (const block of blocksIn(data)) {
    output = withRoom(output, to, Math.min(to + block.maxBytes, maxBytes), maxBytes);
    to = decompressBlock(block, output, to);
  }
  return output.subarray(0, to);
}

/**
 * Decompresses block by block.
 *
 * @throws {RangeError} if the data is damaged
 */
export function* lz4Chunks(data: Buffer): Generator<Buffer> {
  let window: Buffer = Buffer.alloc(0);
  for (const block of blocksIn(data)) {
    const output = Buffer.allocUnsafeSlow(window.length + block.maxBytes);
    const from = window.copy(output);
    const to = decompressBlock(block, output, from);
    window = Buffer.from(output.subarray(Math.max(0, to - WINDOW_BYTES), to));
    yield output.subarray(from, to);
  }
}

function* blocksIn(data: Buffer): Generator<Block> {
  if (data.readUInt32LE(0) !== MAGIC) throw new RangeError("it is not an LZ4 frame");
  const flags = data.readUInt8(4);
  const maxBytes = 1 << (8 + 2 * ((data.readUInt8(5) >> 4) & 7));
  let at = HEADER_BYTES + (flags & Flag.contentSize ? 8 : 0) + (flags & Flag.dictionary ? 4 : 0);
  while (true) {
    const word = data.readUInt32LE(at);
    at += 4;
    if (word === 0) return;
    const size = word % UNCOMPRESSED;
    if (at + size > data.length) throw damaged();
    yield { data: data.subarray(at, at += size), isCompressed: word < UNCOMPRESSED, maxBytes };
    if (flags & Flag.blockChecksum) at += 4;
  }
}

function withRoom(output: Buffer, used: number, needed: number, maxBytes: number): Buffer {
  if (output.length >= needed) return output;
  const larger = Buffer.allocUnsafeSlow(Math.min(maxBytes, Math.max(output.length * 2, needed)));
  output.copy(larger, 0, 0, used);
  return larger;
}

function decompressBlock({ data, isCompressed }: Block, output: Buffer, to: number): number {
  if (!isCompressed) {
    if (to + data.length > output.length) throw tooLarge(output.length);
    return to + data.copy(output, to);
  }
  let at = 0;
  const longLength = (length: number): number => {
    if (length < LONG_LENGTH) return length;
    for (let byte = 255; byte === 255;) length += byte = data.readUInt8(at++);
    return length;
  };
  while (at < data.length) {
    const token = data[at++]!;
    const literal = longLength(token >> 4);
    if (at + literal > data.length) throw damaged();
    if (to + literal > output.length) throw tooLarge(output.length);
    if (literal > MIN_COPY) data.copy(output, to, at, at + literal);
    else for (let index = 0; index < literal; index++) output[to + index] = data[at + index]!;
    at += literal;
    to += literal;
    // The last sequence of a block has no match.
    if (at >= data.length) break;
    const distance = data.readUInt16LE(at);
    at += 2;
    const length = longLength(token & 15) + MIN_MATCH;
    if (to + length > output.length) throw tooLarge(output.length);
    to = copyBack(output, to, distance, length);
  }
  return to;
}
