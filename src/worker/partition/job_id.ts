/** The id of a job, also of one whose envelope has none. */
import { Buffer } from "node:buffer";
import { murmur2 } from "../../broker/partitioner.ts";
import { formatPosition, type Position, type TopicPartition } from "../../support/position.ts";

/** Returns the id of a job in the record at an offset. */
export function jobIdOf(
  { jobId }: { readonly jobId: string | null },
  { topic, partition }: TopicPartition,
  offset: number,
): string {
  return jobId ?? deriveJobId({ topic, partition, offset });
}

/**
 * Derives a job id from the position of its record.
 *
 * @returns a UUID (version 8); the same for each run of the record
 */
export function deriveJobId(position: Position): string {
  const text = formatPosition(position);
  const hash = [0, 1, 2, 3]
    .map((part) => murmur2(Buffer.from(`${part}:${text}`)) >>> 0)
    .map((number) => number.toString(16).padStart(8, "0"))
    .join("");
  const variant = ((parseInt(hash[16]!, 16) & 0x3) | 0x8).toString(16);
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `8${hash.slice(13, 16)}`,
    `${variant}${hash.slice(17, 20)}`,
    hash.slice(20, 32),
  ].join("-");
}
