/** Looking at many topics and at a group, on a scripted cluster whose parts are away, silent or move. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Buffer } from "node:buffer";
import { groupsOf } from "../../../src/broker/kafka/groups.ts";
import { listCommitted, listEnds, listMembers } from "../../../src/broker/kafka/listing.ts";
import { Questions } from "../../../src/broker/kafka/questions.ts";
import { groupProtocol } from "../../../src/broker/kafka/wire/kafkajs.ts";
import { Api } from "../../support/kafka/scripted_broker.ts";
import { ScriptedKafka, TOPIC } from "../../support/kafka/scripted_kafka.ts";
import {
  describeGroupsResponse,
  listGroupsResponse,
  listOffsetsResponse,
} from "../../support/kafka/scripted_responses.ts";

/** Runs a test with a client of a scripted cluster. */
async function withCluster(
  kafka: ScriptedKafka,
  run: (cluster: ReturnType<ScriptedKafka["connect"]>, questions: Questions) => Promise<void>,
  requestTimeoutMs = 10_000,
): Promise<void> {
  const cluster = kafka.connect({ requestTimeoutMs });
  const questions = new Questions(cluster);
  try {
    await run(cluster, questions);
  } finally {
    questions.close();
    cluster.close();
    await kafka[Symbol.asyncDispose]();
  }
}

const count = (kafka: ScriptedKafka, api: number) =>
  kafka.broker.requests.filter((request) => request.api === api).length;

Deno.test("listEnds() says which partition has no leader, and which leader is silent; the others are known", async () => {
  const kafka = new ScriptedKafka({ partitions: 3, others: 1 });
  kafka.partitions = [{ leader: 0 }, { leader: -1, error: 5 }, { leader: 1 }];
  kafka.others[0]!.on(Api.listOffsets, () => "silence");
  await withCluster(kafka, async (cluster, questions) => {
    const { partitions, problem } = (await listEnds(cluster, questions, [TOPIC])).get(TOPIC)!;
    assertEquals(problem, null);
    assertEquals(partitions[0], { partition: 0, low: 0, high: 0, problem: null });
    assertEquals(partitions[1], {
      partition: 1,
      low: null,
      high: null,
      problem: "it has no leader: the broker that holds it is away",
    });
    assertMatch(partitions[2]!.problem!, /^its leader, broker 1, did not respond: /);
  }, 1000);
});

Deno.test("listEnds() asks again where a leader has moved, or a partition was just created, for a second", async () => {
  const kafka = new ScriptedKafka({ partitions: 1, others: 1 });
  const moved = () => listOffsetsResponse([{ topic: TOPIC, partition: 0, offset: -1, error: 6 }]);
  const answers = [3, 5, 6];
  kafka.broker.on(Api.listOffsets, () => {
    const error = answers.shift();
    if (error === undefined) kafka.partitions = [{ leader: 1, leaderEpoch: 1 }];
    return listOffsetsResponse([{ topic: TOPIC, partition: 0, offset: -1, error: error ?? 6 }]);
  });
  await withCluster(kafka, async (cluster, questions) => {
    const listed = (await listEnds(cluster, questions, [TOPIC])).get(TOPIC)!;
    assertEquals(listed.partitions, [{ partition: 0, low: 0, high: 0, problem: null }]);
    kafka.others[0]!.on(Api.listOffsets, moved);
    const lost = (await listEnds(cluster, questions, [TOPIC])).get(TOPIC)!;
    assertMatch(lost.partitions[0]!.problem!, /NOT_LEADER/);
  });
});

Deno.test("listEnds() and listCommitted() take a fixed number of requests, whatever the number of partitions", async () => {
  const kafka = new ScriptedKafka({ partitions: 200 });
  await withCluster(kafka, async (cluster, questions) => {
    await listEnds(cluster, questions, [TOPIC]);
    assertEquals([count(kafka, Api.metadata), count(kafka, Api.listOffsets)], [1, 2]);
    const commits = (await listCommitted(cluster, questions, "group", [TOPIC])).get(TOPIC)!;
    assertEquals([commits.length, count(kafka, Api.metadata), count(kafka, Api.offsetFetch)], [200, 2, 1]);
  });
});

Deno.test("a missing topic is null", async () => {
  const kafka = new ScriptedKafka();
  kafka.partitions = null;
  await withCluster(kafka, async (cluster, questions) => {
    assertEquals((await listEnds(cluster, questions, [TOPIC])).get(TOPIC), null);
    assertEquals((await listCommitted(cluster, questions, "group", [TOPIC])).get(TOPIC), null);
  });
});

Deno.test("listMembers() knows the topics of members in a stable group only, and keeps a member that it cannot read", async () => {
  const kafka = new ScriptedKafka();
  const metadata = groupProtocol.MemberMetadata.encode({ version: 0, topics: [TOPIC], userData: Buffer.alloc(0) });
  const assignment = groupProtocol.MemberAssignment.encode({
    version: 0,
    assignment: { [TOPIC]: [0, 1] },
    userData: Buffer.alloc(0),
  });
  const members = [
    { memberId: "a", metadata, assignment },
    { memberId: "b", metadata: Buffer.from([1]), assignment: Buffer.from([1]) },
  ];
  let state = "Stable";
  kafka.broker.on(Api.describeGroups, () => describeGroupsResponse({ state, members }));
  await withCluster(kafka, async (cluster, questions) => {
    const partitions = [0, 1].map((partition) => ({ topic: TOPIC, partition }));
    assertEquals(await listMembers(cluster, questions, "group"), [
      { id: "a", topics: [TOPIC], partitions },
      { id: "b", topics: [], partitions: [] },
    ]);
    state = "PreparingRebalance";
    const moving = await listMembers(cluster, questions, "group");
    assert(moving.every(({ topics, partitions }) => topics === null && partitions.length === 0));
  });
});

Deno.test("groupsOf() asks each group where it was listed, and looks up no coordinator", async () => {
  const kafka = new ScriptedKafka();
  const groups = ["first", "second", "third"];
  kafka.broker.on(Api.listGroups, () => listGroupsResponse(groups));
  kafka.committed.set(0, { offset: 7, metadata: "" });
  await withCluster(kafka, async (cluster, questions) => {
    assertEquals(await groupsOf(cluster, questions, [TOPIC]), new Map([[TOPIC, groups]]));
    assertEquals(count(kafka, Api.offsetFetch), groups.length);
    assertEquals(count(kafka, Api.findCoordinator), 0);
  });
});
