/** Limits in a worker: a `by` that fails, jobs that expire or have no slot while they are held, and wrong options. */
import {
  activeJobTopic,
  App,
  type AppOptions,
  InvalidConfigurationError,
  Job,
  type KafkaOptions,
  type LimitedJob,
} from "@activejob/kafka";
import { assertEquals, assertThrows } from "@std/assert";
import { partitionOfKey } from "../../../src/broker/partitioner.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import { until } from "../../support/until.ts";

Deno.test("a function that throws or returns no string does not stop the worker: its jobs share a limit, reported once", async () => {
  let most = 0;
  let running = 0;
  class BadJob extends Job {
    async perform() {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running--;
    }
  }
  let calls = 0;
  const by = (): string => {
    const call = calls++ % 3;
    if (call === 0) throw new RangeError("no tenant");
    return (call === 1 ? undefined : Promise.reject(new Error("async"))) as unknown as string;
  };
  await using app = new App({
    name: "shop",
    broker: "memory:",
    jobs: [BadJob],
    topics: [activeJobTopic("default", { ordering: "none", limits: { tenant: { by, max: 1 } } })],
    logger: false,
  });
  const errors: unknown[] = [];
  app.on("error.occurred", ({ where, error }) => void errors.push([where, error.errorClass]));
  for (let n = 0; n < 9; n++) await BadJob.performLater();
  await app.worker().run(undefined, { once: true });
  assertEquals([most, errors], [1, [["limit tenant of topic default", "RangeError"]]]);
});

Deno.test("a partition whose jobs have all its slots does not hold up a tenant in another one", async () => {
  const keys = [0, 1].map((partition) => ["a", "b", "c", "d"].find((key) => partitionOfKey(key, 2) === partition)!);
  const ran: string[] = [];
  const tried: string[] = [];
  class TenantJob extends Job {
    static override kafkaOptions: KafkaOptions<TenantJob> = { key: (job) => keys[job.args[1]]! };
    async perform(tenant: string, partition: number, n: number) {
      ran.push(`${tenant}${n}`);
      const untilHas = (names: string[], name: string) => until(() => names.includes(name), () => `Only ${names}`);
      if (tenant !== "a") await untilHas(ran, "a2");
      else if (n === 0) {
        for (const job of [TenantJob.of("a", 0, 1), TenantJob.of("b", 0, 0), TenantJob.of("c", 0, 0)]) {
          await app.enqueue(job);
        }
        await untilHas(ran, "c0");
        await app.enqueue(TenantJob.of("a", partition, 2));
        await untilHas(tried, "a2");
      }
    }
  }
  const by = ({ args: [tenant, , n] }: LimitedJob) => {
    tried.push(`${tenant}${n}`);
    return tenant as string;
  };
  const limits = { tenant: { by, max: 1 } };
  await using app = new App({
    name: "shop",
    broker: "memory:",
    jobs: [TenantJob],
    topics: [activeJobTopic("default", { partitions: 2, ordering: "none", maxConcurrency: 2, limits })],
    logger: false,
  });
  await app.enqueue(TenantJob.of("a", 1, 0));
  const stop = new AbortController();
  const run = app.worker().run(stop.signal);
  await until(() => ran.length === 5, () => `Only ${ran}`);
  stop.abort();
  await run;
  assertEquals(ran, ["a0", "b0", "c0", "a2", "a1"]);
});

Deno.test("a job that expires while it is held takes no turn of the jobs behind it", async () => {
  const clock = new ManualClock();
  const ran: number[] = [];
  let entered = 0;
  class HeldJob extends Job {
    async perform(n: number) {
      ran.push(n);
      if (n > 0) return;
      await until(() => entered === 4, () => `${entered} jobs have come to the limit`);
      clock.advance(7_200_000);
    }
  }
  class ExpiringJob extends HeldJob {
    static override expiresAfterMs = 3_600_000;
  }
  const by = () => `${++entered}`.slice(0, 0);
  await using app = new App({
    name: "shop",
    broker: "memory:",
    jobs: [HeldJob, ExpiringJob],
    topics: [activeJobTopic("default", { partitions: 1, ordering: "none", limits: { all: { by, max: 1 } } })],
    clock,
    logger: false,
  } as AppOptions);
  let expired = 0;
  app.on("job.expired", () => void expired++);
  await app.enqueueAll([HeldJob.of(0), ExpiringJob.of(1), HeldJob.of(2), HeldJob.of(3)]);
  const stop = new AbortController();
  const run = app.worker().run(stop.signal);
  await until(() => ran.length + expired === 4, () => `Only ${ran}`);
  stop.abort();
  await run;
  assertEquals([ran, expired], [[0, 2, 3], 1]);
});

Deno.test("a rate counts from the call of perform, which may be later than the turn of the job", async () => {
  const clock = new ManualClock();
  const starts: number[] = [];
  class RateJob extends Job {
    perform() {
      starts.push(clock.nowMs());
    }
  }
  await using app = new App({
    name: "shop",
    broker: "memory:",
    jobs: [RateJob],
    topics: [activeJobTopic("default", { rateLimit: { jobs: 1, perMs: 60_000 } })],
    clock,
    logger: false,
  } as AppOptions);
  app.on("job.performing", () => clock.advance(1000));
  await app.enqueueAll([RateJob.of(), RateJob.of()]);
  const stop = new AbortController();
  const run = app.worker({ scheduler: false }).run(stop.signal);
  await until(() => clock.waiting > 0, () => "a wait");
  clock.advance(59_999);
  assertEquals(clock.waiting, 1);
  clock.advance(1);
  await until(() => starts.length === 2, () => `Only ${starts}`);
  stop.abort();
  await run;
  assertEquals(starts[1]! - starts[0]!, 61_000);
});

Deno.test("wrong limits are refused when they are declared", () => {
  const by = () => "";
  const wrong: [object, string][] = [
    [{ limits: [] }, "limits"],
    [{ limits: { tenant: { by } } }, '"max"'],
    [{ limits: { tenant: { by, max: 0 } } }, '"max"'],
    [{ limits: { tenant: { by: "tenant", max: 1 } } }, '"by"'],
    [{ rateLimit: { jobs: 1 } }, '"perMs"'],
    [{ rateLimit: { jobs: 0, perMs: 1 } }, '"jobs"'],
    [{ rateLimit: { jobs: 1, perMs: 0 } }, '"perMs"'],
    [{ rateLimit: { jobs: 1, perMs: 1, of: 1 } }, '"of"'],
  ];
  for (const [options, message] of wrong) {
    assertThrows(() => activeJobTopic("default", { ordering: "key", ...options }), InvalidConfigurationError, message);
  }
  const topic = activeJobTopic("default", { limits: { tenant: { by, max: 1 } } });
  assertThrows(
    () => new App({ name: "shop", broker: "memory:", jobs: [], topics: [topic] }),
    InvalidConfigurationError,
    'needs the ordering "key" or "none"',
  );
});
