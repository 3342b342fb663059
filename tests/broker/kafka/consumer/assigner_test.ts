import { assert, assertEquals } from "@std/assert";
import {
  type Claimant,
  decodeClaim,
  encodeClaim,
  sharePartitions,
} from "../../../../src/broker/kafka/consumer/assigner.ts";
import { Random } from "../../../support/random.ts";
import type { TopicPartition } from "../../../../src/support/position.ts";

function claimant(id: string, topics: readonly string[], owned: readonly TopicPartition[] = [], sinceMs = 0): Claimant {
  return { id, topics, owned, sinceMs, exclusive: false };
}

function of(topic: string, ...partitions: number[]): TopicPartition[] {
  return partitions.map((partition) => ({ topic, partition }));
}

function sorted(share: readonly TopicPartition[]): string[] {
  return share.map(({ topic, partition }) => `${topic}/${partition}`).sort();
}

Deno.test("sharePartitions() believes the younger of two claims for the same partitions", () => {
  // The old one slept past its session; the new one took over meanwhile.
  const members = [claimant("a-old", ["a"], of("a", 0, 1), 10), claimant("b-new", ["a"], of("a", 0, 1), 20)];
  for (const order of [members, members.toReversed()]) {
    const shares = sharePartitions(order, new Map([["a", 2]]));
    assertEquals([shares.get("a-old")!.length, shares.get("b-new")!.length], [1, 1]);
    const four = sharePartitions(order, new Map([["a", 4]]));
    assertEquals(sorted(four.get("b-new")!), ["a/0", "a/1"]);
    assertEquals(sorted(four.get("a-old")!), ["a/2", "a/3"]);
  }
});

Deno.test("sharePartitions() gives an exclusive member what it wants and nothing else, and the others the rest", () => {
  const members = [
    claimant("one", ["a"], of("a", 0, 1, 2), 10),
    claimant("two", ["a"], of("a", 3, 4, 5), 10),
    { ...claimant("skip", ["a"], of("a", 4), 99), exclusive: true },
  ];
  const shares = sharePartitions(members, new Map([["a", 6]]));
  assertEquals(sorted(shares.get("skip")!), ["a/4"]);
  assertEquals(sorted(shares.get("one")!), ["a/0", "a/1", "a/2"]);
  assertEquals(sorted(shares.get("two")!), ["a/3", "a/5"]);
});

Deno.test("sharePartitions() gives nothing of an exclusive claim on what is not there", () => {
  const members = [claimant("one", ["a"]), { ...claimant("skip", ["a"], of("a", 7)), exclusive: true }];
  const shares = sharePartitions(members, new Map([["a", 2]]));
  assertEquals(sorted(shares.get("skip")!), []);
  assertEquals(sorted(shares.get("one")!), ["a/0", "a/1"]);
});

Deno.test("sharePartitions() returns the same whatever the order of the members, and gives each partition once", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const source = new Random(seed);
    const random = (below: number) => source.integer(0, below - 1);
    const partitions = new Map([["a", 1 + random(9)], ["b", 1 + random(9)]]);
    const members = Array.from({ length: 1 + random(6) }, (_, n): Claimant => {
      const topics = random(3) === 0 ? ["a"] : ["a", "b"];
      const owned = topics.flatMap((topic) => of(topic, ...Array.from({ length: random(4) }, () => random(10))));
      return { ...claimant(`m${n}`, topics, owned, random(3)), exclusive: random(8) === 0 };
    });
    const shares = sharePartitions(members, partitions);
    const again = sharePartitions([...members].reverse(), partitions);
    for (const { id } of members) assertEquals(sorted(shares.get(id)!), sorted(again.get(id)!), `seed ${seed}`);
    const given = [...shares.values()].flatMap(sorted);
    assertEquals(new Set(given).size, given.length, `seed ${seed}: no partition twice`);
    for (const [topic, count] of partitions) {
      const known = members.some((member) => !member.exclusive && member.topics.includes(topic));
      if (known) assertEquals(given.filter((name) => name.startsWith(`${topic}/`)).length, count, `seed ${seed}`);
    }
  }
});

Deno.test("a claim comes out of its bytes as it went in", () => {
  const claim = { owned: [...of("a", 0, 5), ...of("__proto__", 1)], sinceMs: 1_700_000_000_000, exclusive: true };
  assertEquals(decodeClaim(encodeClaim(claim)), claim);
});

Deno.test("decodeClaim() takes what it cannot read for no claim", () => {
  const none = { owned: [], sinceMs: 0, exclusive: false };
  const encoder = new TextEncoder();
  for (const text of ["", "x", "null", "[]", "1", '{"owned":null}', '{"owned":{"a":1}}']) {
    assertEquals(decodeClaim(encoder.encode(text)), none, text);
  }
  assertEquals(decodeClaim(null), none);
  const mixed = decodeClaim(encoder.encode('{"owned":{"a":[0,-1,1.5,"2",9]},"sinceMs":"x","exclusive":1}'));
  assertEquals(mixed, { owned: of("a", 0, 9), sinceMs: 0, exclusive: false });
});

Deno.test("a claim of a thousand partitions stays small", () => {
  const owned = of("jobs", ...Array.from({ length: 1000 }, (_, n) => n));
  assert(encodeClaim({ owned, sinceMs: Date.now(), exclusive: false }).byteLength < 5000);
});
