/** Decompresses a batch, in all of Kafka's compressions, with a limit on the result that holds before memory is spent. */
import type { Buffer } from "node:buffer";
import zlib from "node:zlib";
import type { Compression } from "./layout.ts";
import { decompressLz4 } from "./lz4.ts";
import { decompressSnappy } from "./snappy.ts";

/**
 * Decompresses.
 *
 * @param maxBytes limit of the result, in bytes
 * @throws {RangeError} if the result would be larger
 * @throws {Error} if the data is damaged
 */
export function decompress(compression: Compression, data: Buffer, maxBytes: number): Buffer {
  switch (compression) {
    case "none":
      return data;
    case "gzip":
      return zlib.gunzipSync(data, { maxOutputLength: maxBytes });
    case "zstd":
      return zlib.zstdDecompressSync(data, { maxOutputLength: maxBytes });
    case "snappy":
      return decompressSnappy(data, maxBytes);
    case "lz4":
      return decompressLz4(data, maxBytes);
  }
}
