/** Rebalances: no job is lost, doubled or held up while partitions move from worker to worker. */
import { assert, assertEquals } from "@std/assert";
import { activeJobTopic, Job, RevokedError } from "../../mod.ts";
import { attentive } from "../support/behaviours/faults.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";
import { type AppProcess, until } from "../support/behaviours/world.ts";

/** Returns the smallest valid envelope. */
function envelope(jobClass: string, ...args: unknown[]): string {
  return JSON.stringify({ job_class: jobClass, arguments: args });
}

function place({ partition, offset }: { partition: number; offset: number }): string {
  return `${partition}@${offset}`;
}

/** Returns the owner of each partition, by the events of the processes. */
function owners(processes: readonly AppProcess[]): Map<string, number> {
  const owned = new Map<string, number>();
  processes.forEach((process, index) => {
    const counts = new Map<string, number>();
    const count = (at: { topic: string; partition: number }, by: number) => {
      const key = `${at.topic}/${at.partition}`;
      counts.set(key, (counts.get(key) ?? 0) + by);
    };
    for (const at of process.events("partition.assigned")) count(at, 1);
    for (const at of process.events("partition.lost")) count(at, -1);
    for (const [key, by] of counts) if (by > 0) owned.set(key, index);
  });
  return owned;
}

behaviour(
  "B1: a second worker joins while 1000 jobs run: no job is lost, and a job that finished before the rebalance never runs again",
  async (world) => {
    let runs = 0;
    const joined = Promise.withResolvers<void>();
    class CountedJob extends Job {
      async perform(_n: number) {
        // However slowly the second worker joins, half of the jobs are left for both.
        if (++runs > 500) await joined.promise;
        await new Promise((resolve) => setTimeout(resolve, 8));
      }
    }
    const topics = [activeJobTopic("default", { partitions: 4 })];
    const first = await world.process({ jobs: [CountedJob], topics });
    const second = await world.process({ jobs: [CountedJob], topics });
    await world.append(
      Array.from({ length: 1000 }, (_, n) => ({ partition: n % 4, value: envelope("CountedJob", n) })),
    );
    await first.start();
    await until(() => first.events("job.performed").length > 100, () => "the first worker to be busy");
    await second.start();
    await until(() => second.events("partition.assigned").length > 0, () => "the second worker to own a partition");
    joined.resolve();
    const performed = () => [...first.events("job.performed"), ...second.events("job.performed")];
    await until(() => performed().length >= 1000, () => `1000 jobs, but there were ${performed().length}`);
    for (let partition = 0; partition < 4; partition++) await world.untilCommitted(250, "default", partition);
    assert(second.events("job.performed").length > 0, "the second worker performed some of them");
    // Only a job whose partition was lost while it ran may run twice.
    const revoked = [...first.events("job.revoked"), ...second.events("job.revoked")];
    assertEquals(performed().length, 1000);
    assertEquals(new Set(performed().map(place)).size, 1000);
    assertEquals(runs, 1000 + revoked.length);
    assert(revoked.length <= 4, `${revoked.length} jobs were revoked`);
  },
);

for (const ending of ["returns", "throws"] as const) {
  behaviour(
    `B2: a job whose partition is lost, and that ${ending} at the abort of its signal, is neither marked nor dead-lettered`,
    async (world) => {
      const reasons: unknown[] = [];
      const begun: string[] = [];
      const release = Promise.withResolvers<void>();
      class HeldJob extends Job {
        async perform() {
          const at = place(this.record!);
          begun.push(at);
          // The next owner of the partition performs it at once.
          if (begun.filter((each) => each === at).length > 1) return;
          const aborted = Promise.withResolvers<void>();
          this.signal.addEventListener("abort", () => aborted.resolve());
          await Promise.race([aborted.promise, release.promise]);
          if (!this.signal.aborted) return;
          reasons.push(this.signal.reason);
          if (ending === "throws") throw new Error("aborted");
        }
      }
      const topics = [activeJobTopic("default", { partitions: 2, deadLetterQueue: { topic: "dead", maxRetries: 0 } })];
      const first = await world.process({ jobs: [HeldJob], topics });
      const second = await world.process({ jobs: [HeldJob], topics });
      await world.append([0, 1].map((partition) => ({ partition, value: envelope("HeldJob") })));
      await first.start();
      await until(() => begun.length === 2, () => `2 jobs to begin, but these did: ${begun}`);
      await second.start();
      const [performed] = await second.untilEvents("job.performed", 1);
      const [revoked] = await first.untilEvents("job.revoked", 1);
      assertEquals(revoked!.outcome, ending === "returns" ? "passed" : "failed");
      assertEquals([revoked!.jobId, place(revoked!)], [performed!.jobId, place(performed!)]);
      assert(reasons.length === 1 && reasons[0] instanceof RevokedError, `aborted because of ${reasons}`);
      await world.untilCommitted(1, "default", performed!.partition);
      assertEquals((await world.committed("default", 1 - performed!.partition)).offset ?? 0, 0);
      release.resolve();
      await first.untilEvents("job.performed", 1);
      await world.untilCommitted(1, "default", 1 - performed!.partition);
      await first.stop();
      await second.stop();
      assertEquals(begun.length, 3);
      assertEquals(first.events("job.failed"), []);
      assertEquals([...first.events("record.dead_lettered"), ...second.events("record.dead_lettered")], []);
      assertEquals(await world.records("dead"), []);
    },
  );
}

behaviour(
  "B5: a topic gets more partitions while a worker runs: their jobs are performed without a restart",
  async (world) => {
    class PlacedJob extends Job {
      perform() {}
    }
    const options = (partitions: number) => ({
      jobs: [PlacedJob],
      topics: [activeJobTopic("default", { partitions })],
      broker: attentive(world),
    });
    const worker = await world.process(options(1));
    await worker.start();
    await worker.app.enqueue(PlacedJob.of());
    await worker.untilEvents("job.performed", 1);
    // Its declaration of the topic has more partitions, which it creates.
    const enqueuer = await world.process(options(3));
    for (let n = 0; n < 9; n++) await enqueuer.app.enqueue(PlacedJob.of());
    const performed = await worker.untilEvents("job.performed", 10);
    assertEquals(performed.map(({ partition }) => partition).toSorted(), [0, 0, 0, 0, 1, 1, 1, 2, 2, 2]);
    assertEquals(worker.events("worker.started").length, 1);
  },
);

behaviour(
  "B6: a partition moves while its job is retried: the next worker continues to count the attempts",
  async (world) => {
    const attempts = new Map<number, number[]>([[0, []], [1, []]]);
    class StubbornJob extends Job {
      perform() {
        attempts.get(this.record!.partition)!.push(this.attempt);
        if (this.attempt < 3) throw new Error("not here");
      }
    }
    // No wait ends by itself: only a new owner tries again.
    const options = {
      jobs: [StubbornJob],
      topics: [activeJobTopic("default", { partitions: 2 })],
      backoff: { initialMs: 600_000, maxMs: 600_000, jitter: 0 },
    };
    const processes = [await world.process(options), await world.process(options), await world.process(options)];
    const [first, second, third] = processes as [AppProcess, AppProcess, AppProcess];
    await world.append([0, 1].map((partition) => ({ partition, value: envelope("StubbornJob") })));
    await first.start();
    await first.untilEvents("job.failed", 2);
    await second.start();
    await second.untilEvents("job.failed", 1);
    await first.stop();
    await second.untilEvents("job.failed", 2);
    await second.stop();
    await third.start();
    await third.untilEvents("job.performed", 2);
    assertEquals([...attempts.values()], [[1, 2, 3], [1, 2, 3]]);
  },
);

behaviour(
  "B9: a ninth worker joins a group with 24 partitions: at most 3 move; it leaves: at most 3 move again",
  async (world) => {
    class IdleJob extends Job {
      perform() {}
    }
    const options = { jobs: [IdleJob], topics: [activeJobTopic("default", { partitions: 24 })] };
    const processes: AppProcess[] = [];
    for (let index = 0; index < 9; index++) processes.push(await world.process(options));
    const eight = processes.slice(0, 8);
    const ninth = processes[8]!;
    const lost = () => eight.flatMap((process) => process.events("partition.lost")).length;
    const settled = async (of: readonly AppProcess[]) => {
      await until(() => {
        const shares = Object.values(Object.groupBy(owners(of).values(), (owner) => owner)).map((own) => own!.length);
        return owners(of).size === 24 && shares.length === of.length && Math.max(...shares) - Math.min(...shares) <= 1;
      }, () => `24 partitions among ${of.length}, but they were ${JSON.stringify([...owners(of)])}`);
      return owners(of);
    };
    const moved = (before: Map<string, number>, after: Map<string, number>) =>
      [...before].filter(([key, owner]) => after.get(key) !== owner).length;
    await Promise.all(eight.map((process) => process.start()));
    const before = await settled(eight);
    const lostBefore = lost();
    await ninth.start();
    const during = await settled(processes);
    assert(moved(before, during) <= 3, `${moved(before, during)} moved when it came`);
    // The other partitions kept their owners: they were not given up and taken again. An owner may learn of its loss last.
    await until(() => lost() - lostBefore >= moved(before, during), () => `${lost() - lostBefore} were lost`);
    assertEquals(lost() - lostBefore, moved(before, during));
    await ninth.stop();
    const after = await settled(eight);
    assert(moved(during, after) <= 3, `${moved(during, after)} moved when it left`);
    assertEquals(lost() - lostBefore, moved(before, during));
  },
);

behaviour(
  "B10: two workers of a group have the topics [a] and [a, b]: the jobs of b are performed, those of a are shared",
  async (world) => {
    class SharedJob extends Job {
      async perform() {
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    }
    const a = activeJobTopic("a", { partitions: 4 });
    const b = activeJobTopic("b", { partitions: 2 });
    // The old worker comes first: it leads the group, and does not know b.
    const old = await world.process({ jobs: [SharedJob], topics: [a] });
    const young = await world.process({ jobs: [SharedJob], topics: [a, b] });
    await old.start();
    await young.start();
    const owned = () => owners([old, young]);
    const sharesA = () => [...owned()].some(([at, owner]) => owner === 1 && at.startsWith(`${world.topic("a")}/`));
    await until(() => owned().size === 6 && sharesA(), () => `6 partitions that are shared, not ${[...owned()]}`);
    const jobs = (count: number, partitions: number) =>
      Array.from({ length: count }, (_, n) => ({ partition: n % partitions, value: envelope("SharedJob") }));
    await world.append(jobs(40, 4), "a");
    await world.append(jobs(20, 2), "b");
    const all = () => [...old.events("job.performed"), ...young.events("job.performed")];
    await until(() => all().length >= 60, () => `60 jobs, but there were ${all().length}`);
    const count = (process: AppProcess, queue: string) =>
      process.events("job.performed").filter(({ topic }) => topic === world.topic(queue)).length;
    assertEquals([count(old, "b"), count(young, "b"), count(old, "a") + count(young, "a")], [0, 20, 40]);
    assert(count(old, "a") > 0 && count(young, "a") > 0, "both performed jobs of a");
  },
);
