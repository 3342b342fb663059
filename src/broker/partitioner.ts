/**
 * Which partition a key belongs to: the arithmetic of Kafka's Java client, so that a record of ours and one written by any
 * other client lie in the same partition when their keys are the same.
 *
 * Pure functions, used by every broker.
 */

/**
 * The partition of a key.
 *
 * @param key the key's bytes; an empty key is a key like any other
 * @param partitions how many partitions the topic has, at least 1
 * @returns the partition's number
 */
export function partitionOfKey(key: Uint8Array, partitions: number): number {
  // The Java client takes the sign bit away, it does not negate.
  return (murmur2(key) & 0x7fffffff) % partitions;
}

/**
 * The 32-bit murmur2 hash, with the Java client's seed.
 *
 * @param data the bytes to hash
 * @returns a signed 32-bit integer
 */
export function murmur2(data: Uint8Array): number {
  const M = 0x5bd1e995;
  const length = data.length;
  let hash = 0x9747b28c ^ length;
  const whole = length & ~3;
  for (let i = 0; i < whole; i += 4) {
    let k = data[i]! | (data[i + 1]! << 8) | (data[i + 2]! << 16) | (data[i + 3]! << 24);
    k = Math.imul(k, M);
    k ^= k >>> 24;
    k = Math.imul(k, M);
    hash = Math.imul(hash, M) ^ k;
  }
  const rest = length - whole;
  if (rest === 3) hash ^= data[whole + 2]! << 16;
  if (rest >= 2) hash ^= data[whole + 1]! << 8;
  if (rest >= 1) hash = Math.imul(hash ^ data[whole]!, M);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, M);
  return hash ^ (hash >>> 15);
}
