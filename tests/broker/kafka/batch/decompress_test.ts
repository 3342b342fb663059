/** The decompressors, on data of other implementations: snappy of snappyjs 0.7.0, LZ4 of lz4js 0.2.0. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import zlib from "node:zlib";
import { decompress, decompressInChunks } from "../../../../src/broker/kafka/batch/decompress.ts";
import { TooLargeError } from "../../../../src/broker/kafka/batch/decompression_errors.ts";
import type { Compression } from "../../../../src/broker/kafka/batch/layout.ts";
import { forSeeds } from "../../../support/random.ts";
import { processorMs } from "../../../support/until.ts";

const TEXT = Array.from({ length: 40 }, (_, n) => `record ${n % 7}: the quick brown fox, ${"ab".repeat(n)};`).join(
  "\n",
);
const SNAPPY = Buffer.from(
  "vxaAcmVjb3JkIDA6IHRoZSBxdWljayBicm93biBmb3gsIDsKDSEAMVohAARhYhUjADJiIwAdJQAzaiUAHScANHInAB0pADV6KQAdKwA2gisAHS1e" +
    "EQEEYWIuAgAV/GYfAS4vAB1gbi0BWjMAdjsBWjUAfkkBWjcAhlcBWjkAjmUBWjsAlnMBWj0AnoEBWj8Apo8BWkEArp0BWkMAtqsBWkUAvrkBWkcAx" +
    "scBWkkAztUBWksA1uMBWk0A3vEBWk8A5v8BWlEA7g0CWlMA9hsCWlUA/ikCWlcA7jcCSTdaWQD+RQJBRVpbAP5TAklTWl0A/mECUWFaXwD+bwJZb" +
    "1phAP59Ai59AlpjAP6LAjaLAlplAP6ZAj6ZAlpnAP6nAkanAlppAP61Ak61AlprAP7DAlbDAlptAP7RAl7RAjhhYmFiYWJhYmFiYWJhYjs=",
  "base64",
);
const LZ4 = Buffer.from(
  "BCJNGEBw32oBAADzEnJlY29yZCAwOiB0aGUgcXVpY2sgYnJvd24gZm94LCA7CiEAHzEhAAQlYWIjAB8yIwAGByUAHzMlAAgHJwAfNCcACgcpAB81K" +
    "QAMBysAHzYrAA4HLQAPEQEFKGFiAgAF/AAPHwEHCC8AB2AADy0BCQ8zAAQPOwELDzUABA9JAQ0PNwAED1cBDw85AAQPZQERDzsABA9zARMPPQAED4E" +
    "BFQ8/AAQPjwEXD0EABA+dARkPQwAED6sBGw9FAAQPuQEdD0cABA/HAR8PSQAED9UBIQ9LAAQP4wEjD00ABA/xASUPTwAED/8BJw9RAAQPDQIpD1MAB" +
    "A8bAisPVQAEDykCLQ9XAAQPNwIvD1kABA9FAjEPWwAED1MCMw9dAAQPYQI1D18ABA9vAjcPYQAED30COQ9jAAQPiwI7D2UABA+ZAj0PZwAED6cCPw9" +
    "pAAQPtQJBD2sABA/DAkMPbQAED9ECRQZvAFBhYmFiOwAAAAA=",
  "base64",
);
const PACKED: readonly (readonly [Compression, Buffer])[] = [
  ["none", Buffer.from(TEXT)],
  ["gzip", zlib.gzipSync(TEXT)],
  ["zstd", zlib.zstdCompressSync(Buffer.from(TEXT))],
  ["snappy", SNAPPY],
  ["snappy", inJavaChunks(SNAPPY, SNAPPY)],
  ["lz4", LZ4],
];

/** The framing of snappy-java, which Java clients write. */
function inJavaChunks(...chunks: readonly Buffer[]): Buffer {
  const magic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
  return Buffer.concat([
    magic,
    ...chunks.flatMap((chunk) => {
      const length = Buffer.alloc(4);
      length.writeInt32BE(chunk.length);
      return [length, chunk];
    }),
  ]);
}

async function inChunks(compression: Compression, data: Buffer, maxBytes = 1e6): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of decompressInChunks(compression, data, maxBytes)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

Deno.test("decompress() and decompressInChunks() read what other implementations wrote", async () => {
  for (const [index, [compression, data]] of PACKED.entries()) {
    const expected = index === 4 ? TEXT + TEXT : TEXT;
    assertEquals(decompress(compression, data, 10_000).toString(), expected, `${compression} ${index}`);
    assertEquals((await inChunks(compression, data)).toString(), expected, `${compression} ${index}`);
  }
});

Deno.test("decompress() accepts a result of exactly its limit, and not of one byte more", () => {
  for (const [index, [compression, data]] of PACKED.entries()) {
    const size = index === 4 ? 2 * TEXT.length : TEXT.length;
    assertEquals(decompress(compression, data, size).length, size, `${compression} ${index}`);
    assertThrows(() => decompress(compression, data, size - 1), TooLargeError, "it unpacks to more than ");
  }
});

Deno.test("LZ4 of all shapes: blocks that refer to earlier ones, checksums, content size, blocks that are not compressed", () => {
  const frame = (flags: number, ...parts: readonly (readonly number[])[]) => {
    return Buffer.from([0x04, 0x22, 0x4d, 0x18, flags, 0x40, ...parts.flat()]);
  };
  const hello = [...Buffer.from("hello world ")];
  const literal = [12, 0, 0, 0x80, ...hello];
  // No literal, a match of 12 bytes 12 bytes back; then the end of the block.
  const match = [4, 0, 0, 0, 0x08, 12, 0, 0];
  const checksum = [1, 2, 3, 4];
  const end = [0, 0, 0, 0];
  const cases: [Buffer, string][] = [
    [frame(0x60, [0], literal, end), "hello world "],
    [frame(0x40, [0], literal, match, end), "hello world hello world "],
    [frame(0x50, [0], literal, checksum, match, checksum, end), "hello world hello world "],
    [frame(0x48, [12, 0, 0, 0, 0, 0, 0, 0], [0], literal, end), "hello world "],
    [frame(0x44, [0], literal, end, checksum), "hello world "],
    [frame(0x60, [0], end), ""],
  ];
  for (const [data, expected] of cases) assertEquals(decompress("lz4", data, 100).toString(), expected);
});

Deno.test("damaged, cut and random data is an error or a wrong result within the limit, never more", async () => {
  const tookMs = await processorMs(decompressDamaged);
  assert(tookMs < 20_000, `It took ${tookMs} ms of the processor`);
});

async function decompressDamaged(): Promise<void> {
  for (const [compression, data] of PACKED.slice(1)) {
    for (let length = 0; length < data.length; length++) {
      const cut = data.subarray(0, length);
      const result = attempt(() => decompress(compression, cut, 10_000));
      assert(result === null || result.length < 10_000, `${compression} cut at ${length}`);
    }
  }
  forSeeds(2000, (random) => {
    const [compression, data] = random.pick(PACKED.slice(1));
    const bytes = Buffer.from(data);
    for (let times = random.integer(1, 5); times > 0; times--) {
      bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255);
    }
    const result = attempt(() => decompress(compression, bytes, 10_000));
    assert(result === null || result.length <= 10_000, compression);
  });
  for (let seed = 0; seed < 200; seed++) {
    const [compression, data] = PACKED[1 + seed % (PACKED.length - 1)]!;
    const bytes = Buffer.from(data);
    bytes[seed % bytes.length]! ^= 0xff;
    await inChunks(compression, bytes).then((result) => assert(result.length < 20e6), () => {});
  }
}

function attempt(run: () => Buffer): Buffer | null {
  try {
    return run();
  } catch (error) {
    assert(error instanceof Error);
    return null;
  }
}

Deno.test("a few bytes that claim gigabytes are refused before memory is spent for them", () => {
  const before = Deno.memoryUsage().rss;
  const claim = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0]);
  for (const data of [claim, inJavaChunks(claim)]) {
    assertThrows(() => decompress("snappy", data, 1e6), TooLargeError);
  }
  // A literal of 255 times its bytes.
  const lz4 = Buffer.concat([
    Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0, 0xe8, 3, 0, 0, 0xf0]),
    Buffer.alloc(1000, 255),
  ]);
  assertThrows(() => decompress("lz4", lz4, 1e6), RangeError);
  assert(Deno.memoryUsage().rss - before < 50e6);
});
