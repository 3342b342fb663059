/**
 * Decompresses a batch, in all of Kafka's compressions: at once, with a limit on the result that holds before memory is
 * spent, or in chunks, for a result of any size.
 */
import type { Buffer } from "node:buffer";
import zlib from "node:zlib";
import { TooLargeError } from "./decompression_errors.ts";
import type { Compression } from "./layout.ts";
import { decompressLz4, lz4Chunks } from "./lz4.ts";
import { decompressSnappy, snappyChunks } from "./snappy.ts";

/** Size of the chunks in which zlib gives its result, in bytes. */
const CHUNK_BYTES = 64 * 1024;

/**
 * Decompresses at once.
 *
 * @param maxBytes limit of the result, in bytes
 * @throws {TooLargeError} if the result would be larger
 * @throws {Error} if the data is damaged
 */
export function decompress(compression: Compression, data: Buffer, maxBytes: number): Buffer {
  switch (compression) {
    case "none":
      if (data.length > maxBytes) throw new TooLargeError(maxBytes);
      return data;
    case "gzip":
      return withLimit(maxBytes, (maxOutputLength) => zlib.gunzipSync(data, { maxOutputLength }));
    case "zstd":
      return withLimit(maxBytes, (maxOutputLength) => zlib.zstdDecompressSync(data, { maxOutputLength }));
    case "snappy":
      return decompressSnappy(data, maxBytes);
    case "lz4":
      return decompressLz4(data, maxBytes);
  }
}

/**
 * Decompresses in chunks, each only when it is asked for. A chunk has no relation to the records in it.
 *
 * @param maxChunkBytes limit of a chunk, where the compression has no limit of its own
 * @throws {TooLargeError} if a chunk would be larger
 * @throws {Error} if the data is damaged
 */
export function decompressInChunks(
  compression: Compression,
  data: Buffer,
  maxChunkBytes: number,
): Iterable<Buffer> | AsyncIterable<Buffer> {
  switch (compression) {
    case "none":
      return [data];
    case "gzip":
      return read(zlib.createGunzip({ chunkSize: CHUNK_BYTES }), data);
    case "zstd":
      return read(zlib.createZstdDecompress({ chunkSize: CHUNK_BYTES }), data);
    case "snappy":
      return snappyChunks(data, maxChunkBytes);
    case "lz4":
      return lz4Chunks(data);
  }
}

function withLimit(maxBytes: number, unpack: (maxBytes: number) => Buffer): Buffer {
  try {
    return unpack(maxBytes);
  } catch (error) {
    throw (error as { readonly code?: string }).code === "ERR_BUFFER_TOO_LARGE" ? new TooLargeError(maxBytes) : error;
  }
}

/** Reads one stream to its end; leaving the iteration destroys it. */
function read(stream: zlib.Gunzip | zlib.ZstdDecompress, data: Buffer): AsyncIterable<Buffer> {
  stream.end(data);
  return stream;
}
