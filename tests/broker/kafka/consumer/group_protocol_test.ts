/** The metadata that members of a group exchange: the bytes are those of version 0.1, so that both share a group. */
import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import {
  decodeMembers,
  decodeShare,
  encodeShares,
  encodeSubscription,
} from "../../../../src/broker/kafka/consumer/group_protocol.ts";
import { ASSIGNER_NAME } from "../../../../src/broker/kafka/consumer/assigner.ts";
import { Writer } from "../../../support/kafka/writer.ts";

/** A subscription as version 0.1 sent it. */
function oldSubscription(topics: readonly string[], claim: string): Buffer {
  const writer = new Writer().int16(0);
  return writer.array(topics, (topic) => writer.string(topic)).data(new TextEncoder().encode(claim)).bytes;
}

/** A share as version 0.1 sent it. */
function oldShare(share: Readonly<Record<string, readonly number[]>>): Buffer {
  const writer = new Writer().int16(0);
  writer.array(Object.entries(share), ([topic, partitions]) => {
    writer.string(topic).array(partitions, (partition) => writer.int32(partition));
  });
  return writer.data(new Uint8Array()).bytes;
}

const CLAIM = '{"owned":{"a":[0,5],"ü":[1]},"sinceMs":1700000000000,"exclusive":false}';

Deno.test("a member subscribes with the bytes of version 0.1", () => {
  assertEquals(ASSIGNER_NAME, "activejob-sticky");
  const owned = [{ topic: "a", partition: 0 }, { topic: "a", partition: 5 }, { topic: "ü", partition: 1 }];
  const bytes = encodeSubscription(["a", "ü"], { owned, sinceMs: 1_700_000_000_000, exclusive: false });
  assertEquals(bytes.toString("hex"), oldSubscription(["a", "ü"], CLAIM).toString("hex"));
});

Deno.test("the leader reads members of version 0.1, and gives out shares in its bytes", () => {
  const members = decodeMembers([
    { memberId: "old", memberMetadata: oldSubscription(["a", "ü"], CLAIM) },
    { memberId: "new", memberMetadata: encodeSubscription(["a"], { owned: [], sinceMs: 0, exclusive: false }) },
  ]);
  assertEquals(members.map(({ id, topics, owned, sinceMs }) => [id, topics, owned.length, sinceMs]), [
    ["old", ["a", "ü"], 3, 1_700_000_000_000],
    ["new", ["a"], 0, 0],
  ]);
  const shares = encodeShares(members, new Map([["a", 6], ["ü", 2]]));
  const byMember = Object.fromEntries(shares.map(({ memberId, memberAssignment }) => [memberId, memberAssignment]));
  const old = decodeShare(byMember.old!);
  assertEquals(old.filter(({ topic }) => topic === "ü").map(({ partition }) => partition).toSorted(), [0, 1]);
  assertEquals([...old, ...decodeShare(byMember.new!)].length, 8);
  for (const bytes of Object.values(byMember)) {
    const byTopic: Record<string, number[]> = {};
    for (const { topic, partition } of decodeShare(bytes)) (byTopic[topic] ??= []).push(partition);
    assertEquals(bytes.toString("hex"), oldShare(byTopic).toString("hex"));
  }
});

Deno.test("a member whose subscription cannot be read gets nothing, and the others get theirs", () => {
  for (const damage of [Buffer.alloc(0), Buffer.from([0]), Buffer.alloc(40, 0xff), Buffer.from("garbage garbage")]) {
    const members = decodeMembers([
      { memberId: "broken", memberMetadata: damage },
      { memberId: "sound", memberMetadata: oldSubscription(["a"], "no claim") },
    ]);
    const shares = encodeShares(members, new Map([["a", 3]]));
    const counts = Object.fromEntries(shares.map(({ memberId, memberAssignment }) => {
      return [memberId, decodeShare(memberAssignment).length];
    }));
    assertEquals(counts, { broken: 0, sound: 3 }, damage.toString("hex"));
  }
});

Deno.test("a topic with the name of a property of objects is a topic like any other", () => {
  const members = decodeMembers([{ memberId: "m", memberMetadata: oldSubscription(["__proto__", "constructor"], "") }]);
  const [share] = encodeShares(members, new Map([["__proto__", 1], ["constructor", 2]]));
  assertEquals(decodeShare(share!.memberAssignment).map(({ topic, partition }) => `${topic}/${partition}`).toSorted(), [
    "__proto__/0",
    "constructor/0",
    "constructor/1",
  ]);
});

Deno.test("an empty share has no partitions", () => {
  assertEquals(decodeShare(Buffer.alloc(0)), []);
  assertEquals(decodeShare(oldShare({})), []);
});
