/**
 * Hashes of job ids and keys, for an index that does not hold the strings. Each process has a seed of its own, so that no program
 * can choose job ids whose hashes are equal.
 */

/** Hashes a key `<job id>:<random>` and the job id in it. Numbers are unsigned, of 32 bits. */
export interface KeyHash {
  /** Two hashes of the job id, 64 bits together. */
  high: number;
  low: number;
  /** A hash of the rest of the key; 0 for a job id alone. */
  rest: number;
}

/** Writes the hash of a key into `into`, so that none is allocated for each record. */
export type HashKey = (key: string, jobIdLength: number, into: KeyHash) => void;

/** Makes a hash function. */
export function createHash(seed: number = crypto.getRandomValues(new Uint32Array(1))[0]!): HashKey {
  return (key, jobIdLength, into) => {
    let high = seed;
    let low = ~seed;
    for (let at = 0; at < jobIdLength; at++) {
      const code = key.charCodeAt(at);
      high = Math.imul(high ^ code, 0x85ebca6b);
      high ^= high >>> 13;
      low = Math.imul(low ^ code, 0xc2b2ae35);
      low ^= low >>> 15;
    }
    let rest = 0;
    if (key.length > jobIdLength) {
      rest = high ^ low;
      for (let at = jobIdLength; at < key.length; at++) {
        rest = Math.imul(rest ^ key.charCodeAt(at), 0x27d4eb2f);
        rest ^= rest >>> 14;
      }
    }
    into.high = mix(high) >>> 0;
    into.low = mix(low) >>> 0;
    into.rest = mix(rest) >>> 0;
  };
}

/** Spreads each bit over all (the end of MurmurHash3). */
function mix(hash: number): number {
  hash = Math.imul(hash ^ hash >>> 16, 0x85ebca6b);
  hash = Math.imul(hash ^ hash >>> 13, 0xc2b2ae35);
  return hash ^ hash >>> 16;
}
