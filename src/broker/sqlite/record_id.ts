/**
 * The id of a record in the file: the number of its partition and its offset, packed into one 64-bit integer, since SQLite
 * finds a row by its `INTEGER PRIMARY KEY` without reading any payload.
 *
 *     63        62 … 41                40 … 0
 *     0 (sign)  partition id (22 bit)  offset (41 bit)
 *
 * - Partition ids count the partitions ever created in the file: 4,194,303 of them. The next one is refused.
 * - Offsets of a partition end at 2,199,023,255,551: 69 years at 1,000 records a second. The next record is refused.
 *
 * An id may exceed 2^53, so it never leaves SQLite: statements pack it from both parts and unpack it again.
 */

const OFFSET_BITS = 41;

/** The last offset of a partition. */
export const MAX_OFFSET: number = 2 ** OFFSET_BITS - 1;

/** The last partition id of a file. */
export const MAX_PARTITION_ID: number = 2 ** (63 - OFFSET_BITS) - 1;

/** SQL for the id of a record. `|` turns a number that was bound as REAL into an integer; `+` would not. */
export function idOf(partitionId: string, offset: string): string {
  return `(${partitionId} << ${OFFSET_BITS} | ${offset})`;
}

/** SQL for the offset in an id. */
export function offsetIn(id: string): string {
  return `(${id} & ${MAX_OFFSET})`;
}

/** SQL for the partition id in an id. */
export function partitionIdIn(id: string): string {
  return `(${id} >> ${OFFSET_BITS})`;
}

/** SQL for the condition that an id belongs to a partition. */
export function isIn(partitionId: string, id = "id"): string {
  return `${id} BETWEEN ${idOf(partitionId, "0")} AND ${idOf(partitionId, String(MAX_OFFSET))}`;
}
