/** The partition of a key is that of Kafka's Java client. */
import { assertEquals } from "@std/assert";
import { murmur2, partitionOfKey } from "../../src/broker/partitioner.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

// The vectors of Kafka's own UtilsTest.
const vectors: readonly (readonly [string, number])[] = [
  ["21", -973932308],
  ["foobar", -790332482],
  ["a-little-bit-long-string", -985981536],
  ["a-little-bit-longer-string", -1486304829],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
  ["abc", 479470107],
];

Deno.test("murmur2() returns the hashes of the Java client", () => {
  for (const [text, hash] of vectors) assertEquals(murmur2(bytes(text)), hash, text);
});

Deno.test("partitionOfKey() clears the sign bit as the Java client does", () => {
  for (const [text, hash] of vectors) {
    for (const partitions of [1, 2, 3, 7, 24]) {
      assertEquals(partitionOfKey(bytes(text), partitions), Number(BigInt.asUintN(31, BigInt(hash))) % partitions);
    }
  }
});

Deno.test("partitionOfKey() treats an empty key like any other", () => {
  assertEquals(partitionOfKey(new Uint8Array(), 1), 0);
  assertEquals(partitionOfKey(new Uint8Array(), 1000), (murmur2(new Uint8Array()) & 0x7fffffff) % 1000);
});
