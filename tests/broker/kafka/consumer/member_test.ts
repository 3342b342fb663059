/** One member of a group on a scripted coordinator: its reaction to each error code of each request. */
import { assert, assertEquals } from "@std/assert";
import type { AssignedPartition } from "../../../../src/broker/kafka/consumer/generation.ts";
import { Member, type MemberHandler } from "../../../../src/broker/kafka/consumer/member.ts";
import { Code, errorName } from "../../../../src/broker/kafka/wire/errors.ts";
import { Reader } from "../../../../src/broker/kafka/wire/reader.ts";
import { Api, type ScriptedRequest } from "../../../support/kafka/scripted_broker.ts";
import { ScriptedKafka, TOPIC } from "../../../support/kafka/scripted_kafka.ts";
import {
  findCoordinatorResponse,
  heartbeatResponse,
  joinGroupResponse,
  syncGroupResponse,
} from "../../../support/kafka/scripted_responses.ts";
import { until } from "../../../support/until.ts";

const HEARTBEAT_MS = 20;
const SESSION_MS = 5000;

/** Records what happens to a member, in order. */
class Recorder implements MemberHandler {
  readonly events: string[] = [];
  readonly assignments: (readonly AssignedPartition[])[] = [];
  error: Error | null = null;
  claim() {
    return { owned: [{ topic: TOPIC, partition: 0 }], sinceMs: 5, exclusive: false };
  }
  releasing({ memberId, generationId }: { memberId: string; generationId: number }): Promise<void> {
    this.events.push(`releasing ${memberId} ${generationId}`);
    return Promise.resolve();
  }
  assigned(partitions: readonly AssignedPartition[], { memberId, generationId }: Member["generation"]): void {
    this.assignments.push(partitions);
    this.events.push(`assigned ${memberId} ${generationId}`);
  }
  accepted(): void {}
  suspended(): void {
    this.events.push("suspended");
  }
  expelled(): void {
    this.events.push("expelled");
  }
  failed(error: Error): void {
    this.error = error;
    this.events.push("failed");
  }
  log(): void {}
}

interface World {
  readonly kafka: ScriptedKafka;
  readonly member: Member;
  readonly recorder: Recorder;
  count(api: number): number;
}

async function withMember(
  use: (world: World) => Promise<void>,
  { prepare = (_kafka: ScriptedKafka): void => {}, sessionTimeoutMs = SESSION_MS, partitions = 2 } = {},
): Promise<void> {
  await using kafka = new ScriptedKafka({ partitions });
  prepare(kafka);
  const cluster = kafka.connect({ requestTimeoutMs: 1000 });
  const recorder = new Recorder();
  const member = new Member(cluster, {
    group: "g",
    topics: [TOPIC],
    sessionTimeoutMs,
    heartbeatIntervalMs: HEARTBEAT_MS,
    purpose: "group 1",
    metadataMaxAgeMs: 50,
  }, recorder);
  try {
    await use({ kafka, member, recorder, count: (api) => kafka.broker.received(api).length });
  } finally {
    cluster.close();
    await member.close();
  }
}

const isAssigned = ({ recorder }: World, times = 1) =>
  until(() => recorder.assignments.length >= times, () => recorder.events.join(", "));

/** The member id in a JoinGroup or Heartbeat request. */
function memberIdOf({ api, body }: ScriptedRequest): string {
  const reader = new Reader(body);
  reader.string();
  reader.int32();
  if (api === Api.joinGroup) reader.int32();
  return reader.string()!;
}

Deno.test("Member joins, gets its share with what the group has committed, and keeps its session by heartbeats", async () => {
  await withMember(async (world) => {
    await isAssigned(world);
    assertEquals(world.recorder.assignments[0]!.map(({ partition, committed }) => [partition, committed]), [
      [0, { offset: 5, metadata: "m" }],
      [1, null],
    ]);
    await until(() => world.count(Api.heartbeat) >= 3, () => `${world.count(Api.heartbeat)} heartbeats`);
    await world.member.close();
    assertEquals(world.recorder.events, ["assigned member-1 1"]);
    assertEquals([world.count(Api.joinGroup), world.count(Api.leaveGroup)], [1, 1]);
  }, { prepare: (kafka) => kafka.committed.set(0, { offset: 5, metadata: "m" }) });
});

Deno.test("Member joins again with the id that it is given", async () => {
  await withMember(async (world) => {
    await isAssigned(world);
    assertEquals(world.kafka.broker.received(Api.joinGroup).map(memberIdOf), ["", "given"]);
    assertEquals(world.recorder.events, ["assigned given 1"]);
  }, {
    prepare: (kafka) =>
      kafka.broker.next(Api.joinGroup, () => joinGroupResponse({ error: Code.memberIdRequired, memberId: "given" })),
  });
});

const FIND_COORDINATOR = [
  Code.coordinatorLoading,
  Code.coordinatorNotAvailable,
  Code.notCoordinator,
  Code.requestTimedOut,
  Code.unknown,
  // Younger than this library.
  32_000,
];

for (const code of FIND_COORDINATOR) {
  Deno.test(`Member after ${errorName(code)} to a heartbeat: looks the coordinator up, and goes on in its generation`, async () => {
    await withMember(async (world) => {
      await isAssigned(world);
      const before = world.count(Api.findCoordinator);
      world.kafka.broker.next(Api.heartbeat, () => heartbeatResponse(code));
      await until(() => world.count(Api.findCoordinator) > before, () => "not looked up");
      const beats = world.count(Api.heartbeat);
      await until(() => world.count(Api.heartbeat) >= beats + 2, () => "no heartbeats");
      assertEquals(world.recorder.events, ["assigned member-1 1"]);
      assertEquals(world.count(Api.joinGroup), 1);
    });
  });
}

for (const api of [Api.joinGroup, Api.syncGroup, Api.offsetFetch] as const) {
  Deno.test(`Member after NOT_COORDINATOR to request ${api}: looks the coordinator up, and joins`, async () => {
    await withMember(async (world) => {
      await isAssigned(world);
      assertEquals(world.count(Api.findCoordinator), 2);
      assert(world.recorder.events.at(-1)!.startsWith("assigned member-1"), world.recorder.events.join());
    }, {
      prepare: (kafka) => {
        const code = Code.notCoordinator;
        if (api === Api.joinGroup) kafka.broker.next(api, () => joinGroupResponse({ error: code, memberId: "" }));
        if (api === Api.syncGroup) kafka.broker.next(api, () => syncGroupResponse(new Uint8Array(), code));
        if (api === Api.offsetFetch) kafka.broker.next(api, () => kafka.offsets(code));
      },
    });
  });
}

Deno.test("Member after a heartbeat that gets no response: goes to the coordinator that the cluster names", async () => {
  await using other = new ScriptedKafka({ partitions: 2 });
  await withMember(async (world) => {
    await isAssigned(world);
    world.kafka.broker.on(Api.findCoordinator, () => {
      return findCoordinatorResponse({ nodeId: 9, port: other.broker.port });
    });
    world.kafka.broker.on(Api.heartbeat, () => "cut");
    await until(() => other.broker.received(Api.heartbeat).length > 1, () => "no heartbeat came to the other one");
    assertEquals(memberIdOf(other.broker.received(Api.heartbeat)[0]!), "member-1");
    assertEquals(world.recorder.events, ["assigned member-1 1"]);
  });
});

Deno.test("Member after REBALANCE_IN_PROGRESS: commits its last marks in the old generation, and joins with its id", async () => {
  await withMember(async (world) => {
    await isAssigned(world);
    world.kafka.broker.next(Api.heartbeat, () => heartbeatResponse(Code.rebalanceInProgress));
    await isAssigned(world, 2);
    assertEquals(world.recorder.events, ["assigned member-1 1", "releasing member-1 1", "assigned member-1 2"]);
    assertEquals(world.kafka.broker.received(Api.joinGroup).map(memberIdOf), ["", "member-1"]);
  });
});

for (
  const [code, id] of [[Code.illegalGeneration, "member-1"], [Code.unknownMemberId, ""]] as const
) {
  Deno.test(`Member after ${errorName(code)}: has lost everything, and joins with ${id || "an empty"} id`, async () => {
    for (const api of [Api.heartbeat, Api.offsetFetch] as const) {
      await withMember(async (world) => {
        await isAssigned(world);
        if (api === Api.heartbeat) {
          world.kafka.broker.next(api, () => heartbeatResponse(code));
          await isAssigned(world, 2);
          assertEquals(world.recorder.events.slice(1), ["expelled", "assigned member-1 2"]);
        } else assertEquals(world.recorder.events, ["expelled", "assigned member-1 2"]);
        assertEquals(memberIdOf(world.kafka.broker.received(Api.joinGroup)[1]!), id);
      }, {
        prepare: (kafka) => {
          if (api === Api.offsetFetch) kafka.broker.next(api, () => kafka.offsets(code));
        },
      });
    }
  });
}

Deno.test("Member after UNSTABLE_OFFSET_COMMIT: asks for the offsets again, without a new generation", async () => {
  await withMember(async (world) => {
    await isAssigned(world);
    assertEquals([world.count(Api.offsetFetch), world.count(Api.joinGroup)], [3, 1]);
  }, {
    prepare: (kafka) => {
      const unstable = () => {
        const { committed } = kafka;
        committed.set(0, { offset: 1, metadata: "" });
        return kafka.offsets(0, Code.unstableOffsetCommit);
      };
      kafka.broker.next(Api.offsetFetch, unstable, unstable);
    },
  });
});

Deno.test("Member that is closed while the offsets stay unstable leaves", async () => {
  await withMember(async (world) => {
    await until(() => world.count(Api.offsetFetch) > 1, () => "not asked");
    await world.member.close();
    assertEquals([world.count(Api.leaveGroup), world.recorder.events], [1, []]);
  }, { prepare: (kafka) => kafka.broker.on(Api.offsetFetch, () => kafka.offsets(0, Code.unstableOffsetCommit)) });
});

for (
  const code of [
    Code.inconsistentGroupProtocol,
    Code.invalidGroupId,
    Code.invalidSessionTimeout,
    Code.topicAuthorizationFailed,
    Code.groupAuthorizationFailed,
    Code.clusterAuthorizationFailed,
    Code.unsupportedVersion,
    Code.transactionalIdAuthorizationFailed,
    Code.groupMaxSizeReached,
    Code.fencedInstanceId,
  ]
) {
  Deno.test(`Member after ${errorName(code)}: fails for good, naming group and code`, async () => {
    await withMember(async (world) => {
      await until(() => world.recorder.error !== null, () => "it did not fail");
      assertEquals(world.recorder.events, ["failed"]);
      const message = world.recorder.error!.message;
      const problem = code === Code.unsupportedVersion ? "Cannot send JoinGroup" : `JoinGroup: ${errorName(code)}`;
      assert(message.startsWith(`Cannot be a member of group "g": ${problem}`), message);
      assertEquals(world.count(Api.joinGroup), 1);
    }, {
      prepare: (kafka) => kafka.broker.on(Api.joinGroup, () => joinGroupResponse({ error: code, memberId: "" })),
    });
  });
}

Deno.test("Member is suspended once its session may be over, and is lost only when the coordinator says so", async () => {
  await withMember(async (world) => {
    await isAssigned(world);
    world.kafka.broker.on(Api.heartbeat, () => heartbeatResponse(Code.coordinatorNotAvailable));
    await until(() => world.recorder.events.includes("suspended"), () => world.recorder.events.join());
    world.kafka.broker.on(Api.heartbeat, () => heartbeatResponse());
    const beats = world.count(Api.heartbeat);
    await until(() => world.count(Api.heartbeat) >= beats + 2, () => "no heartbeats");
    assertEquals(world.recorder.events, ["assigned member-1 1", "suspended"]);
  }, { sessionTimeoutMs: 600 });
});

Deno.test("Member that leads the group joins again when a topic has more partitions, or was deleted and is back", async () => {
  await withMember(async (world) => {
    await isAssigned(world);
    world.kafka.partitions!.push({ leader: 0 });
    world.kafka.share.push(2);
    await isAssigned(world, 2);
    assertEquals(world.recorder.assignments[1]!.map(({ partition }) => partition), [0, 1, 2]);
    // Deleted: its partitions wait at their owner, and no rebalance disturbs the others.
    world.kafka.partitions = null;
    const asked = world.count(Api.metadata);
    await until(() => world.count(Api.metadata) >= asked + 2, () => "not asked");
    assertEquals(world.count(Api.joinGroup), 2);
  });
});

Deno.test("rejoin() lets the leader look at the topics at once", async () => {
  await withMember(async (world) => {
    await isAssigned(world);
    const asked = world.count(Api.metadata);
    world.member.rejoin();
    await until(() => world.count(Api.metadata) > asked, () => "not asked");
  });
});

Deno.test("close() ends a member whose coordinator does not respond, within seconds", async () => {
  await withMember(async (world) => {
    await until(() => world.count(Api.joinGroup) > 0, () => "not asked");
    world.kafka.broker.on(Api.leaveGroup, () => "silence");
    world.kafka.broker.cutAll();
    await world.member.close();
  }, { prepare: (kafka) => kafka.broker.on(Api.joinGroup, () => "silence") });
});
