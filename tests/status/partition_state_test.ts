import { assertEquals } from "@std/assert";
import {
  BEHIND_AFTER_MS,
  type PartitionFacts,
  STALLED_AFTER_MS,
  summarizePartition,
  type TopicFacts,
} from "../../src/status/partition_state.ts";

const NOW_MS = 1_000_000_000;
const FACTS: PartitionFacts = {
  topic: "mail",
  partition: 3,
  low: 10,
  high: 42,
  committed: 40,
  metadata: "",
  problem: null,
  headAtMs: NOW_MS - 5000,
  unmovedMs: 0,
  owner: null,
};
const SHARED: TopicFacts = {
  workers: 1,
  pause: null,
  stalledAfterMs: STALLED_AFTER_MS,
  nowMs: NOW_MS,
  command: "skip",
};
const PAUSE = { by: "ada", why: "the mail server is down", atMs: NOW_MS };

/** The state of a partition, its reason and its lag. */
function judge(facts: Partial<PartitionFacts>, shared: Partial<TopicFacts> = {}) {
  const { state, reason, lag } = summarizePartition({ ...FACTS, ...facts }, { ...SHARED, ...shared });
  return `${state}: ${reason} (${lag})`;
}

Deno.test("a partition is in the worst of the states that its facts show", () => {
  assertEquals(judge({}), "ok: 2 records wait, the oldest for 5 s (2)");
  assertEquals(judge({ committed: 42, headAtMs: null }), "ok: nothing waits (0)");
  assertEquals(judge({ committed: 41 }), "ok: 1 record waits for 5 s (1)");
  assertEquals(judge({ headAtMs: null }), "ok: 2 records wait (2)");
  const old = { headAtMs: NOW_MS - BEHIND_AFTER_MS - 1 };
  assertEquals(judge({ headAtMs: NOW_MS - BEHIND_AFTER_MS }), "ok: 2 records wait, the oldest for 1 min (2)");
  assertEquals(judge(old), "behind: 2 records wait, the oldest for 1 min (2)");
  assertEquals(
    judge(old, { pause: PAUSE }),
    "paused: paused by ada: the mail server is down; 2 records wait, the oldest for 1 min (2)",
  );
  const failed = { ...old, metadata: "v1;a=0:2" };
  assertEquals(judge(failed), "retrying: offset 40 has failed 2 times and is tried again (2)");
  assertEquals(judge({ ...old, metadata: "v1;d=1" }), "retrying: the dead letter of offset 41 is being written (2)");
  assertEquals(judge(failed, { pause: PAUSE }), "retrying: offset 40 has failed 2 times and is tried again (2)");
  const unmoved = { ...failed, headAtMs: NOW_MS - STALLED_AFTER_MS, unmovedMs: 2 * STALLED_AFTER_MS };
  assertEquals(
    judge(unmoved),
    "stalled: 2 records wait, the oldest for 5 min, and the committed offset has not moved for 10 min (2)",
  );
  assertEquals(judge({ ...unmoved, metadata: "", unmovedMs: STALLED_AFTER_MS - 1 }).split(":")[0], "behind");
  assertEquals(judge({ ...unmoved, metadata: "", headAtMs: NOW_MS - STALLED_AFTER_MS + 1 }).split(":")[0], "behind");
  assertEquals(judge({ ...unmoved, metadata: "" }, { pause: PAUSE }).split(":")[0], "paused");
  assertEquals(judge({ ...unmoved, committed: 42, metadata: "" }).split(":")[0], "ok");
  assertEquals(
    judge(unmoved, { workers: 0 }),
    "no worker: 2 records wait, the oldest for 5 min, and no worker reads the topic (2)",
  );
  assertEquals(
    judge({}, { workers: 0, pause: PAUSE }),
    "no worker: 2 records wait, the oldest for 5 s, and no worker reads the topic; it is paused by ada: the mail server is down (2)",
  );
  assertEquals(judge({ committed: 42 }, { workers: 0 }).split(":")[0], "ok");
  assertEquals(judge({}, { workers: null }).split(":")[0], "ok");
  assertEquals(
    judge({ ...unmoved, metadata: "v1;a=0:2;w=0,1" }, { workers: 0, pause: PAUSE }),
    "stuck: offset 40 fails until an operator helps (and 1 other record); to skip it: skip mail/3@40 (2)",
  );
});

Deno.test("a partition whose facts are not known is unknown, with the reason and without a lag", () => {
  const problem = "it has no leader";
  assertEquals(judge({ low: null, high: null, problem }), "unknown: it has no leader (null)");
  assertEquals(judge({ committed: null, problem }), "unknown: it has no leader (null)");
  assertEquals(judge({ high: null }), "unknown: the broker did not say (null)");
  assertEquals(judge({ high: null, problem, metadata: "v1;w=0" }).split(":")[0], "stuck");
});

Deno.test("the lag begins at the start of the log where nothing is committed, or retention has passed the commit", () => {
  assertEquals(judge({ committed: null }), "ok: 32 records wait, the oldest for 5 s (32)");
  assertEquals(judge({ committed: 4 }), "ok: 32 records wait, the oldest for 5 s (32)");
  assertEquals(judge({ committed: 50 }), "ok: nothing waits (0)");
});

Deno.test("the metadata of a commit is untrusted: offsets outside of the log are not stuck", () => {
  assertEquals(judge({ metadata: "v1;w=2,99999999" }).split(":")[0], "ok");
  assertEquals(judge({ committed: 4, metadata: "v1;w=0" }).split(":")[0], "ok");
  assertEquals(judge({ metadata: "garbage;w=0" }).split(":")[0], "ok");
});

Deno.test("a record of the future has waited for no time", () => {
  const { oldestWaitingMs } = summarizePartition({ ...FACTS, headAtMs: NOW_MS + 9000 }, SHARED);
  assertEquals(oldestWaitingMs, 0);
});
