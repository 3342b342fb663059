import { assert, assertEquals, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { FrameError, FrameReader } from "../../../../src/broker/kafka/wire/frame_reader.ts";
import { forSeeds } from "../../../support/random.ts";

function frame(payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4 + payload.length);
  bytes.writeInt32BE(payload.length);
  bytes.set(payload, 4);
  return bytes;
}

const PAYLOADS = [Buffer.from("abcd"), Buffer.from("a longer payload"), Buffer.alloc(300, 7), Buffer.from("efgh")];
const STREAM = Buffer.concat(PAYLOADS.map(frame));

Deno.test("FrameReader returns the same payloads wherever the stream is split", () => {
  for (let first = 0; first <= 40; first++) {
    for (let second = first; second <= STREAM.length; second++) {
      const reader = new FrameReader(1000);
      const found: string[] = [];
      for (const chunk of [STREAM.subarray(0, first), STREAM.subarray(first, second), STREAM.subarray(second)]) {
        reader.push(chunk, (payload) => found.push(payload.toString("hex")) > 0);
      }
      assertEquals(found, PAYLOADS.map((payload) => payload.toString("hex")), `${first}, ${second}`);
      assert(!reader.isInFrame);
    }
  }
});

Deno.test("FrameReader reads a stream byte by byte, and in random pieces", () => {
  forSeeds(100, (random, seed) => {
    const reader = new FrameReader(1000);
    const found: Buffer[] = [];
    for (let at = 0; at < STREAM.length;) {
      const end = seed === 1 ? at + 1 : at + random.integer(0, 50);
      // The chunk is used again, as a socket may do.
      const chunk = Buffer.from(STREAM.subarray(at, end));
      reader.push(chunk, (payload) => found.push(Buffer.from(payload)) > 0);
      chunk.fill(0);
      at = end;
      assertEquals(reader.isInFrame, ![0, 8, 28, 332, 340].includes(Math.min(at, STREAM.length)), `at ${at}`);
    }
    assertEquals(found.map(String), PAYLOADS.map(String));
  });
});

Deno.test("FrameReader refuses an impossible length before it takes memory for it", () => {
  for (const length of [-1, 0, 3, 1001, 0x7fffffff, -0x80000000]) {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(length);
    const error = assertThrows(() => new FrameReader(1000).push(bytes, () => true), FrameError, `${length} bytes`);
    assertEquals(error.bytes, Uint8Array.from(bytes));
  }
});

Deno.test("FrameReader stops after a payload whose receiver says so", () => {
  const found: string[] = [];
  new FrameReader(1000).push(STREAM, (payload) => found.push(payload.toString()) < 2);
  assertEquals(found.length, 2);
});
