/** The states of offsets in the commit's metadata: encoded and decoded again, within the space that was reserved. */
import { assert, assertEquals } from "@std/assert";
import {
  decodeStates,
  encodeStates,
  LONGEST_RUN,
  type OffsetStates,
} from "../../../src/worker/partition/offset_states.ts";
import { forSeeds, type Random } from "../../support/random.ts";

/** States of up to 40 records, and the most characters that they may take. */
function someStates(random: Random, front: number, maxAttempts: number) {
  const finished: { from: number; to: number }[] = [];
  const failed: { offset: number; attempts: number }[] = [];
  let offset = front;
  let room = 0;
  for (let count = random.integer(0, 40); count > 0; count--) {
    const gap = random.chance(0.2) ? random.pick([1, 2, 12, 1000, 2 ** 45]) : 0;
    offset += gap;
    room += 1 + Math.min(gap, LONGEST_RUN);
    const fate = random.integer(0, 2);
    const last = finished.at(-1);
    if (fate === 1 && last?.to === offset) last.to++;
    else if (fate === 1) finished.push({ from: offset, to: offset + 1 });
    else if (fate === 2) failed.push({ offset, attempts: random.integer(1, maxAttempts) });
    offset++;
  }
  return { states: { finished, failed }, room };
}

Deno.test("decodeStates() reads the result of encodeStates(), which is within one character a record and a run a gap", () => {
  forSeeds(500, (random) => {
    const front = random.pick([0, 7, 2 ** 40]);
    const { states, room } = someStates(random, front, 61);
    const text = encodeStates(states, front, room);
    assert(text.length <= room && /^[\w~-]*$/.test(text), text);
    assertEquals(decodeStates(text, front), states);
  });
});

Deno.test("encodeStates() writes counts above 61 exactly where there is space, and 61 where there is none", () => {
  const failed = [3, 61, 62, 99_999].map((attempts, offset) => ({ offset, attempts }));
  const states: OffsetStates = { finished: [], failed };
  assertEquals(decodeStates(encodeStates(states, 0, 100), 0), states);
  const short = encodeStates(states, 0, 4);
  assertEquals(decodeStates(short, 0).failed.map(({ attempts }) => attempts), [3, 61, 61, 61]);
  assertEquals(encodeStates(states, 0, 3), short.slice(0, 3));
});

Deno.test("encodeStates() folds what is alike, and leaves out what is behind the front or too far away", () => {
  const finished = [{ from: 2, to: 12 }, { from: 1000, to: 1002 }];
  assertEquals(encodeStates({ finished, failed: [{ offset: 15, attempts: 2 }] }, 10, 100), "BBAAAD~rcABB");
  assertEquals(encodeStates({ finished, failed: [] }, 0, 8), "AA~aB");
  assertEquals(decodeStates("BBAAAD~rcABB", 10), {
    finished: [{ from: 10, to: 12 }, { from: 1000, to: 1002 }],
    failed: [{ offset: 15, attempts: 2 }],
  });
});

Deno.test("decodeStates() reads forged text up to its first fault, and never a position that is not a number", () => {
  for (const text of ["*", "~", "~a", "~zC", "_a", ";B", "é", "~zzzzzzzzzzzzB"]) {
    assertEquals(decodeStates(`AB${text}*B`, 0), { finished: [{ from: 1, to: 2 }], failed: [] }, text);
  }
  forSeeds(300, (random) => {
    const pieces = ["A", "B", "C", "-", "_", "~", "z", "zzzzzzzzzzz", "9", "*", "\u0000"];
    const text = Array.from({ length: random.integer(0, 40) }, () => random.pick(pieces)).join("");
    const { finished, failed } = decodeStates(text, 3);
    for (const { from, to } of finished) assert(from >= 3 && to > from && Number.isSafeInteger(to), text);
    for (const { offset, attempts } of failed) {
      assert(offset >= 3 && attempts > 0 && Number.isSafeInteger(offset), text);
    }
  });
});
