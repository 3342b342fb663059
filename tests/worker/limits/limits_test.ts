/** Limits in a worker: a `by` that fails, the memory of buckets, and wrong options. */
import { activeJobTopic, App, InvalidConfigurationError, Job, type LimitedJob } from "@activejob/kafka";
import { assertEquals, assertThrows } from "@std/assert";
import { RateBucket, RunningBucket } from "../../../src/worker/limits/bucket.ts";
import { Limit } from "../../../src/worker/limits/limit.ts";
import { EnvelopeCodec } from "../../../src/job/envelope.ts";
import { Monitor } from "../../../src/monitor/monitor.ts";

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
  const codec = new EnvelopeCodec({ serializers: [], currentAttributes: [], railsCurrentAttributes: [] } as never);
  const limit = new Limit({
    where: "test",
    by: ({ jobId }) => jobId,
    createBucket: () => new RateBucket(1, 100),
    codec,
    monitor: new Monitor(),
  });
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
  const held = [0, 1].map((n) => ({ isWoken: false, wake: () => void woken.push(n) }));
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
