/** The sums of workers' reports: minutes of clocks that differ, and workers that are gone. */
import { assertEquals } from "@std/assert";
import type { ReportedWorker } from "../../../src/reports/reported_worker.ts";
import { addUpHours, addUpTopics, listFailing, listRunning, summarizeFleet } from "../../../src/web/dashboard/fleet.ts";
import { reportedWorker } from "../../support/reported_worker.ts";

const NOW_MS = 1_000_000 * 60_000 + 30_000;

/** A worker whose clock differs by some minutes, and that has performed 7 jobs in its newest minute and 1 in the one before. */
function workerAt(minutes: number, state: ReportedWorker["state"] = "running"): ReportedWorker {
  return reportedWorker({ id: `w${minutes}`, state, minuteMs: (1_000_000 + minutes) * 60_000, performed: [1, 7] });
}

Deno.test("addUpHours() adds the same minute of all workers, whatever their clocks show", () => {
  const total = (...workers: ReportedWorker[]) => addUpTopics(addUpHours(workers, NOW_MS).values()).done.slice(-4);
  assertEquals(total(workerAt(0)), [0, 0, 1, 7]);
  assertEquals(total(workerAt(0), workerAt(-2, "gone")), [1, 7, 1, 7]);
  // A clock that is ahead counts into the newest minute.
  assertEquals(total(workerAt(5)), [0, 0, 0, 8]);
  assertEquals(total(workerAt(-200, "gone")), [0, 0, 0, 0]);
  assertEquals(addUpHours([], NOW_MS).size, 0);
});

Deno.test("a worker that is gone has no slots, and what it ran and failed is not listed", () => {
  const workers = [workerAt(0), workerAt(1), workerAt(2, "gone")];
  assertEquals(summarizeFleet(workers), { alive: 2, gone: 1, slots: 20, running: 2 });
  assertEquals(listRunning(workers).map(({ worker }) => worker), ["w0", "w1"]);
  const failing = listFailing(workers);
  assertEquals(failing.map(({ worker, isStuck, remedy }) => [worker, isStuck, remedy]), [
    ["w0", true, "skip default/0@5"],
    ["w1", true, "skip default/0@5"],
    ["w0", false, null],
    ["w1", false, null],
  ]);
  assertEquals(listFailing(workers, "my skip").map(({ remedy }) => remedy)[0], "my skip default/0@5");
  assertEquals(failing[0]!.nextTryAtMs, workers[0]!.writtenAtMs + 2000);
});
