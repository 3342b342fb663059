import { assertEquals } from "@std/assert";
import { crc32c } from "../../../../src/broker/kafka/batch/crc32c.ts";
import { forSeeds } from "../../../support/random.ts";

const sum = (bytes: Uint8Array): string => crc32c(bytes, 0, bytes.length).toString(16).padStart(8, "0");

Deno.test("crc32c() returns the checksums of RFC 3720, and of the catalogue of CRCs", () => {
  assertEquals(sum(new TextEncoder().encode("123456789")), "e3069283");
  assertEquals(sum(new Uint8Array(32)), "8a9136aa");
  assertEquals(sum(new Uint8Array(32).fill(0xff)), "62a8ab43");
  assertEquals(sum(Uint8Array.from({ length: 32 }, (_, n) => n)), "46dd794e");
  assertEquals(sum(Uint8Array.from({ length: 32 }, (_, n) => 31 - n)), "113fdb5c");
  assertEquals(sum(new Uint8Array()), "00000000");
});

Deno.test("crc32c() of a part, at any place and of any length, is that of a loop bit by bit", () => {
  forSeeds(60, (random) => {
    const bytes = Uint8Array.from({ length: 70 }, () => random.integer(0, 255));
    const from = random.integer(0, 20);
    const to = random.integer(from, 70);
    let slow = 0xffffffff;
    for (const byte of bytes.subarray(from, to)) {
      slow ^= byte;
      for (let bit = 0; bit < 8; bit++) slow = slow & 1 ? (slow >>> 1) ^ 0x82f63b78 : slow >>> 1;
    }
    assertEquals(crc32c(bytes, from, to), (slow ^ 0xffffffff) >>> 0, `${from} to ${to}`);
  });
});
