/** Groups under load, whose partitions move or whose workers are killed. The soak runs them for longer. */
// Runs alone on Kafka: it counts how often partitions move within seconds.
import { assert, assertEquals } from "@std/assert";
import { activeJobTopic, Job } from "../../mod.ts";
import { Child } from "../support/child.ts";
import { MachineMeter } from "../support/machine_meter.ts";
import { Random } from "../support/random.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";
import { JOB_MS, killLoop } from "../support/behaviours/kill_loop.ts";
import { RunLog } from "../support/behaviours/run_log.ts";
import type { LoadReport, LoadSettings } from "../support/behaviours/children/rebalance_load.ts";

const LOAD = new URL("../support/behaviours/children/rebalance_load.ts", import.meta.url).pathname;

behaviour(
  "B3: partitions move every second under load: no job is lost, no partition stops, and the heap does not grow",
  async (world) => {
    const url = world.log === null ? world.url : "memory:load";
    const settings: LoadSettings = { url, group: world.group, seconds: 8 };
    using machine = new MachineMeter();
    await using child = new Child([LOAD, JSON.stringify(settings)], { options: ["-A", "--v8-flags=--expose-gc"] });
    const report: LoadReport = JSON.parse(await child.line(/^\{/));
    assertEquals((await child.ended()).code, 0);
    const context = JSON.stringify(report);
    assert(report.moves >= 8 && report.enqueued > 2000, context);
    assertEquals([report.missing, report.lag, report.errors], [0, 0, []], context);
    // Every job is marked once, and run again only where its first run was revoked.
    assertEquals([report.performed, report.runs], [report.enqueued, report.enqueued + report.revoked], context);
    machine.assertWithin("rest", report.drainMs, 5000, () => `: ${context}`);
    assert(report.heap[1] <= report.heap[0] * 1.3, context);
  },
);

behaviour("one of three workers is killed each second: no job is lost, and few run twice", {
  on: ["sqlite", "kafka"],
  because: "the memory log lives in one process",
}, async (world) => {
  class RunLogJob extends Job {
    perform() {}
  }
  const partitions = 6;
  await world.process({ jobs: [RunLogJob], topics: [activeJobTopic("default", { partitions })] });
  const seed = Math.trunc(Math.random() * 2 ** 32);
  await using runLog = new RunLog(world);
  const random = new Random(seed);
  using machine = new MachineMeter();
  const report = await killLoop(world, runLog, { workers: 3, partitions, jobsASecond: 200, seconds: 6, random });
  const context = `seed ${seed}, ${JSON.stringify(report)}`;
  assertEquals([report.jobs, report.kills, report.lost], [1200, 6, []], context);
  // In flight: one a partition. Finished since the last commit: what fits into its interval of 50 ms, its round trip and
  // a standstill of the machine.
  assert(report.cut <= report.kills * partitions, context);
  assert(report.again <= report.kills * partitions * (20 + machine.allowanceMs / JOB_MS), context);
});
