/** The partitions of a consumer over generations: what goes on, what is lost and why, and what may be committed. */
import { assert, assertEquals } from "@std/assert";
import type { ConsumerSink, Mark, Ownership } from "../../../../src/broker/broker.ts";
import { Assignment } from "../../../../src/broker/kafka/consumer/assignment.ts";
import { Fetcher } from "../../../../src/broker/kafka/consumer/fetcher.ts";
import type { KafkaOwnership } from "../../../../src/broker/kafka/consumer/ownership.ts";
import { Cluster } from "../../../../src/broker/kafka/wire/cluster.ts";
import type { Committed } from "../../../../src/broker/kafka/consumer/ownership.ts";

const OLD_ID = "0".repeat(31) + "1";
const NEW_ID = "0".repeat(31) + "2";

function at(partition: number, committed: Committed | null = null) {
  return { topic: "t", partition, committed };
}

/** An assignment whose fetcher has no broker, and the calls of its sink. */
function open() {
  const cluster = new Cluster({
    brokers: ["127.0.0.1:1"],
    requestTimeoutMs: 1000,
    connection: { clientId: "c", ssl: false, sasl: null, connectionTimeoutMs: 1000 },
  });
  const fetcher = new Fetcher(cluster, {
    records() {},
    expired() {},
    leaderChanged() {},
    topicsRefreshed() {},
    failed(error) {
      throw error;
    },
    log() {},
  }, { purpose: "fetch 1", maxBytes: 1, maxRecordBytes: 1 });
  const live = new Map<number, KafkaOwnership>();
  const events: string[] = [];
  const topicIds = { id: OLD_ID as string | undefined };
  let marks: Mark[] = [];
  const names = (list: readonly Ownership[]) => list.map(({ partition }) => partition).join();
  const sink = {
    assigned(added: readonly Ownership[], continued: readonly Ownership[]) {
      for (const ownership of added) live.set(ownership.partition, ownership as KafkaOwnership);
      events.push(`added ${names(added)} continued ${names(continued)}`);
    },
    lost(list: readonly Ownership[], reason: string) {
      for (const ownership of list) assert(ownership.lost.aborted, "Expected the signal before the call");
      events.push(`lost ${names(list)} ${reason}`);
    },
    releasing: () => marks,
  } as unknown as ConsumerSink;
  const assignment = new Assignment({ sink, fetcher, topicIdOf: () => topicIds.id });
  return {
    assignment,
    live,
    events,
    topicIds,
    setMarks: (list: Mark[]) => marks = list,
    [Symbol.dispose]() {
      fetcher.close();
      cluster.close();
    },
  };
}

/** Commits for an ownership, acknowledged. @returns the group's commit */
function commit(ownership: KafkaOwnership, offset: number): Committed {
  const sent = ownership.sending(offset, "m");
  ownership.settle(sent, "committed");
  return { offset: sent.offset, metadata: sent.metadata };
}

Deno.test("Assignment continues what the group's commit proves, and revokes what is not in the share", () => {
  using world = open();
  world.assignment.assign([at(0), at(1), at(2)]);
  const proof = commit(world.live.get(0)!, 5);
  world.assignment.release();
  world.assignment.assign([at(0, proof), at(1)]);
  assertEquals(world.events, ["added 0,1,2 continued ", "lost 2 revoked", "added  continued 0,1"]);
});

Deno.test("Assignment ends as unknown what another member may have had in between", () => {
  using world = open();
  world.assignment.assign([at(0, { offset: 3, metadata: "before" }), at(1)]);
  const [first, second] = [world.live.get(0)!, world.live.get(1)!];
  world.assignment.release();
  world.assignment.assign([at(0, { offset: 4, metadata: "another" }), at(1, { offset: 1, metadata: "another" })]);
  assertEquals(world.events.slice(1), ["lost 0,1 unknown", "added 0,1 continued "]);
  assert(world.live.get(0) !== first && world.live.get(1) !== second);
  assertEquals(world.live.get(0)!.committed?.offset, 4);
});

Deno.test("Assignment ends as recreated what has another topic id, or whose commits are gone with the topic", () => {
  using world = open();
  world.assignment.assign([at(0), at(1)]);
  commit(world.live.get(0)!, 5);
  world.assignment.release();
  world.assignment.assign([at(0), at(1)]);
  assertEquals(world.events.slice(1), ["lost 0 recreated", "added 0 continued 1"]);
  world.topicIds.id = NEW_ID;
  world.assignment.release();
  world.assignment.assign([at(0), at(1)]);
  assertEquals(world.events.slice(3), ["lost 0,1 recreated", "added 0,1 continued "]);
});

Deno.test("checkTopics() ends and begins again what belongs to a log that is gone, but not while it is not proved", () => {
  using world = open();
  world.assignment.assign([at(0, { offset: 9, metadata: "" })]);
  world.assignment.checkTopics();
  // A topic that does not exist at the moment is not another one.
  world.topicIds.id = undefined;
  world.assignment.checkTopics();
  assertEquals(world.events.length, 1);
  world.topicIds.id = NEW_ID;
  world.assignment.release();
  world.assignment.checkTopics();
  assertEquals(world.events.length, 1);
  world.assignment.assign([at(0, { offset: 9, metadata: "" })]);
  assertEquals(world.events.slice(1), ["lost 0 recreated", "added 0 continued "]);
  world.assignment.checkTopics();
  assertEquals(world.events.length, 3);
});

Deno.test("check() refuses marks while it is not proved and below what the group has, and knows what has ended", () => {
  using world = open();
  world.assignment.assign([at(0, { offset: 3, metadata: "" }), at(1)]);
  const [kept, lost] = [world.live.get(0)!, world.live.get(1)!];
  const mark = (ownership: KafkaOwnership, next: number): Mark => ({ ownership, next, metadata: "" });
  assertEquals([3, 2, 4].map((next) => world.assignment.check(mark(kept, next))), ["send", "refused", "send"]);
  world.setMarks([mark(kept, 2), mark(kept, 5), mark(lost, 1)]);
  assertEquals(world.assignment.release().map(({ next }) => next), [5, 1]);
  assertEquals(world.assignment.check(mark(kept, 5)), "refused");
  assertEquals(world.assignment.release(), [], "the last marks are asked for once");
  world.assignment.assign([at(0, { offset: 3, metadata: "" })]);
  assertEquals(world.assignment.check(mark(lost, 9)), "ended");
  world.assignment.endAll("closed");
  assertEquals(world.assignment.check(mark(kept, 9)), "ended");
  assertEquals(world.events.at(-1), "lost 0 closed");
  assertEquals(world.assignment.claim().owned, []);
});

Deno.test("claim() names what is owned, and since when", () => {
  using world = open();
  const before = Date.now();
  world.assignment.assign([at(0), at(4)]);
  const { owned, sinceMs, exclusive } = world.assignment.claim();
  assertEquals([owned.map(({ partition }) => partition), exclusive], [[0, 4], false]);
  assert(sinceMs >= before && sinceMs <= Date.now());
});
