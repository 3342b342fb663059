/** The commit's metadata: encoded and decoded again; untrusted metadata is ignored. */
import { assert, assertEquals } from "@std/assert";
import {
  capacityOf,
  decodeCommitMetadata,
  encodeCommitMetadata,
  NO_PROGRESS,
  type Progress,
} from "../../../src/worker/partition/commit_metadata.ts";
import { encodeStates } from "../../../src/worker/partition/offset_states.ts";
import { forSeeds, type Random } from "../../support/random.ts";

function someProgress(random: Random, front: number): Progress {
  const finished: { from: number; to: number }[] = [];
  const failed: { offset: number; attempts: number }[] = [];
  const [stuck, givenUp]: [number[], number[]] = [[], []];
  let offset = front;
  for (let count = random.integer(0, 12); count > 0; count--) {
    if (random.chance(0.5)) {
      const from = offset + random.integer(1, random.chance(0.1) ? 1e9 : 9);
      offset = from + random.integer(1, random.chance(0.1) ? 1e9 : 9);
      finished.push({ from, to: offset });
    } else {
      // A count above 61 may be written as 61.
      failed.push({ offset, attempts: random.integer(1, 61) });
      if (random.chance(0.3)) random.pick([stuck, givenUp]).push(offset);
      offset++;
    }
  }
  return { failed, strikes: random.chance(0.5) ? random.integer(1, 99_999) : 0, givenUp, stuck, finished };
}

Deno.test("decodeCommitMetadata() reads the result of encodeCommitMetadata(), at any front", () => {
  forSeeds(500, (random) => {
    const front = random.pick([0, 1, 17, 2 ** 40]);
    const progress = someProgress(random, front);
    const text = encodeCommitMetadata(progress, front, 4096);
    assert(/^[\x20-\x7e]*$/.test(text), text);
    assertEquals(decodeCommitMetadata(text, front), progress);
  });
});

Deno.test("encodeCommitMetadata() stays within the length, and writes first what a record was started for", () => {
  forSeeds(500, (random) => {
    const front = random.integer(0, 1000);
    const progress = someProgress(random, front);
    const maxLength = random.integer(0, 100);
    const text = encodeCommitMetadata(progress, front, maxLength);
    assert(text.length <= maxLength, `${text.length} characters, but at most ${maxLength}`);
    const read = decodeCommitMetadata(text, front);
    for (const { offset, attempts } of read.failed) {
      assert(progress.failed.some((failed) => failed.offset === offset && failed.attempts === attempts), text);
    }
    for (const { from, to } of read.finished) {
      assert(progress.finished.some((range) => range.from <= from && to <= range.to), text);
    }
    const states = encodeStates(progress, front, Infinity);
    const isWhole = progress.finished.length > 0 || progress.failed.length > 1;
    if (isWhole && states.length <= capacityOf(maxLength)) {
      assertEquals([read.failed, read.finished], [progress.failed, progress.finished]);
    }
  });
});

Deno.test("encodeCommitMetadata() returns an empty string if there is nothing to store, and a short one otherwise", () => {
  const failed = [{ offset: 7, attempts: 2 }];
  const finished = [{ from: 10, to: 12 }, { from: 16, to: 17 }];
  assertEquals(encodeCommitMetadata(NO_PROGRESS, 7, 4096), "");
  assertEquals(encodeCommitMetadata({ ...NO_PROGRESS, failed, strikes: 3 }, 7, 4096), "v1;a=0:2;s=3");
  assertEquals(
    encodeCommitMetadata({ ...NO_PROGRESS, failed, strikes: 3, finished }, 7, 4096),
    "v1;k=DAABB~4AB;a=0:2;s=3;f=3-5,9-10",
  );
  assertEquals(
    encodeCommitMetadata({ failed, strikes: 3, givenUp: [7], stuck: [9, 12], finished: [] }, 7, 4096),
    "v1;a=0:2;s=3;d=0;w=2,5",
  );
  assertEquals(
    encodeCommitMetadata({ ...NO_PROGRESS, failed: [...failed, { offset: 9, attempts: 1 }] }, 7, 4096),
    "v1;k=DAC;a=0:2",
  );
  assertEquals(encodeCommitMetadata({ ...NO_PROGRESS, finished }, 7, 4096), "v1;k=AAABB~4AB;f=3-5,9-10");
  assertEquals(
    encodeCommitMetadata({ ...NO_PROGRESS, failed: [{ offset: 7, attempts: 1e9 }], strikes: 1e9 }, 7, 4096),
    "v1;a=0:99999;s=99999",
  );
});

Deno.test("decodeCommitMetadata() returns the union of the fields that version 0.1 knows and of those that it ignores", () => {
  assertEquals(decodeCommitMetadata("v1;k=DABB;a=0:9;f=1-3,7-8", 10), {
    ...NO_PROGRESS,
    failed: [{ offset: 10, attempts: 9 }],
    finished: [{ from: 11, to: 14 }, { from: 17, to: 18 }],
  });
});

const FORGED_COUNTS = ["-1", "1e99", "0x10", " 5 ", "", "1.5", "NaN", "Infinity", "100000", "٣", "+1", "1:1"];

Deno.test("decodeCommitMetadata() ignores forged counts and distances", () => {
  for (const forged of FORGED_COUNTS) {
    assertEquals(decodeCommitMetadata(`v1;a=0:${forged};s=${forged}`, 5), NO_PROGRESS, JSON.stringify(forged));
  }
  for (const distance of ["-1", "1e3", "", "0x1", "9".repeat(16)]) {
    for (const field of [`a=${distance}:3`, `d=${distance}`, `w=${distance}`]) {
      assertEquals(decodeCommitMetadata(`v1;${field}`, 5), NO_PROGRESS, JSON.stringify(field));
    }
  }
});

Deno.test("decodeCommitMetadata() ignores malformed ranges, and reads the others", () => {
  const cases: [string, readonly { from: number; to: number }[]][] = [
    ["v1;f=3-5", [{ from: 13, to: 15 }]],
    ["v1;f=5-3,7-7,8-9", [{ from: 18, to: 19 }]],
    ["v1;f=-5-3", []],
    ["v1;f=3", []],
    ["v1;f=3-5-7", []],
    ["v1;f=1e1-5e5", []],
    ["v1;f=,,", []],
    ["v1;f=0-1", [{ from: 10, to: 11 }]],
  ];
  for (const [text, finished] of cases) {
    assertEquals(decodeCommitMetadata(text, 10), { ...NO_PROGRESS, finished }, text);
  }
});

Deno.test("decodeCommitMetadata() ignores the metadata of other programs and of other versions", () => {
  for (
    const text of [
      "",
      "v2;a=0:1",
      "v10;a=0:1",
      " v1;a=0:1",
      "offsets by kafka-ui",
      '{"v1":1}',
      "V1;s=3",
      "v1",
      "v1;;;",
      "v1;x=1;__proto__=2",
    ]
  ) {
    assertEquals(decodeCommitMetadata(text, 0), NO_PROGRESS, text);
  }
});

Deno.test("decodeCommitMetadata() never throws, for any string", () => {
  forSeeds(300, (random) => {
    const pieces = [
      "v1",
      ";",
      "=",
      "a",
      "s",
      "d",
      "w",
      "f",
      "k",
      "A",
      "B",
      "~",
      ":",
      "-",
      ",",
      "0",
      "7",
      "99999",
      "\u0000",
      "é",
      " ",
    ];
    const text = "v1;" + Array.from({ length: random.integer(0, 30) }, () => random.pick(pieces)).join("");
    const { failed, strikes, givenUp, stuck, finished } = decodeCommitMetadata(text, 3);
    for (const { offset, attempts } of failed) assert(offset >= 3 && attempts >= 0, text);
    for (const offset of [...givenUp, ...stuck]) assert(offset >= 3, text);
    assert(Number.isSafeInteger(strikes) && strikes >= 0, text);
    for (const { from, to } of finished) assert(from >= 3 && to > from, text);
  });
});
