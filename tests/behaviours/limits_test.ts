/** Limits of a topic: how many jobs run at once, and how many start in a time, for each value of a function. */
import { activeJobTopic, Job, type LimitedJob } from "@activejob/kafka";
import { assert, assertEquals } from "@std/assert";
import { behaviour } from "../support/behaviours/behaviour.ts";
import { until } from "../support/behaviours/world.ts";
import { ManualClock } from "../support/manual_clock.ts";

const tenantOf = (job: LimitedJob) => job.args[0] as string;

behaviour(
  "O4: with a limit of 2 for each tenant at most 2 jobs of one run at once, over partitions; the others go on meanwhile",
  async (world) => {
    const running = new Map<string, number>();
    const most = new Map<string, number>();
    const ended: string[] = [];
    class TenantJob extends Job {
      async perform(tenant: string, n: number) {
        running.set(tenant, (running.get(tenant) ?? 0) + 1);
        most.set(tenant, Math.max(most.get(tenant) ?? 0, running.get(tenant)!));
        // The jobs of "big" wait until all of the other tenants have ended.
        if (tenant === "big") await until(() => ended.length >= 20, () => `${ended.length} jobs of others`);
        else ended.push(tenant);
        if (n % 5 === 0 && this.attempt === 1) {
          running.set(tenant, running.get(tenant)! - 1);
          throw new Error("a retry passes the limit again");
        }
        running.set(tenant, running.get(tenant)! - 1);
      }
    }
    const limits = { tenant: { by: tenantOf, max: 2 } };
    const topics = [activeJobTopic("default", { partitions: 2, ordering: "none", limits })];
    const process = await world.process({ jobs: [TenantJob], topics, concurrency: 50 });
    const jobs = Array.from({ length: 40 }, (_, n) => TenantJob.of(n < 20 ? "big" : `small${n % 5}`, n));
    await process.app.enqueueAll(jobs);
    await process.drain();
    assertEquals(process.events("job.performed").length, 40);
    assertEquals(most.get("big"), 2);
    for (const [tenant, count] of most) assert(count <= 2, `${count} jobs of ${tenant} at once`);
  },
);

behaviour(
  "O5: with a rate limit no span has more starts; what waits has not failed, a new owner goes on with it, and a stop ends the wait",
  async (world) => {
    const starts: number[] = [];
    const clock = new ManualClock();
    class RateJob extends Job {
      perform() {
        starts.push(clock.nowMs());
      }
    }
    for (const ordering of ["partition", "key"] as const) {
      starts.length = 0;
      const queue = `rate_${ordering}`;
      const topics = [activeJobTopic(queue, { partitions: 1, ordering, rateLimit: { jobs: 3, perMs: 60_000 } })];
      class QueueJob extends RateJob {
        static override queue = queue;
      }
      const options = { jobs: [QueueJob], topics, clock };
      const first = await world.process(options);
      for (let n = 0; n < 8; n++) await first.app.enqueue(QueueJob.of());
      await first.app.flush();
      await first.start();
      await world.untilCommitted(3, queue);
      await until(() => clock.waiting > 0, () => "a wait");
      const partition = first.worker.status().groups[0]!.partitions[0]!;
      assertEquals([partition.retrying, partition.stuck, partition.running], [[], [], []]);
      clock.advance(59_999);
      assertEquals(starts.length, 3);
      clock.advance(1);
      await world.untilCommitted(6, queue);
      assertEquals(starts.length, 6);
      // A stop in the wait is clean, and the next owner starts afresh.
      await first.stop();
      await first.close();
      const second = await world.process(options);
      await second.start();
      await world.untilCommitted(8, queue);
      await second.stop();
      await second.close();
      assertEquals(starts.length, 8);
      assertEquals([first, second].flatMap((process) => process.events("job.failed")), []);
    }
  },
);

behaviour(
  "O6: a second worker joins and leaves under load: no job of 20 tenants is lost, and no worker exceeds the limit of a tenant",
  async (world) => {
    // Once is enough where a rebalance takes seconds.
    for (const ordering of world.brokerName === "kafka" ? ["none"] as const : ["none", "key"] as const) {
      const queue = `limited_${ordering}`;
      const enqueued = new Set<number>();
      const ended = new Set<number>();
      const exceeded: string[] = [];
      let most = 0;
      /** The class of one process: its jobs count their runs for each tenant. */
      const jobOf = (onEnd: () => void) => {
        const running = new Map<string, number>();
        return class TenantJob extends Job {
          static override queue = queue;
          static override kafkaOptions = { key: (job: Job) => `${job.args[0]}/${job.args[1] as number % 3}` };
          async perform(tenant: string, n: number) {
            const count = (running.get(tenant) ?? 0) + 1;
            running.set(tenant, count);
            most = Math.max(most, count);
            if (count > 2) exceeded.push(`${count} jobs of ${tenant} at once`);
            await new Promise((resolve) => setTimeout(resolve, n % 5));
            running.set(tenant, running.get(tenant)! - 1);
            ended.add(n);
            onEnd();
          }
        };
      };
      const limits = { tenant: { by: tenantOf, max: 2 } };
      const options = { topics: [activeJobTopic(queue, { partitions: 4, ordering, limits })], concurrency: 20 };
      let bySecond = 0;
      const First = jobOf(() => {});
      const first = await world.process({ ...options, jobs: [First] });
      const second = await world.process({ ...options, jobs: [jobOf(() => void bySecond++)] });
      let isFed = true;
      const feed = async () => {
        while (isFed) {
          const from = enqueued.size;
          for (let n = from; n < from + 40; n++) enqueued.add(n);
          await first.app.enqueueAll(Array.from({ length: 40 }, (_, n) => First.of(`tenant ${n % 20}`, from + n)));
          await until(() => enqueued.size - ended.size < 200 || !isFed, () => `${ended.size} jobs have ended`);
        }
      };
      await first.start();
      const feeding = feed();
      await until(() => ended.size > 50, () => `${ended.size} jobs have ended`);
      await second.start();
      await until(() => bySecond > 50, () => `the second worker has performed ${bySecond} jobs`);
      await second.stop();
      const endedBefore = ended.size;
      await until(() => ended.size > endedBefore + 50, () => `${ended.size} jobs have ended, as before`);
      isFed = false;
      await feeding;
      await until(() => ended.size === enqueued.size, () => `${ended.size} of ${enqueued.size} jobs have ended`);
      await first.stop();
      assertEquals([exceeded, most], [[], 2]);
      assertEquals([first, second].flatMap((process) => process.events("job.failed")), []);
    }
  },
);
