/**
 * Decompresses snappy, as one block or in the chunks of snappy-java, which is how Java clients write it.
 *
 * Own code: the packages at hand cannot be given a limit, and a block of a few bytes may claim to unpack to 4 GB.
 */
import { Buffer } from "node:buffer";
import { copyBack } from "./back_reference.ts";
import { damaged, tooLarge } from "./decompression_errors.ts";

/** First bytes of snappy-java's chunks; a version and a compatible version follow, four bytes each. */
const CHUNKS_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
const CHUNKS_HEADER_BYTES = 16;
/** From this tag value on, the next one to four bytes are the length of a literal. */
const LONG_LITERAL = 60;

/**
 * Decompresses at once.
 *
 * @param maxBytes limit of the result, in bytes
 * @throws {TooLargeError} if the result would be larger
 * @throws {RangeError} if the data is damaged
 */
export function decompressSnappy(data: Buffer, maxBytes: number): Buffer {
  const parts: Buffer[] = [];
  let left = maxBytes;
  for (const block of blocksIn(data)) {
    const part = decompressBlock(block, left);
    left -= part.length;
    parts.push(part);
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

/**
 * Decompresses block by block.
 *
 * @param maxBlockBytes limit of a block, in bytes
 * @throws {TooLargeError} if a block would be larger
 * @throws {RangeError} if the data is damaged
 */
export function* snappyChunks(data: Buffer, maxBlockBytes: number): Generator<Buffer> {
  for (const block of blocksIn(data)) yield decompressBlock(block, maxBlockBytes);
}

function* blocksIn(data: Buffer): Generator<Buffer> {
  if (!data.subarray(0, CHUNKS_MAGIC.length).equals(CHUNKS_MAGIC)) return yield data;
  for (let at = CHUNKS_HEADER_BYTES; at + 4 <= data.length;) {
    const size = data.readInt32BE(at);
    if (size < 0 || at + 4 + size > data.length) throw damaged();
    yield data.subarray(at + 4, at += 4 + size);
  }
}

function decompressBlock(data: Buffer, maxBytes: number): Buffer {
  let [size, at] = readSize(data);
  if (size > maxBytes) throw tooLarge(maxBytes);
  const output = Buffer.allocUnsafeSlow(size);
  let to = 0;
  while (at < data.length) {
    const tag = data[at++]!;
    switch (tag & 3) {
      case 0: {
        let length = tag >> 2;
        if (length >= LONG_LITERAL) {
          const bytes = length - LONG_LITERAL + 1;
          length = data.readUIntLE(at, bytes);
          at += bytes;
        }
        length++;
        if (to + length > size || at + length > data.length) throw damaged();
        data.copy(output, to, at, at += length);
        to += length;
        break;
      }
      case 1:
        to = copyBack(output, to, ((tag >> 5) << 8) | data.readUInt8(at), ((tag >> 2) & 7) + 4);
        at++;
        break;
      case 2:
        to = copyBack(output, to, data.readUInt16LE(at), (tag >> 2) + 1);
        at += 2;
        break;
      default:
        to = copyBack(output, to, data.readUInt32LE(at), (tag >> 2) + 1);
        at += 4;
    }
  }
  if (to !== size) throw damaged();
  return output;
}

/** Reads the size of a block's result, and the position after it. */
function readSize(data: Buffer): [size: number, at: number] {
  let size = 0;
  for (let at = 0; at < 5; at++) {
    const byte = data.readUInt8(at);
    size += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return [size, at + 1];
  }
  throw damaged();
}
