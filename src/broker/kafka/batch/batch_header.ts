/** The header of a record batch: read and checked before its records are looked at. */
import type { Buffer } from "node:buffer";
import { readInt64 } from "../wire/reader.ts";
import { crc32c } from "./crc32c.ts";
import { Attribute, type BatchBounds, type Compression, COMPRESSIONS, Field, MAGIC } from "./layout.ts";

/** A batch, or the rest of it, cannot be read: it is in an unknown format, or damaged. */
export class UnreadableBatchError extends Error {
  override name = "UnreadableBatchError";
  /** Whether its checksum is wrong: it may be sound where it is stored. */
  readonly isDamaged: boolean;

  constructor(
    { baseOffset, lastOffset }: BatchBounds,
    problem: string,
    { isDamaged = false, ...options }: ErrorOptions & { readonly isDamaged?: boolean } = {},
  ) {
    super(`The batch with offsets ${baseOffset} to ${lastOffset} cannot be read: ${problem}`, options);
    this.isDamaged = isDamaged;
  }
}

/** See the module. */
export interface BatchHeader {
  readonly bounds: BatchBounds;
  readonly compression: Compression;
  /** Number of its records. */
  readonly count: number;
  /** Time from which the times of its records are counted, in milliseconds since 1970. */
  readonly baseTimestampMs: number;
  /** Time of the append, in milliseconds since 1970; `null` where the records have times of their own. */
  readonly appendTimeMs: number | null;
}

/**
 * Reads the header of a batch, and compares its checksum.
 *
 * @throws {UnreadableBatchError} if the format or the compression is unknown, or the batch is damaged
 */
export function readBatchHeader(data: Buffer, bounds: BatchBounds): BatchHeader {
  const { start, end, magic } = bounds;
  if (magic !== MAGIC) throw new UnreadableBatchError(bounds, `message format ${magic} is not supported, only 2 is`);
  if (crc32c(data, start + Field.attributes, end) !== data.readUInt32BE(start + Field.checksum)) {
    throw new UnreadableBatchError(bounds, "its checksum is wrong, it is damaged", { isDamaged: true });
  }
  const attributes = data.readInt16BE(start + Field.attributes);
  const compression = COMPRESSIONS[attributes & Attribute.compression];
  if (compression === undefined) {
    throw new UnreadableBatchError(bounds, `compression ${attributes & Attribute.compression} is not known`);
  }
  const count = data.readInt32BE(start + Field.count);
  if (count < 0) throw new UnreadableBatchError(bounds, `it announces ${count} records`);
  return {
    bounds,
    compression,
    count,
    baseTimestampMs: readInt64(data, start + Field.baseTimestamp),
    appendTimeMs: attributes & Attribute.logAppendTime ? readInt64(data, start + Field.maxTimestamp) : null,
  };
}
