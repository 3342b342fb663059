/** Limits in a worker: a `by` that fails, the memory of buckets, the turns of records that are held, and wrong options. */
import {
  activeJobTopic,
  App,
  type AppOptions,
  InvalidConfigurationError,
  Job,
  type KafkaOptions,
  type LimitedJob,
} from "@activejob/kafka";
import { createHash } from "node:crypto";
import { assertEquals, assertThrows } from "@std/assert";
import { partitionOfKey } from "../../../src/broker/partitioner.ts";
import { type Bucket, RateBucket, RunningBucket } from "../../../src/worker/limits/bucket.ts";
import { Gate } from "../../../src/worker/limits/gate.ts";
import { Limit } from "../../../src/worker/limits/limit.ts";
import { EnvelopeCodec } from "../../../src/job/envelope.ts";
import { Monitor } from "../../../src/monitor/monitor.ts";
import type { DecodedJob } from "../../../src/worker/partition/decode.ts";
import type { QueuedRecord } from "../../../src/worker/partition/queued_record.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import { until } from "../../support/until.ts";

const codec = new EnvelopeCodec({ serializers: [], currentAttributes: [], railsCurrentAttributes: [] } as never);

function limitOf(by: ((job: LimitedJob) => string) | null, createBucket: () => Bucket): Limit {
  return new Limit({ where: "test", by, createBucket, codec, monitor: new Monitor() });
}

/** A gate whose jobs are strings, and the jobs that it has woken. */
function gateOf(limits: readonly Limit[]) {
  const clock = new ManualClock();
  const records = new Map<string, QueuedRecord>();
  const woken: string[] = [];
  const slots = { areFree: true };
  const gate = new Gate({
    limits,
    describe: (envelope) => ({ jobId: envelope.jobId } as LimitedJob),
    nowMs: () => clock.nowMs(),
    callAt: (timeMs, fn) => clock.callAt(timeMs, fn),
    owner: {
      hasSlot: () => slots.areFree,
      onWoken: (record) => void woken.push([...records].find(([, each]) => each === record)![0]),
    },
  });
  const recordOf = (job: string) => {
    if (!records.has(job)) records.set(job, { key: null, offset: records.size } as QueuedRecord);
    return records.get(job)!;
  };
  return {
    clock,
    gate,
    woken,
    slots,
    enter: (job: string) => gate.enter(recordOf(job), { envelope: { jobId: job } } as DecodedJob),
    leave: (job: string) => gate.leave(recordOf(job)),
    drop: (job: string) => gate.drop(recordOf(job)),
  };
}

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

Deno.test("buckets are forgotten when nothing in them counts any more; beyond a bound, new values share one", () => {
  const limit = limitOf(({ jobId }) => jobId, () => new RateBucket(1, 100));
  const bucketOf = (id: number, nowMs: number) => limit.bucketOf({ jobId: `${id}` } as LimitedJob, {} as never, nowMs);
  for (let id = 0; id < 10_000; id++) bucketOf(id, 0).enter(0);
  assertEquals([limit.size, bucketOf(10_000, 0) === bucketOf(10_001, 0)], [10_000, true]);
  for (let id = 20_000; id < 30_000; id++) bucketOf(id, id);
  assertEquals(limit.size < 10, true);
});

Deno.test("a bucket has space again a span after each start, and after the clock was set back", () => {
  const bucket = new RateBucket(2, 100);
  assertEquals([bucket.spaceAt(0), bucket.nextSpaceMs()], [2, null]);
  bucket.enter(0);
  bucket.enter(60);
  assertEquals([bucket.spaceAt(99), bucket.spaceAt(100), bucket.nextSpaceMs()], [0, 1, 160]);
  bucket.enter(100);
  assertEquals([bucket.spaceAt(159), bucket.spaceAt(160)], [0, 1]);
  assertEquals(bucket.spaceAt(50), 2);
});

Deno.test("a record that is woken in vain keeps its place, and as many are woken as there is space for", () => {
  const bucket = new RunningBucket(1);
  const woken: number[] = [];
  const held = [0, 1].map((n) => ({ isWoken: false, hasSlot: () => true, wake: () => void woken.push(n) }));
  bucket.enter();
  for (const each of held) bucket.hold(each);
  bucket.leave(0);
  assertEquals(woken, [0]);
  // Another job has taken the space.
  bucket.enter();
  bucket.hold(held[0]!);
  bucket.leave(0);
  assertEquals(woken, [0, 0]);
});

Deno.test("a record that is woken and does not run leaves its turn to the next one", () => {
  const { gate, woken, enter, leave, drop } = gateOf([limitOf(null, () => new RunningBucket(1))]);
  assertEquals(["a", "b", "c"].map(enter), [true, false, false]);
  leave("a");
  assertEquals(woken, ["b"]);
  drop("b");
  assertEquals([woken, gate.held], [["b", "c"], 1]);
  assertEquals([enter("c"), gate.held], [true, 0]);
});

Deno.test("a woken record that starts late sets the timer for the records that are still held", () => {
  const { clock, woken, enter } = gateOf([limitOf(null, () => new RateBucket(1, 100))]);
  assertEquals(["a", "b", "c"].map(enter), [true, false, false]);
  clock.advance(100);
  clock.advance(400);
  assertEquals([woken, enter("b")], [["b"], true]);
  clock.advance(99);
  assertEquals(woken, ["b"]);
  clock.advance(1);
  assertEquals([woken, enter("c"), clock.waiting], [["b", "c"], true, 0]);
});

Deno.test("a held record counts in the bucket of its value, also if that was forgotten as idle meanwhile", () => {
  const limits = [0, 1].map((part) => limitOf(({ jobId }) => jobId.split("/")[part]!, () => new RunningBucket(1)));
  const { woken, enter, leave } = gateOf(limits);
  assertEquals(["z/mail", "a/mail"].map(enter), [true, false]);
  for (let n = 0; n < 4; n++) {
    assertEquals(enter(`t${n}/k${n}`), true);
    leave(`t${n}/k${n}`);
  }
  assertEquals(enter("a/sms"), true);
  leave("z/mail");
  assertEquals([woken, enter("a/mail")], [["a/mail"], false]);
  leave("a/sms");
  assertEquals([woken, enter("a/mail")], [["a/mail", "a/mail"], true]);
});

Deno.test("a held record whose value has changed leaves its turn to the next one of its old value", () => {
  let hasChanged = false;
  const by = ({ jobId }: LimitedJob) => hasChanged && jobId === "b" ? "other" : "";
  const { gate, woken, enter, leave } = gateOf([limitOf(by, () => new RunningBucket(1))]);
  assertEquals(["a", "b", "c"].map(enter), [true, false, false]);
  leave("a");
  hasChanged = true;
  assertEquals(woken, ["b"]);
  assertEquals([enter("b"), woken, gate.held], [true, ["b", "c"], 1]);
});

Deno.test("a clock that is set back during a wait does not make it longer", async () => {
  const { clock, woken, enter } = gateOf([limitOf(null, () => new RateBucket(1, 1))]);
  assertEquals(["a", "b"].map(enter), [true, false]);
  clock.advance(-3_600_000);
  await until(() => woken.length > 0, () => "no job is woken");
  assertEquals([enter("b"), woken, clock.waiting], [true, ["b"], 0]);
});

Deno.test("a value of more than 200 characters is kept as its digest", () => {
  const limit = limitOf(({ jobId }) => jobId, () => new RunningBucket(1));
  const bucketOf = (value: string) => limit.bucketOf({ jobId: value } as LimitedJob, {} as never, 0);
  const digestOf = (value: string) => createHash("sha256").update(value).digest("hex");
  for (const [length, isDigest] of [[200, false], [201, true]] as const) {
    const value = "x".repeat(length);
    const bucket = bucketOf(value);
    bucket.enter(0);
    assertEquals([bucketOf(value) === bucket, bucketOf(digestOf(value)) === bucket], [true, isDigest]);
  }
});

Deno.test("a record whose partition has no slot keeps no turn from another partition, and its turn is not lost", () => {
  const limit = limitOf(null, () => new RunningBucket(1));
  const [first, second] = [gateOf([limit]), gateOf([limit])];
  assertEquals([second.enter("a"), first.enter("b"), first.enter("c"), second.enter("d")], [true, false, false, false]);
  first.slots.areFree = false;
  second.leave("a");
  // One of those without a slot: the others would only come to wait again.
  assertEquals([first.woken, second.woken, second.enter("d")], [["b"], ["d"], true]);
  assertEquals(first.enter("b"), false);
  second.leave("d");
  assertEquals(first.woken, ["b", "c"]);
  first.drop("c");
  assertEquals([first.woken, first.enter("b"), first.gate.held], [["b", "c", "b"], true, 0]);
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
