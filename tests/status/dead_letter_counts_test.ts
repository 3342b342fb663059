/** The counts of dead letters: a number that is not known is `null`, and a note says why. */
import { assertEquals } from "@std/assert";
import type { BrokerAdmin, ListedTopic } from "../../src/broker/admin.ts";
import { Deadline } from "../../src/status/ask.ts";
import { countDeadLetters } from "../../src/status/dead_letter_counts.ts";

/** A topic of one partition with records from offset 0 to an end, or with a reason why they are not known. */
function listed(end: number | string): ListedTopic {
  const known = typeof end === "number"
    ? { low: 0, high: end, problem: null }
    : { low: null, high: null, problem: end };
  return { partitions: [{ partition: 0, ...known }], problem: null };
}

async function count(topics: Readonly<Record<string, ListedTopic | null>> | null, names = ["dead"]) {
  using deadline = new Deadline(10_000);
  const read = () => Promise.reject(new Error("the disk is on fire"));
  const found = topics === null ? null : new Map(Object.entries(topics));
  const { counts, notes } = await countDeadLetters(
    (question) => deadline.ask(() => question({ read } as unknown as BrokerAdmin)),
    deadline,
    names,
    found,
  );
  return { counts: [...counts.values()].map(({ total, unhandled }) => [total, unhandled]), notes };
}

Deno.test("a dead letter topic that does not exist has an unknown number, and a note with the remedy", async () => {
  assertEquals(await count({ dead: null, dead_handled: null }), {
    counts: [[null, null]],
    notes: ['The dead letters of dead are not known: it does not exist: create it with "topics apply".'],
  });
});

Deno.test("a dead letter topic that cannot be read has an unknown number, and a note with the reason", async () => {
  const unled = { partitions: [...listed("it has no leader").partitions, ...listed(3).partitions], problem: null };
  assertEquals(await count({ dead: unled, dead_handled: listed(0) }), {
    counts: [[null, null]],
    notes: ["The dead letters of dead/0 are not known: it has no leader."],
  });
  assertEquals(await count({ dead: { partitions: [], problem: "not allowed" }, dead_handled: listed(0) }), {
    counts: [[null, null]],
    notes: ["The dead letters of dead are not known: not allowed."],
  });
});

Deno.test("markers that cannot be read make only those that were handled unknown, with a note", async () => {
  const cases = [
    [listed("it has no leader"), "it has no leader"],
    [{ partitions: [], problem: "not allowed" }, "not allowed"],
    [listed(20_001), "there are more than 20,000 markers"],
    [listed(1), "the disk is on fire"],
  ] as const;
  for (const [markers, reason] of cases) {
    assertEquals(await count({ dead: listed(7), dead_handled: markers }), {
      counts: [[7, null]],
      notes: [`The dead letters of dead that were handled are not known: ${reason}.`],
    });
  }
});

Deno.test("nothing is unknown without markers, or without letters", async () => {
  assertEquals(await count({ dead: listed(7), dead_handled: null }), { counts: [[7, 7]], notes: [] });
  assertEquals(await count({ dead: listed(7), dead_handled: listed(0) }), { counts: [[7, 7]], notes: [] });
  assertEquals(await count({ dead: listed(0), dead_handled: listed(30_000) }), { counts: [[0, 0]], notes: [] });
});

Deno.test("topics of which none could be asked for have no note each, and many topics have a few", async () => {
  assertEquals(await count(null), { counts: [[null, null]], notes: [] });
  const names = Array.from({ length: 1000 }, (_, n) => `dead_${n}`);
  const { notes } = await count(Object.fromEntries(names.map((name) => [name, null])), names);
  assertEquals(notes.length, 6);
  assertEquals(notes.at(-1), "Neither are those of 995 more dead letter topics.");
});
