import { assert, assertEquals } from "@std/assert";
import type { ReportedWorker } from "../../src/reports/reported_worker.ts";
import { ReportFacts } from "../../src/status/report_facts.ts";

const NOW_MS = 100 * 60_000;
const MAIL = { topic: "mail", partition: 0 };

interface Wanted {
  readonly state?: ReportedWorker["state"];
  readonly startedAtMs?: number;
  /** The jobs done in each of the last minutes. */
  readonly performed?: readonly number[];
  readonly otherTopics?: number;
  /** Whether an operator has paused partition 0. */
  readonly isPaused?: boolean;
  readonly running?: { readonly offset: number; readonly runningMs: number };
}

/** A worker of the topic "mail". */
function worker(id: string, wanted: Wanted = {}): ReportedWorker {
  const { state = "running", startedAtMs = 0, performed, otherTopics = 0, isPaused = false, running } = wanted;
  const histogram = { bounds: [], counts: [0], sum: 0 };
  const none = Array(60).fill(0);
  const counts = [...none, ...performed ?? []].slice(-60);
  const topic = { topic: "mail", performed: counts, failed: none, retried: none, deadLettered: none };
  const pausedBy = isPaused ? { by: "ada", why: null, atMs: 0 } : null;
  const jobs = running === undefined ? [] : [{ ...MAIL, ...running }];
  return {
    id,
    state,
    startedAtMs,
    writtenAtMs: NOW_MS - 1000,
    status: { groups: [{ topics: ["mail"], partitions: [{ ...MAIL, pausedBy }], running: jobs }] },
    history: {
      minuteMs: NOW_MS,
      topics: performed === undefined ? [] : [{ ...topic, runMs: histogram, waitMs: histogram }],
      otherTopics,
    },
  } as unknown as ReportedWorker;
}

const facts = (...workers: ReportedWorker[]) => new ReportFacts(workers, NOW_MS);
const unmovedMs = (found: ReportFacts, front: number, members: number) => found.of("mail").unmovedMs(0, front, members);

Deno.test("live workers say what runs and who owns a partition; those that are gone count for nothing", () => {
  const live = facts(worker("a", { running: { offset: 7, runningMs: 50 } }));
  assertEquals([live.of("mail").running, live.of("other").running], [1, null]);
  assertEquals(facts(worker("a")).of("mail").running, 0);
  assertEquals([...live.of("mail").owners], [[0, "a"]]);
  const gone = facts(worker("a", { state: "gone", running: { offset: 7, runningMs: 50 } }));
  assertEquals([gone.of("mail").running, gone.of("mail").owners.size, unmovedMs(gone, 7, 0)], [null, 0, 0]);
});

Deno.test("a committed offset has not moved while the job at it runs", () => {
  const running = facts(worker("a", { performed: [1], running: { offset: 7, runningMs: 400_000 } }));
  assertEquals([unmovedMs(running, 7, 1), unmovedMs(running, 6, 1)], [401_000, 0]);
});

Deno.test("a committed offset has not moved if no worker of the topic has done a job for five minutes", () => {
  const unmoved = (members: number, ...workers: ReportedWorker[]) => unmovedMs(facts(...workers), 7, members);
  assertEquals(unmoved(1, worker("a", { performed: [9, 0, 0, 0, 0, 0, 0] })), 300_000);
  assertEquals(unmoved(1, worker("a", { performed: [9, 0, 0, 0, 0, 0] })), 0);
  assertEquals(unmoved(1, worker("a")), 300_000);
  // The topic may be among those that are not listed, the worker new, or another one silent.
  assertEquals(unmoved(1, worker("a", { otherTopics: 1 })), 0);
  assertEquals(unmoved(1, worker("a", { startedAtMs: NOW_MS - 350_000 })), 0);
  assertEquals(unmoved(2, worker("a")), 0);
  assertEquals(unmoved(2, worker("a"), worker("b", { performed: [1] })), 0);
  assertEquals(unmoved(2, worker("a"), worker("b")), 300_000);
  assertEquals(unmoved(0), 0);
});

Deno.test("after a resume the idle minutes count neither while the reports are of the pause, nor while the job at the offset runs", () => {
  const unmoved = (wanted: Wanted, partition = 0) => facts(worker("a", wanted)).of("mail").unmovedMs(partition, 7, 1);
  assertEquals([unmoved({ isPaused: true }), unmoved({ isPaused: true }, 1)], [0, 300_000]);
  assertEquals(unmoved({ running: { offset: 7, runningMs: 2000 } }), 3000);
  assertEquals(unmoved({ running: { offset: 8, runningMs: 2000 } }), 300_000);
});

Deno.test("the work grows with the number of running jobs, and not faster: any client may report as many as it likes", () => {
  const count = 2000;
  const jobs = Array.from({ length: count }, (_, offset) => ({ ...MAIL, offset, runningMs: 50 }));
  const status = { groups: [{ topics: ["mail"], partitions: [{ ...MAIL, pausedBy: null }], running: jobs }] };
  const workers = [{ ...worker("a", { otherTopics: 1 }), status } as unknown as ReportedWorker];
  const { result, steps } = countArraySteps(() => facts(...workers));
  assertEquals([result.of("mail").running, unmovedMs(result, count - 1, 1)], [count, 1050]);
  assert(steps >= count && steps < 2 * count, `${steps} entries of arrays were visited`);
});

/** Counts the entries of arrays that a function visits with `for` loops and copies with `...`. */
function countArraySteps<T>(run: () => T): { readonly result: T; readonly steps: number } {
  const iterator: { next: () => unknown } = Object.getPrototypeOf([].values());
  const { next } = iterator;
  let steps = 0;
  iterator.next = function () {
    steps++;
    return next.call(this);
  };
  try {
    const result = run();
    return { result, steps };
  } finally {
    iterator.next = next;
  }
}
