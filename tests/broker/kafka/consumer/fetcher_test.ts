/** The fetcher on a scripted broker: one request a leader, pauses, and the reaction to each error code. */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import type { RecordBatch } from "../../../../src/broker/broker.ts";
import { FetchedPartition } from "../../../../src/broker/kafka/consumer/fetched_partition.ts";
import { Fetcher, type FetchHandler } from "../../../../src/broker/kafka/consumer/fetcher.ts";
import type { Cluster } from "../../../../src/broker/kafka/wire/cluster.ts";
import { Code, errorName } from "../../../../src/broker/kafka/wire/errors.ts";
import { batchesIn } from "../../../../src/broker/kafka/batch/layout.ts";
import { batchOf, changed, markerBatch } from "../../../support/kafka/batches.ts";
import { Api } from "../../../support/kafka/scripted_broker.ts";
import { ScriptedKafka, TOPIC, TOPIC_ID } from "../../../support/kafka/scripted_kafka.ts";
import { positionsOf } from "../../../support/kafka/scripted_log.ts";
import { fetchResponse, listOffsetsResponse } from "../../../support/kafka/scripted_responses.ts";
import { MachineMeter } from "../../../support/machine_meter.ts";
import { durationMs, until } from "../../../support/until.ts";

interface World {
  readonly kafka: ScriptedKafka;
  readonly cluster: Cluster;
  readonly fetcher: Fetcher;
  readonly partitions: readonly FetchedPartition[];
  /** The records that were handed over: `"partition@offset value"`. */
  readonly records: string[];
  /** Offset after what was handed over, by partition. */
  readonly next: Map<number, number>;
  readonly events: string[];
  /** Called before a batch is noted. */
  onBatch: (at: FetchedPartition, batch: RecordBatch) => void;
  append(partition: number, ...values: string[]): void;
  /** The positions of each fetch so far, as `"partition@offset"`. */
  fetches(): string[][];
  received(...expected: string[]): Promise<void>;
}

async function withFetcher(
  use: (world: World) => Promise<void>,
  {
    partitions = 2,
    others = 0,
    from = 0 as number | null,
    requestTimeoutMs = 1000,
    prepare = (_kafka: ScriptedKafka): void => {},
  } = {},
): Promise<void> {
  await using kafka = new ScriptedKafka({ partitions, others });
  prepare(kafka);
  const cluster = kafka.connect({ requestTimeoutMs });
  const [records, events, next] = [[] as string[], [] as string[], new Map<number, number>()];
  const handler: FetchHandler = {
    records(at, batch) {
      world.onBatch(at, batch);
      next.set(at.partition, batch.next);
      for (const { offset, value } of batch.records) records.push(`${at.partition}@${offset} ${value}`);
    },
    expired: (at, from, to) => void events.push(`expired ${at.partition} ${from} ${to}`),
    leaderChanged: (at, hasLeader) => void events.push(`${hasLeader ? "leader" : "no leader"} ${at.partition}`),
    topicsRefreshed() {},
    failed: (error) => void events.push(`failed ${(error as Error).message}`),
    log() {},
  };
  const fetcher = new Fetcher(cluster, handler, { purpose: "fetch 1", maxBytes: 4e6, maxRecordBytes: 1e6 });
  const list = Array.from({ length: partitions }, (_, partition) => {
    return new FetchedPartition({ topic: TOPIC, partition }, from, undefined);
  });
  const world: World = {
    kafka,
    cluster,
    fetcher,
    partitions: list,
    records,
    next,
    events,
    onBatch() {},
    append: (partition, ...values) => {
      kafka.log.append(partition, batchOf(values.map((value) => ({ value, timestampMs: 1 }))));
    },
    fetches: () =>
      [kafka.broker, ...kafka.others].flatMap((broker) => broker.received(Api.fetch)).map((request) =>
        positionsOf(request).map(({ partition, offset }) => `${partition}@${offset}`)
      ),
    received: (...expected) =>
      until(() => expected.every((record) => records.includes(record)), () => records.join(", ")).then(() => {}),
  };
  try {
    await cluster.metadata.refresh([TOPIC]);
    await use(world);
    assert(!world.events.some((event) => event.startsWith("failed")), world.events.join());
  } finally {
    fetcher.close();
    cluster.close();
  }
}

/** Fetches all partitions. */
function addAll({ fetcher, partitions }: World): void {
  for (const at of partitions) fetcher.add(at);
}

Deno.test("Fetcher hands records over in order, each once, with the end of what was handed over", async () => {
  await withFetcher(async (world) => {
    world.append(0, "a", "b");
    world.append(0, "c");
    addAll(world);
    await world.received("0@0 a", "0@1 b", "0@2 c");
    world.append(1, "d");
    world.append(0, "e");
    await world.received("1@0 d", "0@3 e");
    assertEquals(world.records.filter((record) => record.startsWith("0")), ["0@0 a", "0@1 b", "0@2 c", "0@3 e"]);
    assertEquals([...world.next].toSorted(), [[0, 4], [1, 1]]);
  });
});

Deno.test("Fetcher has one request in flight for each leader, whatever happens meanwhile", async () => {
  await withFetcher(async (world) => {
    world.kafka.partitions![1] = { leader: 1 };
    let [inFlight, most] = [0, 0];
    for (const broker of [world.kafka.broker, world.kafka.others[0]!]) {
      let here = 0;
      broker.on(Api.fetch, async (request) => {
        most = Math.max(most, ++here);
        inFlight++;
        const response = fetchResponse(await world.kafka.log.fetch(positionsOf(request), 20));
        here--;
        return response;
      });
    }
    addAll(world);
    for (let n = 0; n < 20; n++) {
      world.append(n % 2, `${n}`);
      world.fetcher.pause(world.partitions[n % 2]!);
      world.fetcher.freeze();
      world.fetcher.thaw();
      world.fetcher.resume(world.partitions[n % 2]!);
      await world.received(`${n % 2}@${n >> 1} ${n}`);
    }
    assertEquals(most, 1);
    assert(inFlight > 5);
  }, { others: 1, prepare: (kafka) => kafka.partitions![1] = { leader: 1 } });
});

Deno.test("Fetcher asks for a partition last after it got something", async () => {
  await withFetcher(async (world) => {
    world.kafka.broker.on(Api.fetch, async (request) => {
      const positions = positionsOf(request);
      // As a broker whose response is full after the first partition.
      const [first] = await world.kafka.log.fetch(positions.slice(0, 1), 0);
      const rest = positions.slice(1).map(({ topicId, partition }) => ({ topicId, partition }));
      return fetchResponse([first!, ...rest]);
    });
    for (const partition of [0, 1, 2]) world.append(partition, "x");
    addAll(world);
    await world.received("0@0 x", "1@0 x", "2@0 x");
    assertEquals(world.fetches().slice(0, 3), [["0@0", "1@0", "2@0"], ["1@0", "2@0", "0@1"], ["2@0", "0@1", "1@1"]]);
  }, { partitions: 3 });
});

Deno.test("a partition with much to read does not wait until there is something of the others", async () => {
  await withFetcher(async (world) => {
    for (let n = 0; n < 20; n++) world.append(0, `${n}`);
    const { log } = world.kafka;
    // One batch of a partition in each response, as where each batch is as large as the limit.
    world.kafka.broker.on(Api.fetch, async (request) => {
      const positions = positionsOf(request);
      const found = await log.fetch(positions, 250);
      return fetchResponse(found.map((at) => ({ ...at, data: firstBatch(at.data!) })));
    });
    using machine = new MachineMeter();
    const startedMs = performance.now();
    addAll(world);
    await world.received("0@19 19");
    // One wait for the other partition between two batches would be five seconds.
    machine.assertWithin("reading", performance.now() - startedMs, 2500);
    assert(world.fetches().filter((at) => at.length === 2).length >= 20, "both are asked for each time");
  });
});

function firstBatch(data: Uint8Array): Uint8Array {
  const [first] = batchesIn(Buffer.from(data));
  return data.subarray(0, first?.end ?? 0);
}

Deno.test("pause() takes effect between two batches, and resume() hands the rest over first", async () => {
  await withFetcher(async (world) => {
    for (const value of ["a", "b", "c"]) world.append(0, value);
    world.onBatch = (at, { next }) => {
      if (next === 1) world.fetcher.pause(at);
    };
    world.fetcher.add(world.partitions[0]!);
    await world.received("0@0 a");
    world.fetcher.add(world.partitions[1]!);
    world.append(1, "other");
    await world.received("1@0 other");
    assertEquals(world.records, ["0@0 a", "1@0 other"]);
    // While it is paused it is not fetched.
    assertEquals(world.fetches().slice(2).flat().filter((at) => at.startsWith("0")), []);
    world.append(0, "d");
    world.fetcher.resume(world.partitions[0]!);
    assertEquals(world.records.length, 2, "nothing is handed over within the call");
    await world.received("0@3 d");
    assertEquals(world.records.slice(2), ["0@1 b", "0@2 c", "0@3 d"]);
  });
});

Deno.test("resume() and pause() in one turn hand over nothing", async () => {
  await withFetcher(async (world) => {
    const [at, other] = world.partitions as [FetchedPartition, FetchedPartition];
    world.fetcher.pause(at);
    addAll(world);
    world.append(0, "a");
    world.fetcher.resume(at);
    world.fetcher.pause(at);
    world.append(1, "b");
    await world.received("1@0 b");
    assertEquals(world.records, ["1@0 b"]);
    world.fetcher.resume(at);
    await world.received("0@0 a");
    assert(!other.isPaused);
  });
});

Deno.test("freeze() holds back what arrives, and thaw() hands it over", async () => {
  await withFetcher(async (world) => {
    addAll(world);
    await until(() => world.fetches().length > 0, () => "not fetched");
    world.fetcher.freeze();
    world.append(0, "a");
    await until(() => world.partitions[0]!.waiting.length > 0, () => "not fetched");
    assertEquals(world.records, []);
    world.fetcher.thaw();
    assertEquals(world.records, ["0@0 a"]);
    world.append(1, "b");
    await world.received("1@0 b");
  });
});

Deno.test("remove() drops what was fetched, and the response that is on its way", async () => {
  await withFetcher(async (world) => {
    const [at] = world.partitions as [FetchedPartition];
    const arrived = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    world.kafka.broker.next(Api.fetch, async (request) => {
      arrived.resolve();
      await released.promise;
      return fetchResponse(await world.kafka.log.fetch(positionsOf(request), 0));
    });
    world.append(0, "a");
    world.fetcher.add(at);
    await arrived.promise;
    world.fetcher.remove(at);
    // A new ownership of the same partition goes on elsewhere.
    const fresh = new FetchedPartition(at, 1, TOPIC_ID);
    world.fetcher.add(fresh);
    released.resolve();
    world.append(0, "b");
    await world.received("0@1 b");
    assertEquals(world.records, ["0@1 b"]);
  });
});

Deno.test("Fetcher asks for the beginning of the log where there is no position", async () => {
  await withFetcher(async (world) => {
    world.kafka.broker.on(Api.listOffsets, () => listOffsetsResponse([{ topic: TOPIC, partition: 0, offset: 1 }]));
    world.append(0, "a", "b");
    world.fetcher.add(world.partitions[0]!);
    await world.received("0@1 b");
    assertEquals([world.records, world.events], [["0@1 b"], []]);
  }, { from: null });
});

Deno.test("Fetcher after OFFSET_OUT_OF_RANGE: goes on at the beginning of the log, and reports what is gone", async () => {
  await withFetcher(async (world) => {
    world.append(0, "a", "b", "c");
    world.kafka.broker.on(Api.listOffsets, () => listOffsetsResponse([{ topic: TOPIC, partition: 0, offset: 2 }]));
    world.kafka.broker.next(
      Api.fetch,
      () => fetchResponse([{ topicId: TOPIC_ID, partition: 0, error: Code.offsetOutOfRange }]),
    );
    world.fetcher.add(world.partitions[0]!);
    await world.received("0@2 c");
    assertEquals([world.records, world.events], [["0@2 c"], ["expired 0 0 2"]]);
  });
});

for (
  const code of [
    Code.unknownTopicOrPartition,
    Code.leaderNotAvailable,
    Code.notLeader,
    Code.replicaNotAvailable,
    Code.kafkaStorageError,
    Code.fencedLeaderEpoch,
    Code.unknownLeaderEpoch,
    Code.offsetNotAvailable,
    Code.unknownTopicId,
    Code.inconsistentTopicId,
    Code.topicAuthorizationFailed,
    Code.unknown,
    32_000,
  ]
) {
  Deno.test(`Fetcher after ${errorName(code)} for one partition: asks for its leader, and the other goes on`, async () => {
    await withFetcher(async (world) => {
      world.append(0, "a");
      world.append(1, "b");
      let errors = 0;
      world.kafka.broker.on(Api.fetch, async (request) => {
        const positions = positionsOf(request);
        const found = await world.kafka.log.fetch(positions, 20);
        if (errors >= 2 || !positions.some(({ partition }) => partition === 0)) return fetchResponse(found);
        errors++;
        // FENCED_LEADER_EPOCH: metadata of the same epoch is out of date, and waited out.
        world.kafka.partitions![0] = { leader: 0, leaderEpoch: errors };
        return fetchResponse(
          found.map((at) => at.partition === 0 ? { topicId: TOPIC_ID, partition: 0, error: code } : at),
        );
      });
      const asked = world.kafka.broker.received(Api.metadata).length;
      addAll(world);
      await world.received("1@0 b");
      world.append(1, "c");
      await world.received("1@1 c");
      await world.received("0@0 a");
      assertEquals(errors, 2);
      assert(world.kafka.broker.received(Api.metadata).length > asked);
      assertEquals(world.records.toSorted(), ["0@0 a", "1@0 b", "1@1 c"]);
    });
  });
}

Deno.test("a partition without a leader waits alone, is reported once, and goes on when it has one", async () => {
  await withFetcher(async (world) => {
    world.append(0, "a");
    world.append(1, "b");
    addAll(world);
    await world.received("1@0 b");
    const asked = world.kafka.broker.received(Api.metadata).length;
    await until(() => world.kafka.broker.received(Api.metadata).length >= asked + 3, () => "not asked");
    assertEquals([world.records, world.events], [["1@0 b"], ["no leader 0"]]);
    world.kafka.partitions![0] = { leader: 0, leaderEpoch: 7 };
    await world.received("0@0 a");
    assertEquals(world.events, ["no leader 0", "leader 0"]);
    const last = world.kafka.broker.received(Api.fetch).flatMap(positionsOf).findLast(({ partition }) =>
      partition === 0
    );
    assertEquals(last!.leaderEpoch, 7);
  }, { prepare: (kafka) => kafka.partitions![0] = { error: 5, leader: -1 } });
});

Deno.test("a partition moves to its new leader, and keeps its place", async () => {
  await withFetcher(async (world) => {
    const [other] = world.kafka.others;
    world.append(0, "a");
    addAll(world);
    await world.received("0@0 a");
    world.kafka.partitions = [{ leader: 1, leaderEpoch: 1 }, { leader: 0 }];
    world.kafka.broker.on(Api.fetch, async (request) => {
      const found = await world.kafka.log.fetch(positionsOf(request), 20);
      return fetchResponse(
        found.map((at) => at.partition === 0 ? { ...at, data: new Uint8Array(), error: Code.notLeader } : at),
      );
    });
    const before = world.fetches().length;
    await until(() => world.fetches().length > before, () => "not fetched");
    world.append(0, "b");
    await world.received("0@1 b");
    assert(other!.received(Api.fetch).length > 0);
    assertEquals(world.records, ["0@0 a", "0@1 b"]);
  }, { others: 1 });
});

Deno.test("the response of a leader that is silent is not waited for once another broker leads", async () => {
  await withFetcher(async (world) => {
    world.kafka.broker.on(Api.fetch, () => "silence");
    addAll(world);
    await until(() => world.fetches().length > 0, () => "not fetched");
    world.kafka.partitions = [{ leader: 1, leaderEpoch: 1 }, { leader: 0 }];
    world.append(0, "a");
    const tookMs = await durationMs(() => world.received("0@0 a"));
    assert(tookMs < 10_000, `It took ${tookMs} ms`);
  }, { others: 1, requestTimeoutMs: 20_000 });
});

Deno.test("metadata that is older than the response of a broker is not followed", async () => {
  await withFetcher(async (world) => {
    let fenced = 0;
    world.kafka.broker.on(Api.fetch, (request) => {
      fenced++;
      const found = positionsOf(request);
      return fetchResponse(
        found.map(({ topicId, partition }) => ({ topicId, partition, error: Code.fencedLeaderEpoch })),
      );
    });
    world.append(0, "a");
    world.fetcher.add(world.partitions[0]!);
    const asked = () => world.kafka.broker.received(Api.metadata).length;
    await until(() => fenced === 1, () => `${fenced}`);
    const before = asked();
    await until(() => asked() > before + 1, () => `${asked()}`);
    assertEquals(fenced, 1);
    world.kafka.partitions = [{ leader: 1, leaderEpoch: 1 }, { leader: 0 }];
    await world.received("0@0 a");
    assertEquals(fenced, 1);
  }, { others: 1 });
});

for (const code of [Code.notLeader, Code.fencedLeaderEpoch]) {
  Deno.test(`Fetcher after ${errorName(code)}: asks another broker where the first one has old metadata`, async () => {
    await withFetcher(async (world) => {
      const old = world.kafka.metadata();
      world.kafka.broker.on(Api.metadata, () => old);
      world.kafka.broker.on(Api.fetch, (request) => {
        const found = positionsOf(request);
        return fetchResponse(found.map(({ topicId, partition }) => ({ topicId, partition, error: code })));
      });
      world.kafka.partitions = [{ leader: 1, leaderEpoch: 1 }, { leader: 1, leaderEpoch: 1 }];
      world.append(0, "a");
      world.fetcher.add(world.partitions[0]!);
      await world.received("0@0 a");
    }, { others: 1 });
  });
}

Deno.test("Fetcher asks another broker where the one that is silent has its own place in old metadata", async () => {
  await withFetcher(async (world) => {
    const old = world.kafka.metadata();
    world.kafka.broker.on(Api.metadata, () => old);
    world.kafka.broker.on(Api.fetch, () => "silence");
    world.kafka.partitions = [{ leader: 1, leaderEpoch: 1 }, { leader: 1, leaderEpoch: 1 }];
    world.append(0, "a");
    world.fetcher.add(world.partitions[0]!);
    const tookMs = await durationMs(() => world.received("0@0 a"));
    assert(tookMs < 10_000, `It took ${tookMs} ms`);
  }, { others: 1, requestTimeoutMs: 20_000 });
});

for (const answer of ["cut", "cutInFrame", "silence"] as const) {
  Deno.test(`Fetcher after a fetch that gets no response (${answer}): goes on where it was`, async () => {
    await withFetcher(async (world) => {
      world.append(0, "a");
      world.kafka.broker.next(Api.fetch, () => answer);
      addAll(world);
      await world.received("0@0 a");
      assertEquals(world.records, ["0@0 a"]);
    });
  });
}

Deno.test("a topic that is deleted while its partition is paused does not end the fetcher", async () => {
  await withFetcher(async (world) => {
    const [at, other] = world.partitions as [FetchedPartition, FetchedPartition];
    addAll(world);
    await until(() => world.fetches().length > 0, () => "not fetched");
    world.fetcher.pause(at);
    world.fetcher.pause(other);
    const { partitions } = world.kafka;
    world.kafka.partitions = null;
    world.kafka.broker.on(Api.fetch, async (request) => {
      if (world.kafka.partitions !== null) return fetchResponse(await world.kafka.log.fetch(positionsOf(request), 20));
      return fetchResponse(
        positionsOf(request).map(({ topicId, partition }) => ({ topicId, partition, error: Code.unknownTopicId })),
      );
    });
    // Another part of the client learns of it first.
    await world.cluster.metadata.refresh([TOPIC]);
    const asked = world.kafka.broker.received(Api.metadata).length;
    world.fetcher.resume(at);
    await until(() => world.kafka.broker.received(Api.metadata).length > asked, () => "not asked for");
    world.kafka.partitions = partitions;
    world.append(0, "a");
    await world.received("0@0 a");
    // A topic that is missing is not a partition without a leader.
    assertEquals(world.events, []);
  });
});

Deno.test("batches without records for the consumer advance the position, and are handed over as empty", async () => {
  await withFetcher(async (world) => {
    const { log } = world.kafka;
    const transactional = { attributes: 16, producerId: 9 };
    log.append(0, changed(batchOf([{ value: "aborted", timestampMs: 1 }]), transactional));
    log.append(0, markerBatch(0, 9, "abort"));
    world.kafka.broker.next(Api.fetch, async (request) => {
      const found = await log.fetch(positionsOf(request), 0);
      return fetchResponse(found.map((at) => ({ ...at, aborted: [{ producerId: 9n, firstOffset: 0 }] })));
    });
    const nexts: number[] = [];
    world.onBatch = (_at, { next }) => void nexts.push(next);
    world.fetcher.add(world.partitions[0]!);
    await until(() => world.next.get(0) === 2, () => `${world.next.get(0)}`);
    world.append(0, "a");
    await world.received("0@2 a");
    assertEquals([nexts, world.records], [[1, 2, 3], ["0@2 a"]]);
  });
});

Deno.test("data in which no batch is found, and batches that cannot be read, do not make the fetcher ask in a loop", async () => {
  await withFetcher(async (world) => {
    const garbage = Buffer.alloc(100, 0xff);
    let fetches = 0;
    world.kafka.broker.on(Api.fetch, async (request) => {
      const positions = positionsOf(request);
      if (positions.some(({ partition, offset }) => partition === 0 && offset === 0)) {
        fetches++;
        return fetchResponse([{ topicId: TOPIC_ID, partition: 0, highWatermark: 1, data: garbage }]);
      }
      return fetchResponse(await world.kafka.log.fetch(positions, 20));
    });
    world.append(0, "lost");
    world.append(0, "b");
    world.fetcher.add(world.partitions[0]!);
    await world.received("0@1 b");
    assertEquals([world.records, fetches], [["0@0 null", "0@1 b"], 2]);
  });
});

Deno.test("Fetcher hands over no record beyond the high watermark, which a broker reads before the records", async () => {
  await withFetcher(async (world) => {
    const watermarks: number[] = [];
    world.onBatch = (_, { highWatermark }) => void watermarks.push(highWatermark);
    world.kafka.broker.on(Api.fetch, async (request) => {
      const found = await world.kafka.log.fetch(positionsOf(request), 20);
      return fetchResponse(found.map((at) => ({ ...at, highWatermark: 1 })));
    });
    world.append(0, "a", "b");
    world.fetcher.add(world.partitions[0]!);
    await world.received("0@0 a", "0@1 b");
    assertEquals(watermarks, [2]);
  }, { partitions: 1 });
});
