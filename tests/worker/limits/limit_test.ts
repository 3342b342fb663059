/** One limit: the values of its jobs, its buckets, and their memory. */
import type { LimitedJob } from "@activejob/kafka";
import { assert, assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { Monitor } from "../../../src/monitor/monitor.ts";
import { type Bucket, RateBucket, RunningBucket } from "../../../src/worker/limits/bucket.ts";
import { limitOf } from "../../support/limits.ts";

Deno.test("buckets are forgotten when nothing in them counts any more", () => {
  const limit = limitOf(null, () => new RateBucket(1, 100));
  for (let id = 0; id < 10_000; id++) limit.bucketOf(`${id}`, 0).enter(0);
  assertEquals(limit.size, 10_000);
  for (let id = 20_000; id < 30_000; id++) limit.bucketOf(`${id}`, id);
  assert(limit.size < 10, `${limit.size}`);
});

Deno.test("of 100,000 values each keeps its limit, in at most 11,000 buckets; a shared bucket goes when nothing counts in it", () => {
  const limit = limitOf(null, () => new RateBucket(1, 100));
  const buckets = new Map<string, Bucket>();
  for (let id = 0; id < 100_000; id++) {
    const bucket = limit.bucketOf(`${id}`, 0);
    if (bucket.spaceAt(0) > 0) bucket.enter(0);
    buckets.set(`${id}`, bucket);
  }
  assertEquals(limit.size, 11_000);
  // There is space for buckets of single values again, but jobs of a value may still count in a shared one.
  for (let id = 0; id < 9000; id++) limit.bucketOf(`${id}`, 50).enter(50);
  for (let id = 100_000; id < 105_000; id++) limit.bucketOf(`${id}`, 99);
  for (const [id, bucket] of buckets) assert(limit.bucketOf(id, 99) === bucket || Number(id) < 10_000, id);
  assert(limit.bucketOf("99999", 100) !== buckets.get("99999"));
});

Deno.test("a value of more than 200 characters is kept as its digest", () => {
  const limit = limitOf(({ jobId }) => jobId, () => new RunningBucket(1));
  const digestOf = (value: string) => createHash("sha256").update(value).digest("hex");
  for (const [length, isDigest] of [[200, false], [201, true]] as const) {
    const value = "x".repeat(length);
    const kept = limit.valueOf({ jobId: value } as LimitedJob, {} as never);
    assertEquals(kept, isDigest ? digestOf(value) : value);
  }
});

Deno.test("a value that is not a string is reported by its type only: it may be a secret argument", () => {
  for (
    const [value, type] of [[4111, "a value of type number"], [null, "null"], [["4111"], "an array"]]
  ) {
    const monitor = new Monitor();
    const messages: string[] = [];
    monitor.on("error.occurred", ({ error }) => void messages.push(error.message));
    const limit = limitOf(() => value as string, () => new RunningBucket(1), monitor);
    for (let call = 0; call < 2; call++) assertEquals(limit.valueOf({} as LimitedJob, {} as never), null);
    assertEquals(messages, [`It must return a string, but it returned ${type}`]);
  }
});
