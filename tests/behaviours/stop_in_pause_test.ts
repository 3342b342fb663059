/** A stop while a partition waits for a retry. The other stops need processes: see `stopping_test.ts`. */
import { assertEquals } from "@std/assert";
import { activeJobTopic, Job } from "../../mod.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";
import { durationMs } from "../support/behaviours/world.ts";
import { MachineMeter } from "../support/machine_meter.ts";

behaviour(
  "S4: a worker is stopped while a partition waits for a retry: it stops at once, and that job is not marked",
  async (world) => {
    const runs: string[] = [];
    class PausingJob extends Job {
      perform(n: number) {
        runs.push(`${n} attempt ${this.attempt}`);
        if (n === 1 && this.attempt === 1) throw new Error("not yet");
      }
    }
    const topics = [activeJobTopic("default", { partitions: 1, deadLetterQueue: { topic: "dead", maxRetries: 3 } })];
    const first = await world.process({ jobs: [PausingJob], topics, backoff: { initialMs: 600_000, maxMs: 600_000 } });
    for (let n = 0; n < 3; n++) await PausingJob.performLater(n);
    await first.start();
    const [paused] = await first.untilEvents("partition.paused", 1);
    assertEquals([paused!.offset, paused!.waitMs >= 600_000 || paused!.waitMs], [1, true]);
    using machine = new MachineMeter();
    // The wait would be ten minutes, the stop's own limit is 25 s.
    machine.assertWithin("stop", await durationMs(() => first.stop()), 5000);
    assertEquals((await world.committed()).offset, 1);
    await first.close();

    const second = await world.process({ jobs: [PausingJob], topics });
    await second.drain();
    assertEquals(runs, ["0 attempt 1", "1 attempt 1", "1 attempt 2", "2 attempt 1"]);
    assertEquals((await world.records("dead")).length, 0);
  },
);
