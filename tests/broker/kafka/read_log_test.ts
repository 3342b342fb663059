/** Reading a place of a log on a scripted broker: leaders that move, transactions, damaged and large batches, its limits. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import type { Broker, LogPage, ReadOptions } from "../../../src/broker/broker.ts";
import { KafkaBroker } from "../../../src/broker/kafka/broker.ts";
import { kafkaSettings } from "../../../src/broker/kafka/options.ts";
import { Code, errorName } from "../../../src/broker/kafka/wire/errors.ts";
import { BrokerError, UnknownTopicError } from "../../../src/errors.ts";
import { Monitor } from "../../../src/monitor/monitor.ts";
import { batchOf, changed, markerBatch } from "../../support/kafka/batches.ts";
import { packedBatch, withRecords } from "../../support/kafka/packed_batch.ts";
import { Api } from "../../support/kafka/scripted_broker.ts";
import { ScriptedKafka, TOPIC, TOPIC_ID } from "../../support/kafka/scripted_kafka.ts";
import { positionsOf } from "../../support/kafka/scripted_log.ts";
import { fetchResponse, listOffsetsResponse } from "../../support/kafka/scripted_responses.ts";
import { durationMs } from "../../support/until.ts";

/** A test on a scripted Kafka with two nodes, whose log has the records "a" and "b" in one batch. */
function testReading(name: string, run: (kafka: ScriptedKafka, broker: Broker) => Promise<void>): void {
  Deno.test(`read() ${name}`, async () => {
    await using kafka = new ScriptedKafka({ others: 1 });
    kafka.log.append(0, batch("a", "b"));
    const settings = kafkaSettings({ brokers: [kafka.broker.address], requestTimeoutMs: 5000 });
    await using broker = new KafkaBroker("kafka:scripted", settings, { clientId: "test", monitor: new Monitor() });
    await run(kafka, broker);
  });
}

function batch(...values: readonly string[]): Buffer {
  return batchOf(values.map((value) => ({ key: "k", value, timestampMs: 1 })));
}

function read(broker: Broker, options: Partial<ReadOptions> = {}): Promise<LogPage> {
  return broker.admin.read(TOPIC, 0, { from: 0, maxBytes: 1_000_000, ...options });
}

function shown({ records, next }: LogPage): unknown[] {
  return [...records.map(({ offset, value, unreadable }) => `${offset} ${unreadable ?? value}`), next];
}

/** Returns an error for a fetch. */
function fail(error: number) {
  return () => fetchResponse([{ topicId: TOPIC_ID, partition: 0, error, highWatermark: -1 }]);
}

const MOVED = [
  Code.notLeader,
  Code.leaderNotAvailable,
  Code.unknownTopicOrPartition,
  Code.replicaNotAvailable,
  Code.kafkaStorageError,
  Code.fencedLeaderEpoch,
  Code.unknownLeaderEpoch,
  Code.offsetNotAvailable,
  Code.unknownTopicId,
  Code.inconsistentTopicId,
];

for (const error of MOVED) {
  testReading(`looks for the leader again at ${errorName(error)}`, async (kafka, broker) => {
    assertEquals(shown(await read(broker)), ["0 a", "1 b", 2]);
    const asked = kafka.broker.received(Api.metadata).length;
    kafka.partitions![0] = { leader: 1, leaderEpoch: 5 };
    kafka.broker.on(Api.fetch, fail(error));
    assertEquals(shown(await read(broker)), ["0 a", "1 b", 2]);
    assert(kafka.broker.received(Api.metadata).length > asked);
    assertEquals(positionsOf(kafka.others[0]!.received(Api.fetch)[0]!)[0]!.leaderEpoch, 5);
  });
}

for (const error of [Code.offsetNotAvailable, Code.leaderNotAvailable]) {
  testReading(`waits for a new leader that ends its log too early, at ${errorName(error)}`, async (kafka, broker) => {
    assertEquals(shown(await read(broker)), ["0 a", "1 b", 2]);
    const leader = kafka.others[0]!;
    kafka.partitions![0] = { leader: 1, leaderEpoch: 5 };
    kafka.broker.on(Api.fetch, fail(Code.notLeader));
    let isBehind = true;
    leader.on(Api.fetch, async (request) => {
      const behind = [{ topicId: TOPIC_ID, partition: 0, highWatermark: 0 }];
      return fetchResponse(isBehind ? behind : await kafka.log.fetch(positionsOf(request), 0));
    });
    leader.next(Api.listOffsets, () => {
      isBehind = false;
      return listOffsetsResponse([{ topic: TOPIC, partition: 0, offset: -1, error }]);
    });
    assertEquals(shown(await read(broker)), ["0 a", "1 b", 2]);
  });
}

testReading("asks once for the leader, however often it reads", async (kafka, broker) => {
  for (let n = 0; n < 5; n++) await read(broker);
  assertEquals(kafka.broker.received(Api.metadata).length, 1);
  assertEquals(kafka.broker.received(Api.listOffsets).length, 1);
  assertEquals(kafka.broker.received(Api.fetch).length, 5);
});

testReading("tries again after a connection that is cut", async (kafka, broker) => {
  kafka.broker.next(Api.fetch, () => "cut", () => "cutInFrame");
  assertEquals(shown(await read(broker)), ["0 a", "1 b", 2]);
});

testReading("does not wait for a leader that is silent once another broker leads", async (kafka, broker) => {
  kafka.broker.on(Api.fetch, () => {
    kafka.partitions![0] = { leader: 1, leaderEpoch: 1 };
    return "silence";
  });
  const tookMs = await durationMs(async () => assertEquals(shown(await read(broker)), ["0 a", "1 b", 2]));
  assert(tookMs < 4000, `${tookMs} ms`);
});

testReading("ends at once with the reason of its signal, also while a broker is silent", async (kafka, broker) => {
  const controller = new AbortController();
  const reason = new Error("enough");
  kafka.broker.on(Api.fetch, () => {
    controller.abort(reason);
    return "silence";
  });
  const error = await assertRejects(() => read(broker, { signal: controller.signal }));
  assertEquals(error, reason);
});

testReading("rejects at once with an error that no further try can help", async (kafka, broker) => {
  kafka.broker.on(Api.fetch, fail(Code.topicAuthorizationFailed));
  await assertRejects(() => read(broker), BrokerError, `Cannot read ${TOPIC}/0@0: Fetch: TOPIC_AUTHORIZATION_FAILED`);
  assertEquals(kafka.broker.received(Api.fetch).length, 1);
});

testReading("rejects for a topic that is deleted meanwhile", async (kafka, broker) => {
  await read(broker);
  kafka.partitions = null;
  kafka.broker.on(Api.fetch, fail(Code.unknownTopicId));
  await assertRejects(() => read(broker), UnknownTopicError, TOPIC);
});

testReading("stops at the offset that is given, inside of a batch", async (kafka, broker) => {
  kafka.log.append(0, batch("c", "d", "e"));
  assertEquals(shown(await read(broker, { to: 3 })), ["0 a", "1 b", "2 c", 3]);
  assertEquals(shown(await read(broker, { from: 3 })), ["3 d", "4 e", 5]);
});

testReading("asks without a wait, by its own limits, on a connection of its own", async (kafka, broker) => {
  await read(broker, { maxBytes: 12_345 });
  await read(broker, { maxBytes: Infinity });
  const [request, unlimited] = kafka.broker.received(Api.fetch);
  const { body, connection } = request!;
  // Wait, least and most bytes; the most bytes of the partition come last, before three bytes of ends.
  assertEquals([body.readInt32BE(4), body.readInt32BE(8), body.readInt32BE(12)], [0, 1, 12_345]);
  assertEquals(unlimited!.body.readInt32BE(12), 2 ** 31 - 1);
  const others = kafka.broker.requests.filter(({ api }) => api !== Api.fetch && api !== Api.apiVersions);
  assert(others.length > 0 && others.every((other) => other.connection !== connection));
});

testReading(
  "leaves out aborted transactions and markers, and reads up to the last stable offset",
  async (kafka, broker) => {
    const transactional = { attributes: 16, producerId: 9 };
    const { log } = kafka;
    log.append(0, changed(batch("aborted"), transactional));
    log.append(0, markerBatch(0, 9, "abort"));
    log.append(0, batch("c"));
    log.append(0, changed(batch("aborted too"), transactional));
    log.append(0, markerBatch(0, 9, "abort"));
    kafka.broker.on(Api.fetch, async (request) => {
      const aborted = [{ producerId: 9n, firstOffset: 2 }, { producerId: 9n, firstOffset: 5 }];
      return fetchResponse(
        (await log.fetch(positionsOf(request), 0)).map((at) => ({
          ...at,
          aborted,
          lastStable: 7,
          highWatermark: 9,
          low: 0,
        })),
      );
    });
    const page = await read(broker);
    assertEquals(shown(page), ["0 a", "1 b", "4 c", 7]);
    assertEquals([page.low, page.high, page.lastStable], [0, 9, 7]);
    assertEquals(shown(await read(broker, { from: 5 })), [7]);
  },
);

/** Responds to each position outside of the log as a Kafka does whose log has the offsets 10 up to, but without, 12. */
function scriptEnds(kafka: ScriptedKafka): void {
  kafka.broker.on(Api.listOffsets, ({ body }) => {
    const isCommitted = body[4] === 1;
    const isEarliest = body.readBigInt64BE(body.length - 8) === -2n;
    const offset = isEarliest ? 10 : isCommitted ? 11 : 12;
    return listOffsetsResponse([{ topic: TOPIC, partition: 0, offset }]);
  });
  kafka.broker.on(Api.fetch, (request) => {
    const { offset } = positionsOf(request)[0]!;
    if (offset < 10 || offset > 12) return fail(Code.offsetOutOfRange)();
    const data = offset > 10 ? Buffer.alloc(0) : changed(batch("x"), { baseOffset: 10 });
    return fetchResponse([{ topicId: TOPIC_ID, partition: 0, low: 10, highWatermark: 12, lastStable: 11, data }]);
  });
}

testReading("starts at the beginning of the log if the position is before it", async (kafka, broker) => {
  scriptEnds(kafka);
  const page = await read(broker, { from: 3 });
  assertEquals([...shown(page), page.low, page.high, page.lastStable], ["10 x", 11, 10, 12, 11]);
});

testReading("returns the ends of the log if the position is behind it", async (kafka, broker) => {
  scriptEnds(kafka);
  assertEquals(await read(broker, { from: 13 }), { records: [], next: 13, low: 10, high: 12, lastStable: 11 });
  assertEquals(await read(broker, { from: 11 }), { records: [], next: 11, low: 10, high: 12, lastStable: 11 });
});

testReading("tries again if a leader does not know a position yet that lies in the log", async (kafka, broker) => {
  scriptEnds(kafka);
  kafka.broker.next(Api.fetch, fail(Code.offsetOutOfRange), fail(Code.offsetOutOfRange));
  assertEquals(shown(await read(broker, { from: 10 })), ["10 x", 11]);
  assertEquals(kafka.broker.received(Api.fetch).length, 3);
});

const damagedBatch = (): Buffer => {
  const bytes = batch("x", "y");
  bytes[bytes.length - 3]! ^= 1;
  return bytes;
};
const WRONG_CHECKSUM = "The batch with offsets 2 to 3 cannot be read: its checksum is wrong, it is damaged";

testReading("fetches a damaged batch once more, and reads it if it is sound then", async (kafka, broker) => {
  kafka.broker.next(Api.fetch, () => {
    const damaged = changed(batch("a", "b"), {});
    damaged[damaged.length - 3]! ^= 1;
    return fetchResponse([{ topicId: TOPIC_ID, partition: 0, highWatermark: 2, data: damaged }]);
  });
  assertEquals(shown(await read(broker)), ["0 a", "1 b", 2]);
  assertEquals(kafka.broker.received(Api.fetch).length, 2);
});

testReading(
  "returns a batch that stays damaged as one unreadable record, and those around it",
  async (kafka, broker) => {
    kafka.log.append(0, damagedBatch());
    kafka.log.append(0, batch("c"));
    assertEquals(shown(await read(broker)), ["0 a", "1 b", `2 ${WRONG_CHECKSUM}`, "4 c", 5]);
    assertEquals(kafka.broker.received(Api.fetch).length, 2);
    const [unreadable] = (await read(broker, { from: 2, values: false })).records;
    assertEquals([unreadable!.key, unreadable!.value, unreadable!.unreadable], [null, null, WRONG_CHECKSUM]);
  },
);

testReading("passes over data in which no batch is found, one offset at a time", async (kafka, broker) => {
  kafka.broker.on(Api.fetch, () => {
    return fetchResponse([{ topicId: TOPIC_ID, partition: 0, highWatermark: 3, data: Buffer.alloc(100, 0xff) }]);
  });
  const page = await read(broker, { from: 1 });
  assertEquals(shown(page), [
    "1 The batch with offsets 1 to 1 cannot be read: its length is wrong, it is damaged",
    2,
  ]);
  assertEquals(kafka.broker.received(Api.fetch).length, 2);
});

testReading(
  "returns the records before the damage inside of a batch, and one unreadable record for the others",
  async (kafka, broker) => {
    const sound = batch("x", "y", "z");
    kafka.log.append(
      0,
      withRecords(sound, Buffer.concat([sound.subarray(61, 61 + 11), Buffer.from([80, 0, 0])]), "none"),
    );
    kafka.log.append(0, batch("c"));
    const reason = "The batch with offsets 2 to 4 cannot be read: a record reaches beyond its end";
    assertEquals(shown(await read(broker, { from: 2 })), ["2 x", `3 ${reason}`, "5 c", 6]);
  },
);

for (const compression of ["gzip", "zstd", "none"] as const) {
  testReading(
    `returns a large batch in ${compression} in parts, each about as large as wanted`,
    async (kafka, broker) => {
      const values = Array.from({ length: 60 }, (_, n) => `${n} ${"x".repeat(100_000)}`);
      kafka.log.append(0, packedBatch(values.map((value) => ({ key: "k", value })), compression));
      const read: string[] = [];
      let pages = 0;
      for (let from = 2; from < 62; pages++) {
        const page = await broker.admin.read(TOPIC, 0, { from, maxBytes: 500_000 });
        const bytes = page.records.reduce((sum, { value }) => sum + value!.length, 0);
        assert(bytes <= 2_500_000, `${bytes} bytes at once`);
        read.push(...page.records.map(({ value }) => `${Buffer.from(value!)}`));
        from = page.next;
      }
      assertEquals([read.length, read.every((value, n) => value === values[n])], [60, true]);
      assert(pages >= 3, `${pages} pages`);
    },
  );
}

testReading("keeps the response alive by none of its records", async (kafka, broker) => {
  const large = new Uint8Array(100_000).fill(0xfe);
  kafka.log.append(0, packedBatch([{ key: large, value: large }]));
  const [record] = (await read(broker, { from: 2 })).records;
  for (const data of [record!.key, record!.value]) {
    assert(
      data instanceof Uint8Array && data.buffer.byteLength === large.length && data.every((byte) => byte === 0xfe),
    );
  }
  const [bare] = (await read(broker, { from: 2, values: false })).records;
  assertEquals([bare!.value, (bare!.key as Uint8Array).buffer.byteLength], ["", large.length]);
});
