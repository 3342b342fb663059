/** A fact about Kafka that the client relies on: an accepted commit prolongs a member's session as a heartbeat does. */
import { Buffer } from "node:buffer";
import { assertEquals } from "@std/assert";
import { kafkaSettings } from "../../src/broker/kafka/options.ts";
import { Cluster } from "../../src/broker/kafka/wire/cluster.ts";
import { Code } from "../../src/broker/kafka/wire/errors.ts";
import { heartbeat, joinGroup, leaveGroup, offsetCommit, syncGroup } from "../../src/broker/kafka/wire/requests.ts";
import { brokers, noKafka, openKafka } from "../support/kafka/cluster.ts";
import { until } from "../support/until.ts";

const SESSION_TIMEOUT_MS = 1000;

/** The longest time between two commits after which a member may have been removed for that alone, in ms. */
const TOO_LONG_MS = 0.8 * SESSION_TIMEOUT_MS;

/** Joins a new group, and commits for three sessions without a heartbeat. */
async function commitInGroup(cluster: Cluster, topic: string) {
  const groupId = `commit-session-${crypto.randomUUID()}`;
  const join = (memberId: string) =>
    cluster.sendToCoordinator(
      groupId,
      joinGroup({
        groupId,
        sessionTimeout: SESSION_TIMEOUT_MS,
        rebalanceTimeout: 5000,
        memberId,
        protocolType: "consumer",
        groupProtocols: [{ name: "any", metadata: Buffer.alloc(0) }],
      }),
    );
  // A new coordinator may have to load the group's partition first.
  let joined = await join("");
  while (joined.errorCode !== Code.none) {
    joined = await join(joined.errorCode === Code.memberIdRequired ? joined.memberId : "");
  }
  const { memberId, generationId } = joined;
  const groupAssignment = [{ memberId, memberAssignment: Buffer.alloc(0) }];
  await cluster.sendToCoordinator(groupId, syncGroup({ groupId, generationId, memberId, groupAssignment }));
  const startedMs = performance.now();
  let lastMs = startedMs;
  let longestMs = 0;
  const noteTime = () => {
    longestMs = Math.max(longestMs, performance.now() - lastMs);
    lastMs = performance.now();
  };
  const codes = new Set<number>();
  for (let offset = 1; lastMs - startedMs < 3 * SESSION_TIMEOUT_MS; offset++) {
    const partitions = [{ partition: 0, offset: String(offset), metadata: "" }];
    const topics = [{ topic, partitions }];
    const request = offsetCommit({ groupId, groupGenerationId: generationId, memberId, topics });
    const { responses } = await cluster.sendToCoordinator(groupId, request);
    codes.add(responses[0]!.partitions[0]!.errorCode);
    noteTime();
  }
  const beat = await cluster.sendToCoordinator(
    groupId,
    heartbeat({ groupId, groupGenerationId: generationId, memberId }),
  );
  noteTime();
  await cluster.sendToCoordinator(groupId, leaveGroup(groupId, memberId));
  return { longestMs, codes: [...codes], heartbeat: beat.errorCode };
}

Deno.test({
  name: "commits alone keep a member in its group for longer than its session",
  ignore: noKafka,
  async fn() {
    const topic = `commit-session-${crypto.randomUUID()}`;
    await using broker = openKafka();
    await broker.admin.create([{ name: topic, partitions: 1 }]);
    // It asks again until there is a coordinator: a new cluster first creates the topic of its groups.
    await broker.admin.committed(topic, topic);
    const { connectionTimeoutMs, requestTimeoutMs } = kafkaSettings({ brokers });
    const connection = { clientId: "other", ssl: false, sasl: null, connectionTimeoutMs };
    const cluster = new Cluster({ brokers, requestTimeoutMs, connection });
    // A time in which the machine stood still for a session says nothing of commits.
    const found = await until(
      async () => {
        const found = await commitInGroup(cluster, topic);
        return found.longestMs < TOO_LONG_MS ? found : null;
      },
      () => "the machine stands still again and again",
    );
    assertEquals([found.codes, found.heartbeat], [[Code.none], Code.none]);
    cluster.close();
  },
});
