/** The assignment of a group: complete, even, and sticky. */
import { assert, assertEquals } from "@std/assert";
import { assignPartitions, type Subscriber } from "../../src/broker/assignment.ts";
import type { TopicPartition } from "../../src/support/position.ts";

const named = ({ topic, partition }: TopicPartition) => `${topic}/${partition}`;

/** The members with what the last assignment gave them. */
function after(members: readonly Subscriber[], partitions: ReadonlyMap<string, number>): Subscriber[] {
  const shares = assignPartitions(members, partitions);
  return members.map((member) => ({ ...member, owned: shares.get(member.id)! }));
}

function owners(members: readonly Subscriber[]): Map<string, string> {
  return new Map(members.flatMap((member) => member.owned.map((owned) => [named(owned), member.id] as const)));
}

function moved(before: readonly Subscriber[], now: readonly Subscriber[]): number {
  const old = owners(before);
  return [...owners(now)].filter(([partition, owner]) => old.has(partition) && old.get(partition) !== owner).length;
}

function member(id: string, ...topics: string[]): Subscriber {
  return { id, topics, owned: [] };
}

Deno.test("assignPartitions() moves 2 of 24 partitions when a ninth member joins, and 2 when it leaves", () => {
  const partitions = new Map([["a", 24]]);
  const eight = after(Array.from({ length: 8 }, (_, n) => member(`m${n}`, "a")), partitions);
  assertEquals(eight.map((m) => m.owned.length), Array(8).fill(3));
  const nine = after([...eight, member("m8", "a")], partitions);
  assertEquals(moved(eight, nine), 2);
  assertEquals(nine[8]!.owned.length, 2);
  const again = after(nine.slice(0, 8), partitions);
  assertEquals(moved(nine.slice(0, 8), again), 0);
  assertEquals(again.map((m) => m.owned.length), Array(8).fill(3));
});

Deno.test("assignPartitions() gives a topic of only one member to that member", () => {
  const partitions = new Map([["a", 4], ["b", 2]]);
  const old = after([member("old", "a")], partitions);
  const both = after([...old, member("new", "a", "b")], partitions);
  assertEquals(both[1]!.owned.filter((p) => p.topic === "b").length, 2);
  assertEquals(both.map((m) => m.owned.length), [3, 3]);
});

Deno.test("assignPartitions() ignores claims on partitions that do not exist, are not subscribed, or are claimed already", () => {
  const claim = [{ topic: "a", partition: 0 }, { topic: "a", partition: 9 }, { topic: "x", partition: 0 }];
  const shares = assignPartitions(
    [{ id: "one", topics: ["a"], owned: claim }, { id: "two", topics: ["a"], owned: claim }],
    new Map([["a", 2], ["x", 1]]),
  );
  assertEquals(shares.get("one"), [{ topic: "a", partition: 0 }]);
  assertEquals(shares.get("two"), [{ topic: "a", partition: 1 }]);
});

Deno.test("assignPartitions() spreads each topic over the members when one joins", () => {
  const partitions = new Map([["a", 4], ["b", 4]]);
  const one = after([member("one", "a", "b")], partitions);
  const two = after([...one, member("two", "a", "b")], partitions);
  for (const share of two) {
    assertEquals(share.owned.filter((p) => p.topic === "a").length, 2, share.id);
    assertEquals(share.owned.filter((p) => p.topic === "b").length, 2, share.id);
  }
});

Deno.test("assignPartitions() moves no more partitions than necessary when a member joins or leaves", () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = randomFrom(seed);
    const partitions = new Map([["a", 1 + random(30)]]);
    const count = partitions.get("a")!;
    let members = after(Array.from({ length: 1 + random(6) }, (_, n) => member(`m${n}`, "a")), partitions);
    for (let step = 0; step < 8; step++) {
      const before = members;
      const leaver = random(members.length);
      if (members.length === 1 || random(2) === 0) {
        members = after([...before, member(`s${step}`, "a")], partitions);
        // The new member gets its fair share; no partition moves between the other members.
        assertEquals(moved(before, members), Math.floor(count / members.length), `seed ${seed}, step ${step}: join`);
      } else {
        members = after(before.filter((_, at) => at !== leaver), partitions);
        assertEquals(moved(before.filter((_, at) => at !== leaver), members), 0, `seed ${seed}, step ${step}: leave`);
      }
    }
  }
});

/** A small generator, so that a failure can be repeated from its seed. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

Deno.test("assignPartitions() is complete, even and sticky over random histories", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = randomFrom(seed);
    const partitions = new Map(Array.from({ length: 1 + random(4) }, (_, n) => [`t${n}`, 1 + random(12)]));
    let members: Subscriber[] = [];
    for (let step = 0; step < 12; step++) {
      const joins = members.length === 0 || random(2) === 0;
      const topics = [...partitions.keys()].filter(() => random(4) > 0);
      const changed = joins
        ? [...members, member(`s${step}`, ...topics)]
        : members.filter((_, at) => at !== random(members.length));
      members = after(changed, partitions);
      check(members, partitions, `seed ${seed}, step ${step}`);
    }
  }
});

function check(
  now: readonly Subscriber[],
  partitions: ReadonlyMap<string, number>,
  where: string,
): void {
  const all = now.flatMap((m) => m.owned.map(named));
  assertEquals(new Set(all).size, all.length, `${where}: no partition has two owners`);
  for (const [topic, count] of partitions) {
    const expected = now.some((m) => m.topics.includes(topic)) ? count : 0;
    assertEquals(all.filter((name) => name.startsWith(`${topic}/`)).length, expected, `${where}: all of ${topic}`);
  }
  for (const one of now) {
    assert(one.owned.every((p) => one.topics.includes(p.topic)), `${where}: ${one.id} knows its topics`);
    for (const other of now) {
      if (one.owned.length - other.owned.length < 2) continue;
      assert(!one.owned.some((p) => other.topics.includes(p.topic)), `${where}: ${one.id} could give ${other.id} some`);
    }
  }
  assertEquals(moved(now, after(now, partitions)), 0, `${where}: a second assignment moves nothing`);
}
