/** Record batches against kafkajs' own codec, both ways, and against damage. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import zlib from "node:zlib";
import kafkaJsDecoder from "npm:kafkajs@2.2.4/src/protocol/decoder.js";
import kafkaJsBatchDecoder from "npm:kafkajs@2.2.4/src/protocol/recordBatch/v0/decoder.js";
import { UnreadableBatchError } from "../../../../src/broker/kafka/batch/batch_header.ts";
import { BatchBuilder } from "../../../../src/broker/kafka/batch/batch_builder.ts";
import { TooLargeError } from "../../../../src/broker/kafka/batch/decompression_errors.ts";
import { batchesIn, COMPRESSIONS, HEADER_BYTES } from "../../../../src/broker/kafka/batch/layout.ts";
import { definitions } from "../../../../src/broker/kafka/wire/kafkajs.ts";
import {
  batchOf,
  boundsOf,
  bytesOf,
  changed,
  decodeAll,
  packedBatchOf,
  randomRecord,
  type TimedRecord,
  withChecksum,
  withPayload,
} from "../../../support/kafka/batches.ts";
import { batchesOf } from "../../../support/kafka/scripted_log.ts";
import { forSeeds, Random } from "../../../support/random.ts";
import { processorMs } from "../../../support/until.ts";

const NOW_MS = 1_700_000_000_000;

interface Plain {
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [string, string | null])[];
  readonly timestampMs: number;
}

function plain({ key, value, headers = [], timestampMs }: Omit<TimedRecord, "partition">): Plain {
  const named = headers.map(([name, bytes]) => [bytesOf(name)!, bytesOf(bytes)] as const);
  return { key: bytesOf(key), value: bytesOf(value), headers: named, timestampMs };
}

interface KafkaJsRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | Buffer[] | null>>;
  readonly timestamp: string;
  readonly offset: string;
}

/** Decodes a batch with kafkajs. */
async function decodeWithKafkaJs(batch: Buffer): Promise<readonly KafkaJsRecord[]> {
  const Decoder = kafkaJsDecoder as unknown as new (bytes: Buffer) => object;
  const decode = kafkaJsBatchDecoder as unknown as (of: object) => Promise<{ records: KafkaJsRecord[] }>;
  return (await decode(new Decoder(batch))).records;
}

function randomRecords(random: Random): TimedRecord[] {
  const count = random.pick([1, 2, 5, 70]);
  return Array.from({ length: count }, (_, n) => {
    const deltaMs = random.pick([0, 1, 63, 64, 8191, 8192, 2 ** 20, 2 ** 27, 2 ** 31 - 1, -1, -64, -65, -(2 ** 30)]);
    return randomRecord(random, n === 0 ? NOW_MS : NOW_MS + deltaMs);
  });
}

for (const compression of ["none", "gzip", "zstd"] as const) {
  Deno.test(`a batch is decoded to the records that were added (${compression})`, async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const records = randomRecords(new Random(seed));
      const decoded = decodeAll(changedOffset(await packedBatchOf(records, compression), 2 ** 40));
      assertEquals(decoded.map(({ offset }) => offset), records.map((_, n) => 2 ** 40 + n), `seed ${seed}`);
      assertEquals(decoded.map(plain), records.map(plain), `seed ${seed}`);
    }
  });
}

function changedOffset(batch: Buffer, baseOffset: number): Buffer {
  batch.writeBigInt64BE(BigInt(baseOffset), 0);
  return batch;
}

for (const compression of ["none", "gzip"] as const) {
  Deno.test(`kafkajs reads the batches of this library (${compression})`, async () => {
    for (let seed = 1; seed <= 30; seed++) {
      // kafkajs has headers as an object: each name once.
      const records = randomRecords(new Random(seed)).map((record) => ({ ...record, headers: once(record.headers) }));
      const theirs = await decodeWithKafkaJs(await packedBatchOf(records, compression));
      const found = theirs.map(({ key, value, headers, timestamp }): Plain => ({
        key: bytesOf(key),
        value: bytesOf(value),
        headers: Object.entries(headers).map(([name, bytes]) => [bytesOf(name)!, bytesOf(bytes as Buffer | null)]),
        timestampMs: Number(timestamp),
      }));
      assertEquals(found, records.map(plain), `seed ${seed}`);
    }
  });
}

function once(headers: TimedRecord["headers"] = []): [string, Uint8Array | null][] {
  const decode = (name: string) => new TextDecoder().decode(new TextEncoder().encode(name));
  return [...new Map(headers.map(([name, value]) => [decode(name), value ?? new Uint8Array()]))];
}

Deno.test("this library reads the batches of kafkajs", async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = new Random(seed);
    const records = randomRecords(random).map((record) => ({ ...record, headers: once(record.headers) }));
    const messages = records.map(({ key, value, headers, timestampMs }) => ({
      key: key === null ? null : Buffer.from(bytesOf(key)!, "hex"),
      value: value === null ? null : Buffer.from(bytesOf(value)!, "hex"),
      headers: Object.fromEntries(headers.map(([name, bytes]) => [name, Buffer.from(bytes!)])),
      timestamp: String(timestampMs),
    }));
    const args = {
      transactionalId: null,
      producerId: -1,
      producerEpoch: 0,
      acks: -1,
      timeout: 1,
      compression: seed % 2,
      topicData: [{ topic: "t", partitions: [{ partition: 0, firstSequence: 0, messages }] }],
    };
    const { buffer } = await definitions.Produce!.protocol({ version: 7 })(args).request.encode();
    const { bytes } = batchesOf({ body: buffer } as Parameters<typeof batchesOf>[0])[0]!;
    const expected = records.map((record) => plain({ ...record, headers: integerNamesFirst(record.headers) }));
    assertEquals(decodeAll(bytes).map(plain), expected, `seed ${seed}`);
  }
});

/** Headers in the order of the properties of an object. */
function integerNamesFirst(headers: [string, Uint8Array | null][]): [string, Uint8Array | null][] {
  return Object.entries(Object.fromEntries(headers));
}

Deno.test("keys and values are strings where they are UTF-8, bytes where not, and null", () => {
  const bytes = Uint8Array.of(0xff, 0xfe, 65);
  const [text, binary, none, surrogate, replacement] = decodeAll(batchOf([
    { key: "ключ", value: new TextEncoder().encode("текст"), timestampMs: 1 },
    { key: bytes, value: bytes, timestampMs: 1 },
    { key: null, value: null, timestampMs: 1 },
    // An unpaired surrogate has no encoding: it becomes U+FFFD, of as many bytes as are announced.
    { key: "a\ud800b", value: "\udc00", timestampMs: 1 },
    { key: "\ufffd", value: "", timestampMs: 1 },
  ]));
  assertEquals([text!.key, text!.value], ["ключ", "текст"]);
  assertEquals([binary!.key, binary!.value], [bytes, bytes]);
  assertEquals([none!.key, none!.value], [null, null]);
  assertEquals([surrogate!.key, surrogate!.value], ["a\ufffdb", "\ufffd"]);
  assertEquals([replacement!.key, replacement!.value], ["\ufffd", ""]);
  assertEquals([text, binary, none, surrogate].map((record) => record!.valueBytes), [10, 3, 0, 3]);
});

Deno.test("headers keep their order, repeated names, and null values", () => {
  const headers = [["a", Uint8Array.of(1)], ["a", null], ["", new Uint8Array()], ["constructor", null]] as const;
  const [record] = decodeAll(batchOf([{ value: null, headers, timestampMs: 1 }]));
  assertEquals(record!.headers, headers.map(([name, value]) => [name, value]));
});

Deno.test("only the records from the wanted offset on are returned", () => {
  const batch = changed(batchOf(["0", "1", "2", "3"].map((value) => ({ value, timestampMs: 1 }))), { baseOffset: 10 });
  assertEquals(decodeAll(batch, 12).map(({ offset, value }) => [offset, value]), [[12, "2"], [13, "3"]]);
  assertEquals(decodeAll(batch, 14), []);
});

Deno.test("batches have bounds of their own, also where compaction has removed records, or all of them", () => {
  const one = changed(batchOf([{ value: "a", timestampMs: 1 }]), { baseOffset: 5, lastOffsetDelta: 9 });
  const empty = changed(one.subarray(0, HEADER_BYTES), { baseOffset: 15, count: 0 });
  empty.writeInt32BE(HEADER_BYTES - 12, 8);
  const last = changed(batchOf([{ value: "b", timestampMs: 1 }]), { baseOffset: 30 });
  const data = Buffer.concat([one, withChecksum(empty), last]);
  assertEquals([...batchesIn(data)].map(({ baseOffset, lastOffset }) => [baseOffset, lastOffset]), [
    [5, 14],
    [15, 24],
    [30, 30],
  ]);
  assertEquals(decodeAll(data).map(({ offset, value }) => [offset, value]), [[5, "a"], [30, "b"]]);
});

Deno.test("a last batch that is cut off is left out, wherever it is cut", () => {
  const whole = batchOf([{ value: "a".repeat(100), timestampMs: 1 }]);
  const data = Buffer.concat([whole, whole]);
  for (let length = 0; length < data.length; length++) {
    const found = [...batchesIn(data.subarray(0, length))].length;
    assertEquals(found, length < whole.length ? 0 : 1, `${length} bytes`);
  }
});

Deno.test("with log-append time all records have the time of the batch", () => {
  const batch = batchOf([{ value: "a", timestampMs: 5 }, { value: "b", timestampMs: 7 }]);
  const stamped = changed(batch, { attributes: 8, maxTimestamp: NOW_MS });
  assertEquals(decodeAll(stamped).map(({ timestampMs }) => timestampMs), [NOW_MS, NOW_MS]);
  // Another client may have written −1.
  assertEquals(decodeAll(changed(batch, { attributes: 8, maxTimestamp: -1 }))[0]!.timestampMs, -1);
});

Deno.test("BatchBuilder refuses a record that does not fit, or is weeks away from the first, and takes a larger first one", () => {
  const builder = new BatchBuilder();
  assert(builder.add({ value: "x".repeat(500) }, NOW_MS, 100));
  assert(!builder.add({ value: "x" }, NOW_MS, 100));
  assert(!builder.add({ value: "x" }, NOW_MS + 2 ** 31, 10_000), "the clock was set");
  assert(!builder.add({ value: "x" }, 0, 10_000), "the clock was set");
  assert(builder.add({ value: "y" }, NOW_MS - 2 ** 31, 10_000));
  assertEquals([builder.count, builder.size > 500], [2, true]);
  builder.seal("none");
  builder.stamp(1n, 0, 0);
  assertEquals(decodeAll(builder.sealed!).map(({ timestampMs }) => timestampMs), [NOW_MS, NOW_MS - 2 ** 31]);
});

Deno.test("BatchBuilder fills any buffer, also one of an earlier batch with other bytes in it", async () => {
  for (const compression of ["none", "gzip", "zstd"] as const) {
    const builder = new BatchBuilder(Buffer.alloc(700, 0xaa));
    for (let n = 0; n < 100; n++) assert(builder.add({ value: `${n}`, headers: [["h", null]] }, NOW_MS + n, 1e6));
    await builder.seal(compression);
    builder.stamp(-1n, -1, -1);
    const decoded = decodeAll(builder.sealed!);
    assertEquals(decoded.map(({ value }) => value), Array.from({ length: 100 }, (_, n) => `${n}`));
  }
});

Deno.test("a batch in another format, of an unknown compression, with a wrong checksum or count cannot be read", () => {
  const batch = batchOf([{ value: "a", timestampMs: 1 }, { value: "b", timestampMs: 1 }]);
  const cases: [damaged: Buffer, problem: string][] = [
    [changed(batch, { magic: 1 }), "message format 1 is not supported"],
    [changed(batch, { attributes: 6 }), "compression 6 is not known"],
    [changed(batch, { count: 3 }), "it has 2 records, and announces 3"],
    [changed(batch, { count: 1 }), "it has more records than the 1 that it announces"],
    [changed(batch, { count: 0 }), "it has more records than the 0 that it announces"],
    [changed(batch, { count: -1 }), "it announces -1 records"],
    [changed(batch, { lastOffsetDelta: 0 }), "the offsets of its records are not in order"],
    [withPayload(batch, Buffer.from("no gzip"), "gzip"), "gzip: "],
    [withPayload(batch, Buffer.from("no zstd"), "zstd"), "zstd: "],
    [withPayload(batch, Buffer.from("no snappy"), "snappy"), "snappy: "],
    [withPayload(batch, Buffer.from("no lz4"), "lz4"), "lz4: "],
  ];
  for (const [damaged, problem] of cases) {
    const error = assertThrows(() => decodeAll(damaged), UnreadableBatchError, problem);
    assert(error.message.startsWith("The batch with offsets 0 to "), error.message);
  }
  const flipped = Buffer.from(batch);
  flipped[flipped.length - 1]! ^= 1;
  assert(assertThrows(() => decodeAll(flipped), UnreadableBatchError, "checksum").isDamaged);
});

Deno.test("a count of headers that cannot be true is refused before memory is taken for it", () => {
  const batch = batchOf([{ value: null, timestampMs: 1 }]);
  // Attributes, time, offset, no key, no value, and 2^31 − 1 headers.
  const content = [0, 0, 0, 1, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f];
  const record = withPayload(batch, Uint8Array.from([2 * content.length, ...content]), "none");
  assertThrows(() => decodeAll(record), UnreadableBatchError, "2147483647 headers do not fit");
  const negative = withPayload(batch, Uint8Array.from([12, 0, 0, 0, 1, 1, 1]), "none");
  assertThrows(() => decodeAll(negative), UnreadableBatchError, "-1 headers do not fit");
});

Deno.test("records whose offsets go back, stand still or are fractions cannot be read", () => {
  const record = (offset: number) => Buffer.from([14, 0, 0, offset, 1, 2, 65, 0]);
  const batch = batchOf([1, 2, 3].map((n) => ({ value: `${n}`, timestampMs: 1 })));
  const withOffsets = (...offsets: number[]) => withPayload(batch, Buffer.concat(offsets.map(record)), "none");
  assertEquals(decodeAll(withOffsets(0, 2, 4)).map(({ offset }) => offset), [0, 1, 2]);
  for (const offsets of [[0, 0, 4], [2, 0, 4], [0, 1, 4], [0, 2, 6]]) {
    assertThrows(() => decodeAll(withOffsets(...offsets)), UnreadableBatchError, "not in order", offsets.join());
  }
});

Deno.test("damaged records never crash, hang or take memory: they decode, or cannot be read", async () => {
  const records = Array.from({ length: 20 }, (_, n) => randomRecord(new Random(n), NOW_MS));
  const sound = batchOf(records);
  const payload = sound.subarray(HEADER_BYTES);
  const before = Deno.memoryUsage().rss;
  let unreadable = 0;
  const decodeDamaged = (random: Random) => {
    const bytes = Buffer.from(payload);
    for (let times = random.integer(1, 4); times > 0; times--) {
      bytes[random.integer(0, bytes.length - 1)] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.integer(0, 255)]);
    }
    const cut = random.chance(0.3) ? bytes.subarray(0, random.integer(0, bytes.length)) : bytes;
    const compression = random.pick(COMPRESSIONS);
    const packed = compression === "gzip"
      ? zlib.gzipSync(cut)
      : compression === "zstd"
      ? zlib.zstdCompressSync(cut)
      : cut;
    try {
      decodeAll(withPayload(sound, packed, compression), 0, 1e6);
    } catch (error) {
      if (!(error instanceof UnreadableBatchError) && !(error instanceof TooLargeError)) throw error;
      unreadable++;
    }
  };
  const tookMs = await processorMs(() => forSeeds(3000, decodeDamaged));
  assert(unreadable > 1000, `${unreadable}`);
  assert(tookMs < 20_000, `It took ${tookMs} ms of the processor`);
  assert(Deno.memoryUsage().rss - before < 200e6);
});

Deno.test("a bomb is refused before memory is spent for it", () => {
  const size = 600e6;
  const batch = batchOf([{ value: "a", timestampMs: 1 }]);
  const zeros = Buffer.alloc(size);
  const bombs = { gzip: zlib.gzipSync(zeros, { level: 1 }), zstd: zlib.zstdCompressSync(zeros) };
  const snappySize = Buffer.from([0x80, 0x80, 0x80, 0x80, 0x0f]);
  const packed = [
    withPayload(batch, bombs.gzip, "gzip"),
    withPayload(batch, bombs.zstd, "zstd"),
    withPayload(batch, Buffer.concat([snappySize, Buffer.alloc(100)]), "snappy"),
    withPayload(batch, lz4Bomb(size), "lz4"),
  ];
  const before = Deno.memoryUsage().rss;
  for (const bomb of packed) {
    const bounds = boundsOf(bomb);
    assertThrows(() => decodeAll(bomb, 0, 16e6), TooLargeError, "16000000 bytes", `${bounds.start}`);
  }
  const spent = Deno.memoryUsage().rss - before;
  assert(spent < 150e6, `${Math.round(spent / 1e6)} MB`);
});

/** A frame of LZ4 whose blocks of four megabytes repeat one byte. */
function lz4Bomb(size: number): Buffer {
  const blockBytes = 4 * 1024 * 1024;
  const lengths = Buffer.alloc(Math.ceil((blockBytes - 19) / 255), 255);
  lengths[lengths.length - 1] = (blockBytes - 1 - 4 - 15) % 255;
  const block = Buffer.concat([Buffer.from([0x1f, 65, 1, 0]), lengths]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(block.length);
  const blocks = Array.from({ length: Math.ceil(size / blockBytes) }, () => Buffer.concat([length, block]));
  return Buffer.concat([Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0]), ...blocks, Buffer.alloc(4)]);
}
