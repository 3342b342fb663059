/** The requests that this library encodes itself, against the protocol as kafkajs or a scripted broker has it. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { fetchRequest } from "../../../../src/broker/kafka/wire/fetch_request.ts";
import { definitions } from "../../../../src/broker/kafka/wire/kafkajs.ts";
import { metadataRequest } from "../../../../src/broker/kafka/wire/metadata_request.ts";
import { produceRequest } from "../../../../src/broker/kafka/wire/produce_request.ts";
import { Reader, readInt64, writeVarint } from "../../../../src/broker/kafka/wire/reader.ts";
import {
  chooseVersion,
  type EncodedRequest,
  type Request,
  UnsupportedVersionError,
} from "../../../../src/broker/kafka/wire/request.ts";
import { BatchBuilder } from "../../../../src/broker/kafka/batch/batch_builder.ts";
import { fetchResponse, metadataResponse, produceResponse } from "../../../support/kafka/scripted_responses.ts";

const VERSIONS = Object.fromEntries([0, 1, 3].map((api) => [api, { minVersion: 0, maxVersion: 18 }]));
const IDS = ["00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100"] as const;

async function encoded<Response>(request: Request<Response>): Promise<EncodedRequest<Response>> {
  return await request.encode(VERSIONS);
}

Deno.test("metadataRequest() asks for topics by name, creates none, and reads all of the response", async () => {
  const { apiKey, version, isFlexible, body, decode } = await encoded(metadataRequest(["jobs", "ü".repeat(100)]));
  assertEquals([apiKey, version, isFlexible], [3, 12, true]);
  const reader = new Reader(body);
  const names = reader.compactArray(() => {
    assertEquals(reader.bytes(16), Buffer.alloc(16));
    const name = reader.compactString();
    reader.skipTags();
    return name;
  });
  assertEquals(names, ["jobs", "ü".repeat(100)]);
  assertEquals([reader.boolean(), reader.boolean(), reader.varint()], [false, false, 0]);
  assertThrows(() => reader.int16(), RangeError);

  const nodes = Array.from({ length: 200 }, (_, nodeId) => ({ nodeId, port: 9000 + nodeId, host: `host-${nodeId}` }));
  const response = await decode(metadataResponse(nodes, [
    { name: "jobs", id: IDS[0], partitions: [{ leader: 7, leaderEpoch: 5 }, { error: 5, leader: -1, leaderEpoch: 6 }] },
    { name: "gone", id: "0".repeat(32), error: 3, partitions: [] },
  ], { controllerId: 3, throttleMs: 9 }));
  assertEquals(response, {
    clientSideThrottleTime: 9,
    brokers: nodes,
    controllerId: 3,
    topics: [
      {
        error: 0,
        topic: "jobs",
        topicId: IDS[0],
        partitions: [
          { error: 0, partition: 0, leader: 7, leaderEpoch: 5 },
          { error: 5, partition: 1, leader: -1, leaderEpoch: 6 },
        ],
      },
      { error: 3, topic: "gone", topicId: "0".repeat(32), partitions: [] },
    ],
  });
});

Deno.test("metadataRequest([]) asks for the brokers alone, not for all topics", async () => {
  const { body } = await encoded(metadataRequest([]));
  // An empty list; no list at all, which asks for every topic, is 0.
  assertEquals([...body], [1, 0, 0, 0]);
});

Deno.test("fetchRequest() names topics by id, with the leader's epoch, read committed", async () => {
  const positions = [
    { topicId: IDS[0], partition: 3, offset: 2 ** 40 + 1, leaderEpoch: 4 },
    { topicId: IDS[1], partition: 0, offset: 0, leaderEpoch: 0 },
    { topicId: IDS[0], partition: 1, offset: 5, leaderEpoch: -1 },
  ];
  const limits = { maxWaitMs: 250, maxBytes: 4_000_000, maxPartitionBytes: 1_000_000 };
  const { apiKey, version, isFlexible, body } = await encoded(fetchRequest(positions, limits));
  assertEquals([apiKey, version, isFlexible], [1, 13, true]);
  const reader = new Reader(body);
  assertEquals([reader.int32(), reader.int32(), reader.int32(), reader.int32()], [-1, 250, 1, 4_000_000]);
  assertEquals(reader.bytes(1)[0], 1);
  assertEquals([reader.int32(), reader.int32()], [0, -1]);
  const topics = reader.compactArray(() => {
    const topicId = reader.bytes(16).toString("hex");
    const partitions = reader.compactArray(() => {
      const [partition, leaderEpoch, offset] = [reader.int32(), reader.int32(), reader.int64()];
      assertEquals([reader.int32(), reader.int64(), reader.int32()], [-1, -1, 1_000_000]);
      reader.skipTags();
      return { topicId, partition, offset, leaderEpoch };
    });
    reader.skipTags();
    return partitions;
  });
  assertEquals(topics.flat(), [positions[0]!, positions[2]!, positions[1]!]);
  assertEquals([reader.varint(), reader.varint(), reader.varint()], [1, 1, 0]);
  assertThrows(() => reader.int16(), RangeError);
});

Deno.test("fetchRequest() encodes any number of topics and partitions", async () => {
  const limits = { maxWaitMs: 250, maxBytes: 1, maxPartitionBytes: 1 };
  for (const [topics, partitions] of [[1, 20_000], [300, 1], [130, 130]] as const) {
    const positions = Array.from({ length: topics * partitions }, (_, n) => ({
      topicId: (n % topics).toString(16).padStart(32, "0"),
      partition: n,
      offset: n,
      leaderEpoch: 0,
    }));
    const { body } = await encoded(fetchRequest(positions, limits));
    // The last three bytes: nothing forgotten, no rack, no tagged fields.
    assertEquals([...body.subarray(-3)], [1, 1, 0]);
  }
});

Deno.test("a fetch response keeps each partition's error, aborted transactions and data", async () => {
  const { decode } = await encoded(fetchRequest([], { maxWaitMs: 1, maxBytes: 1, maxPartitionBytes: 1 }));
  const data = Buffer.alloc(300, 7);
  const aborted = [{ producerId: 2n ** 62n + 1n, firstOffset: 2 ** 50 }, { producerId: 5n, firstOffset: 0 }];
  const response = await decode(fetchResponse([
    { topicId: IDS[0], partition: 0, highWatermark: 2 ** 45, lastStable: 2 ** 44, low: 2 ** 43, aborted, data },
    { topicId: IDS[0], partition: 9, error: 1, highWatermark: -1 },
    { topicId: IDS[1], partition: 1, error: 100, highWatermark: -1 },
  ], { throttleMs: 17 }));
  const empty = { aborted: [], data: Buffer.alloc(0), highWatermark: -1, lastStable: -1, low: 0 };
  assertEquals(response, {
    clientSideThrottleTime: 17,
    error: 0,
    partitions: [
      {
        topicId: IDS[0],
        partition: 0,
        error: 0,
        highWatermark: 2 ** 45,
        lastStable: 2 ** 44,
        low: 2 ** 43,
        aborted,
        data,
      },
      { topicId: IDS[0], partition: 9, error: 1, ...empty },
      { topicId: IDS[1], partition: 1, error: 100, ...empty },
    ],
  });
  assertEquals((await decode(fetchResponse([], { error: 70 }))).error, 70);
});

Deno.test("a response that is cut anywhere is an error, and takes no memory for lists that it announces", async () => {
  const { decode } = await encoded(fetchRequest([], { maxWaitMs: 1, maxBytes: 1, maxPartitionBytes: 1 }));
  const whole = fetchResponse([{ topicId: IDS[0], partition: 0, aborted: [{ producerId: 1n, firstOffset: 1 }] }]);
  for (let length = 0; length < whole.length - 2; length++) {
    assertThrows(() => void decode(whole.subarray(0, length)), RangeError, undefined, `${length} bytes`);
  }
  const { decode: decodeMetadata } = await encoded(metadataRequest([]));
  // 2^31 brokers.
  const lie = Buffer.from([0, 0, 0, 0, 0, 0x81, 0x80, 0x80, 0x80, 0x08]);
  assertThrows(() => void decodeMetadata(lie), RangeError);
  assertThrows(() => void decodeMetadata(Buffer.alloc(40, 0xff)), RangeError);
});

Deno.test("produceRequest() is what kafkajs sends for the same records", async () => {
  const timestamp = 1_700_000_000_000;
  const topicData = [
    { topic: "jobs", partitions: [3, 0] },
    { topic: "ümläut", partitions: [1] },
  ].map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map((partition) => ({
      partition,
      firstSequence: 40 + partition,
      messages: [
        { key: "k", value: "v", headers: { a: "1" }, timestamp: String(timestamp) },
        { key: null, value: null, headers: {}, timestamp: String(timestamp + 5) },
      ],
    })),
  }));
  const args = { transactionalId: null, producerId: 77, producerEpoch: 3, acks: -1, timeout: 30_000, topicData };
  const theirs = await definitions.Produce!.protocol({ version: 7 })(args).request.encode();
  const batches = topicData.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition, firstSequence }) => {
      const batch = new BatchBuilder();
      const headers = [["a", new TextEncoder().encode("1")]] as const;
      batch.add({ key: "k", value: "v", headers }, timestamp, 1e6);
      batch.add({ key: null, value: null }, timestamp + 5, 1e6);
      batch.seal("none");
      batch.stamp(77n, 3, firstSequence);
      // kafkajs writes 0, and the broker its own.
      batch.sealed!.writeInt32BE(0, 12);
      return { topic, partition, bytes: batch.sealed! };
    })
  );
  const ours = await encoded(produceRequest(batches, 30_000));
  assertEquals([ours.apiKey, ours.version, ours.isFlexible ?? false], [0, 7, false]);
  assertEquals(ours.body.toString("hex"), theirs.buffer.toString("hex"));
});

Deno.test("a produce response is read as kafkajs reads it", async () => {
  const payload = produceResponse([
    { topic: "a", partition: 0, baseOffset: 2 ** 40 },
    { topic: "a", partition: 7, error: 6, baseOffset: -1 },
    { topic: "b", partition: 1, error: 46, baseOffset: -1 },
  ], 12);
  const ours = await (await encoded(produceRequest([], 1))).decode(payload);
  assertEquals(ours, {
    clientSideThrottleTime: 12,
    partitions: [
      { topic: "a", partition: 0, error: 0, baseOffset: 2 ** 40 },
      { topic: "a", partition: 7, error: 6, baseOffset: -1 },
      { topic: "b", partition: 1, error: 46, baseOffset: -1 },
    ],
  });
  const args = { acks: -1, timeout: 1, topicData: [] };
  const theirs = await definitions.Produce!.protocol({ version: 7 })(args).response.decode(payload) as {
    clientSideThrottleTime: number;
    topics: { topicName: string; partitions: { partition: number; errorCode: number; baseOffset: string }[] }[];
  };
  assertEquals(theirs.clientSideThrottleTime, 12);
  assertEquals(
    theirs.topics.flatMap(({ topicName, partitions }) =>
      partitions.map(({ partition, errorCode, baseOffset }) => ({
        topic: topicName,
        partition,
        error: errorCode,
        baseOffset: Number(baseOffset),
      }))
    ),
    [...ours.partitions],
  );
});

Deno.test("chooseVersion() takes the highest that both sides understand, and names both ranges if there is none", () => {
  const choose = (theirs: readonly [number, number] | null, ours = { min: 2, max: 5 }) =>
    chooseVersion("X", 9, ours, theirs === null ? {} : { 9: { minVersion: theirs[0], maxVersion: theirs[1] } });
  assertEquals([choose([0, 9]), choose([0, 3]), choose([5, 9]), choose([2, 2])], [5, 3, 5, 2]);
  assertThrows(() => choose([6, 9]), UnsupportedVersionError, "from 2 to 5: the broker understands 6 to 9");
  assertThrows(() => choose([0, 1]), UnsupportedVersionError, "understands 0 to 1");
  assertThrows(() => choose(null), UnsupportedVersionError, "the broker does not know it");
});

Deno.test("integers of 64 bits are exact to 2^53, and varints to 2^32", () => {
  const bytes = Buffer.alloc(8);
  for (const value of [0, -1, 1, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 53 - 1, -(2 ** 53) + 1, -2]) {
    bytes.writeBigInt64BE(BigInt(value));
    assertEquals(readInt64(bytes, 0), value);
    assertEquals(new Reader(bytes).int64(), value);
  }
  for (const value of [0, 1, 127, 128, 16_383, 16_384, 2 ** 21, 2 ** 28 - 1, 2 ** 28, 2 ** 31 - 1]) {
    const end = writeVarint(bytes, value, 0);
    assert(end >= 1 && end <= 5);
    assertEquals(new Reader(bytes.subarray(0, end)).varint(), value);
  }
  assertThrows(() => new Reader(Buffer.alloc(8, 0xff)).varint(), RangeError, "an integer has no end");
});
