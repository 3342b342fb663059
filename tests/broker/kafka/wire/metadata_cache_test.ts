import { assert, assertEquals, assertRejects } from "@std/assert";
import { MetadataCache } from "../../../../src/broker/kafka/wire/metadata_cache.ts";
import type { MetadataResponse, TopicMetadata } from "../../../../src/broker/kafka/wire/metadata_request.ts";
import { Reader } from "../../../../src/broker/kafka/wire/reader.ts";
import type { EncodedRequest, Request } from "../../../../src/broker/kafka/wire/request.ts";

interface Asked {
  readonly topics: readonly string[];
  answer(topics?: readonly TopicMetadata[]): void;
  fail(error: Error): void;
}

function topic(name: string, error = 0, leaders: readonly number[] = [1]): TopicMetadata {
  const partitions = leaders.map((leader, partition) => ({ error: 0, partition, leader, leaderEpoch: 0 }));
  return { topic: name, error, topicId: "00".repeat(16), partitions };
}

/** A cache whose requests the test responds to. */
function scripted() {
  const asked: Asked[] = [];
  const responses: MetadataResponse[] = [];
  const ask = async <Response>(request: Request<Response>): Promise<Response> => {
    const encoded = request.encode({ 3: { minVersion: 0, maxVersion: 13 } }) as EncodedRequest<Response>;
    const { promise, resolve, reject } = Promise.withResolvers<MetadataResponse>();
    asked.push({
      topics: namesIn(encoded.body),
      answer: (topics = []) => resolve({ clientSideThrottleTime: 0, brokers: [], controllerId: 0, topics }),
      fail: reject,
    });
    return await promise as Response;
  };
  return { cache: new MetadataCache(ask, (response) => responses.push(response)), asked, responses };
}

function namesIn(body: Uint8Array): string[] {
  const reader = new Reader(body as ConstructorParameters<typeof Reader>[0]);
  return reader.compactArray(() => {
    reader.bytes(16);
    const name = reader.compactString()!;
    reader.skipTags();
    return name;
  });
}

/** Lets everything go on that can. */
const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("refresh() shares one request among those that ask before it is sent", async () => {
  const { cache, asked, responses } = scripted();
  const all = Promise.all([cache.refresh(["a"]), cache.refresh(["b", "a"]), cache.refresh([])]);
  await turn();
  assertEquals(asked.map(({ topics }) => topics), [["a", "b"]]);
  asked[0]!.answer([topic("a"), topic("b")]);
  await all;
  assertEquals(responses.length, 1);
  assert(cache.topic("a") !== undefined && cache.topic("b") !== undefined && cache.topic("c") === undefined);
});

Deno.test("refresh() never returns with an answer to a request that was sent before the call", async () => {
  const { cache, asked } = scripted();
  const first = cache.refresh(["a"]);
  await turn();
  let isDone = false;
  const calledAtMs = performance.now();
  const second = cache.refresh(["a"]).then(() => isDone = true);
  const third = cache.refresh(["b"]);
  asked[0]!.answer([topic("a", 0, [1])]);
  await first;
  await turn();
  assertEquals([isDone, asked.map(({ topics }) => topics)], [false, [["a"], ["a", "b"]]]);
  asked[1]!.answer([topic("a", 0, [2])]);
  await Promise.all([second, third]);
  assertEquals(cache.partition("a", 0)?.leader, 2);
  assert(cache.topic("a")!.askedAtMs >= calledAtMs);
});

Deno.test("refresh() rejects for those whose request failed only", async () => {
  const { cache, asked } = scripted();
  const first = cache.refresh(["a"]);
  await turn();
  const second = cache.refresh(["a"]);
  asked[0]!.fail(new Error("away"));
  await assertRejects(() => first, Error, "away");
  await turn();
  asked[1]!.answer([topic("a")]);
  await second;
  assertEquals(asked.length, 2);
});

Deno.test("the cache keeps each topic's and each partition's error, and what it knows of others", async () => {
  const { cache, asked } = scripted();
  const refresh = async (...topics: TopicMetadata[]): Promise<void> => {
    const done = cache.refresh(topics.map(({ topic }) => topic));
    await turn();
    asked.at(-1)!.answer(topics);
    await done;
  };
  const half = { ...topic("half"), partitions: [{ error: 5, partition: 0, leader: -1, leaderEpoch: 3 }] };
  await refresh(topic("a"), half, topic("gone", 3, []), topic("bad", 17, []), topic("denied", 29, []));
  assertEquals(cache.partition("half", 0), { error: 5, partition: 0, leader: -1, leaderEpoch: 3 });
  assertEquals(["a", "gone", "bad", "denied", "never"].map((name) => cache.isMissing(name)), [
    false,
    true,
    true,
    false,
    false,
  ]);
  await refresh(topic("gone"));
  assert(!cache.isMissing("gone") && cache.partition("a", 0) !== undefined);
  assertEquals([cache.partition("a", 1), cache.partition("never", 0)], [undefined, undefined]);
});

Deno.test("MetadataCache keeps the later epoch of a partition, unless its topic is another one", async () => {
  const { cache, asked } = scripted();
  const given = async (topicId: string, ...epochs: readonly number[]) => {
    const refreshed = cache.refresh(["a"]);
    await turn();
    const partitions = epochs.map((leaderEpoch, partition) => ({
      error: 0,
      partition,
      leader: leaderEpoch,
      leaderEpoch,
    }));
    asked.at(-1)!.answer([{ topic: "a", error: 0, topicId, partitions }]);
    await refreshed;
    return cache.topic("a")!.partitions.map(({ leader }) => leader);
  };
  assertEquals(await given("11".repeat(16), 5, 5), [5, 5]);
  assertEquals(await given("11".repeat(16), 4, 6, 1), [5, 6, 1]);
  assertEquals(await given("22".repeat(16), 0, 0), [0, 0]);
});
