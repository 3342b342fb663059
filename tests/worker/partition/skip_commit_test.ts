/** The commit of a skip: at the front, beyond it, by force, and where there is no space. */
import { assertEquals, assertThrows } from "@std/assert";
import { BrokerError } from "../../../src/errors.ts";
import { decodeCommitMetadata } from "../../../src/worker/partition/commit_metadata.ts";
import { skipCommit, type SkipSettings } from "../../../src/worker/partition/skip_commit.ts";

/** The group is at 10; 12 has failed once and 14 is stuck, 11 and 13 are finished. */
const COMMITTED = { offset: 10, metadata: "v1;k=ABCBD;w=4" };

function skip(offset: number, settings: Partial<SkipSettings> = {}, committed = COMMITTED, maxLength = 4000) {
  const position = { topic: "default", partition: 3, offset };
  const decide = skipCommit(position, { isAlone: true, force: false, ...settings });
  const commit = decide(committed, offset + 1, maxLength);
  if (commit === null) return null;
  const { failed, stuck, finished } = decodeCommitMetadata(commit.metadata, commit.offset);
  return { offset: commit.offset, failed, stuck, finished };
}

Deno.test("skipCommit() beyond the front adds one offset to the finished ones, and keeps all others", () => {
  assertEquals(skip(12), {
    offset: 10,
    failed: [{ offset: 14, attempts: 2 }],
    stuck: [14],
    finished: [{ from: 11, to: 14 }],
  });
  assertEquals(skip(14), {
    offset: 10,
    failed: [{ offset: 12, attempts: 1 }],
    stuck: [],
    finished: [{ from: 11, to: 12 }, { from: 13, to: 15 }],
  });
});

Deno.test("skipCommit() at the front, or by force, moves the group, and keeps what is known beyond", () => {
  const rest = { failed: [{ offset: 12, attempts: 1 }, { offset: 14, attempts: 2 }], stuck: [14] };
  const finished = [{ from: 11, to: 12 }, { from: 13, to: 14 }];
  for (const isAlone of [true, false]) {
    assertEquals(skip(10, { isAlone }), { offset: 11, ...rest, finished });
    assertEquals(skip(12, { isAlone, force: true }), {
      offset: 13,
      failed: rest.failed.slice(1),
      stuck: [14],
      finished: finished.slice(1),
    });
  }
});

Deno.test("skipCommit() in the order of the partition leaves a record to which the group has not come", () => {
  assertEquals(skip(12, { isAlone: false }), null);
});

Deno.test("skipCommit() refuses a record that is finished, or for which the commit has no space", () => {
  assertThrows(() => skip(13), BrokerError, "Cannot skip default/3@13: it is finished already");
  assertThrows(
    () => skip(40, {}, COMMITTED, 12),
    BrokerError,
    "Cannot skip default/3@40: it is too far ahead of offset 10, which is not finished",
  );
  assertEquals(skip(10, {}, { offset: 10, metadata: "" }), { offset: 11, failed: [], stuck: [], finished: [] });
});

Deno.test("skipCommit() does not take a record with a forged count of no failure for a finished one", () => {
  for (const metadata of ["v1;a=5:0", "v1;k=AAAAA_AAA"]) {
    const { finished, failed } = skip(12, {}, { offset: 10, metadata })!;
    assertEquals([finished, failed], [[{ from: 12, to: 13 }], []], metadata);
  }
});
