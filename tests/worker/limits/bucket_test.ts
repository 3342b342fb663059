/** The buckets of limits: their space, and the records that wait for it. */
import { assertEquals } from "@std/assert";
import { RateBucket, RunningBucket } from "../../../src/worker/limits/bucket.ts";

Deno.test("a bucket has space again a span after each start; once the clock is set back, a span after that", () => {
  const bucket = new RateBucket(2, 100);
  assertEquals([bucket.spaceAt(0), bucket.nextSpaceMs()], [2, null]);
  bucket.enter(0);
  bucket.enter(60);
  assertEquals([bucket.spaceAt(99), bucket.spaceAt(100), bucket.nextSpaceMs()], [0, 1, 160]);
  bucket.enter(100);
  assertEquals([bucket.spaceAt(159), bucket.spaceAt(160)], [0, 1]);
  assertEquals([bucket.spaceAt(50), bucket.nextSpaceMs()], [1, 150]);
  assertEquals([bucket.spaceAt(149), bucket.spaceAt(150)], [1, 2]);
});

Deno.test("a job that starts later than it entered counts from then on, unless the clock was set back", () => {
  const bucket = new RateBucket(2, 100);
  bucket.enter(0);
  bucket.enter(0);
  bucket.delay(0, 30);
  assertEquals([bucket.spaceAt(99), bucket.spaceAt(100), bucket.spaceAt(129), bucket.spaceAt(130)], [0, 1, 1, 2]);
  // It counts no more.
  bucket.delay(0, 140);
  bucket.enter(150);
  bucket.delay(150, 140);
  assertEquals([bucket.spaceAt(249), bucket.spaceAt(250)], [1, 2]);
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
