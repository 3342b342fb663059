import { assert, assertEquals } from "@std/assert";
import { type CommitOutcome, Commits } from "../../../../src/broker/kafka/consumer/commits.ts";
import { KafkaOwnership, workerMetadata } from "../../../../src/broker/kafka/consumer/ownership.ts";
import { Code, errorName } from "../../../../src/broker/kafka/wire/errors.ts";
import { Api } from "../../../support/kafka/scripted_broker.ts";
import { ScriptedKafka, TOPIC } from "../../../support/kafka/scripted_kafka.ts";
import { apiVersionsResponse, offsetCommitResponse } from "../../../support/kafka/scripted_responses.ts";

const GENERATION = { memberId: "m", generationId: 3 };

interface World {
  readonly kafka: ScriptedKafka;
  readonly commits: Commits;
  readonly ownerships: readonly KafkaOwnership[];
  commit(next: number, metadata?: string, timeoutMs?: number): Promise<CommitOutcome[]>;
}

/** Two partitions, whose marks are committed together. */
async function withCommits(use: (world: World) => Promise<void>): Promise<void> {
  await using kafka = new ScriptedKafka({ partitions: 2 });
  const cluster = kafka.connect();
  const commits = new Commits(cluster, "g", "group 1");
  const ownerships = [0, 1].map((partition) => new KafkaOwnership(TOPIC, partition, null));
  try {
    await use({
      kafka,
      commits,
      ownerships,
      commit: (next, metadata = "meta", timeoutMs = 5000) =>
        commits.commit(ownerships.map((ownership) => ({ ownership, next, metadata })), GENERATION, timeoutMs),
    });
  } finally {
    cluster.close();
  }
}

Deno.test("Commits sends offsets with metadata in one request, bound to the generation, and notes the outcome", async () => {
  await withCommits(async ({ kafka, commit, ownerships }) => {
    assertEquals(await commit(7), ["committed", "committed"]);
    assertEquals(kafka.committed.get(1)!.offset, 7);
    assertEquals(workerMetadata(kafka.committed.get(1)!.metadata), "meta");
    assertEquals(ownerships.map(({ lowestOffset }) => lowestOffset), [7, 7]);
    assert(ownerships[0]!.isProvedBy(kafka.committed.get(0)!) && !ownerships[0]!.isProvedBy(null));
    const [request, ...more] = kafka.broker.received(Api.offsetCommit);
    assertEquals(more, []);
    // Group, generation, member.
    assertEquals(request!.body.subarray(0, 10).toString("hex"), "0001" + "67" + "00000003" + "0001" + "6d");
  });
});

const OUTCOMES: readonly (readonly [code: number, outcome: CommitOutcome])[] = [
  [Code.unknownTopicOrPartition, "refused"],
  [Code.coordinatorLoading, "refused"],
  [Code.coordinatorNotAvailable, "refused"],
  [Code.notCoordinator, "refused"],
  [Code.illegalGeneration, "refused"],
  [Code.unknownMemberId, "refused"],
  [Code.rebalanceInProgress, "refused"],
  [Code.topicAuthorizationFailed, "refused"],
  [Code.groupAuthorizationFailed, "refused"],
  [Code.requestTimedOut, "unknown"],
  [Code.unknown, "unknown"],
  // Younger than this library.
  [32_000, "unknown"],
];

for (const [code, outcome] of OUTCOMES) {
  Deno.test(`Commits after ${errorName(code)} for one partition: "${outcome}" for it alone, and tried once`, async () => {
    await withCommits(async ({ kafka, commit, ownerships }) => {
      kafka.broker.on(Api.offsetCommit, () =>
        offsetCommitResponse([
          { topic: TOPIC, partition: 1, error: 0 },
          { topic: TOPIC, partition: 0, error: code },
        ]));
      assertEquals(await commit(7), [outcome, "committed"]);
      assertEquals(kafka.broker.received(Api.offsetCommit).length, 1);
      assertEquals(ownerships.map(({ lowestOffset }) => lowestOffset), [0, 7]);
      // A refused commit is certainly not there: the group's offset is still the one of the start.
      assert(ownerships[0]!.isProvedBy(null));
    });
  });
}

for (const code of [Code.coordinatorNotAvailable, Code.notCoordinator]) {
  Deno.test(`Commits after ${errorName(code)}: the next commit looks the coordinator up`, async () => {
    await withCommits(async ({ kafka, commit }) => {
      kafka.broker.next(Api.offsetCommit, (request) => kafka.commit(request, code));
      assertEquals(await commit(7), ["refused", "refused"]);
      assertEquals(await commit(8), ["committed", "committed"]);
      assertEquals(kafka.broker.received(Api.findCoordinator).length, 2);
    });
  });
}

for (const code of [Code.offsetMetadataTooLarge, Code.invalidCommitOffsetSize]) {
  Deno.test(`Commits after ${errorName(code)}: the metadata is too long, and the worker sends less`, async () => {
    await withCommits(async ({ kafka, commit, ownerships }) => {
      kafka.broker.next(Api.offsetCommit, () =>
        offsetCommitResponse([
          { topic: TOPIC, partition: 0, error: code },
          { topic: TOPIC, partition: 1, error: 0 },
        ]));
      assertEquals(await commit(7, "long"), ["metadata_too_long", "committed"]);
      assertEquals(kafka.broker.received(Api.offsetCommit).length, 1);
      assert(ownerships[0]!.isProvedBy(null), "nothing was written");
      assertEquals(await commit(7), ["committed", "committed"]);
      assert(ownerships[0]!.isProvedBy(kafka.committed.get(0)!));
    });
  });
}

Deno.test("Commits whose response leaves a partition out: unknown", async () => {
  await withCommits(async ({ kafka, commit }) => {
    kafka.broker.on(Api.offsetCommit, () => offsetCommitResponse([{ topic: TOPIC, partition: 1, error: 0 }]));
    assertEquals(await commit(7), ["unknown", "committed"]);
  });
});

for (const answer of ["silence", "cut", "cutInFrame"] as const) {
  Deno.test(`Commits that were sent and get no response (${answer}): unknown`, async () => {
    await withCommits(async ({ kafka, commit, ownerships }) => {
      kafka.broker.on(Api.offsetCommit, (request) => {
        kafka.commit(request);
        return answer;
      });
      assertEquals(await commit(7, "meta", 200), ["unknown", "unknown"]);
      assert(
        ownerships[0]!.isProvedBy(kafka.committed.get(0)!),
        "Expected the commit to prove the ownership, if it is there",
      );
      assert(ownerships[0]!.isProvedBy(null), "Expected the start to prove it as well");
    });
  });
}

Deno.test("Commits that cannot be sent: refused", async () => {
  await withCommits(async ({ kafka, commit }) => {
    assertEquals(await commit(7), ["committed", "committed"]);
    const { openConnections } = kafka.broker;
    assert(openConnections >= 2);
    kafka.broker.on(Api.apiVersions, () => apiVersionsResponse({ [Api.offsetCommit]: [0, -1] }));
    kafka.broker.next(Api.offsetCommit, () => "cut");
    assertEquals(await commit(8), ["unknown", "unknown"]);
    // The new connection's broker does not know the request.
    assertEquals(await commit(9), ["refused", "refused"]);
    kafka.broker.cutAll();
    await kafka.broker[Symbol.asyncDispose]();
    assertEquals(await commit(10), ["refused", "refused"]);
    kafka.broker[Symbol.asyncDispose] = () => Promise.resolve();
  });
});
