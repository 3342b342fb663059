/** The turns of records that the gate of a partition holds. */
import type { LimitedJob } from "@activejob/kafka";
import { assertEquals } from "@std/assert";
import { RateBucket, RunningBucket } from "../../../src/worker/limits/bucket.ts";
import { gateOf, limitOf } from "../../support/limits.ts";
import { until } from "../../support/until.ts";

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

Deno.test("the value of a job is computed once, also if it is held, tried again, or the function fails", () => {
  const calls: string[] = [];
  const by = ({ jobId }: LimitedJob) => {
    calls.push(jobId);
    if (jobId === "bad") throw new Error("no tenant");
    return `${calls.length}`;
  };
  const { enter, leave } = gateOf([limitOf(by, () => new RunningBucket(1)), limitOf(null, () => new RunningBucket(1))]);
  assertEquals(["a", "b", "bad"].map(enter), [true, false, false]);
  for (const job of ["b", "bad", "b"]) assertEquals(enter(job), false);
  leave("a");
  for (const job of ["a", "b", "bad"]) {
    assertEquals(enter(job), true);
    leave(job);
  }
  assertEquals(calls, ["a", "b", "bad"]);
});

Deno.test("a woken record of a partition that is paused leaves its turn to another partition", () => {
  const limit = limitOf(null, () => new RunningBucket(1));
  const [first, second] = [gateOf([limit]), gateOf([limit])];
  assertEquals([second.enter("a"), first.enter("b"), first.enter("c"), second.enter("d")], [true, false, false, false]);
  second.leave("a");
  assertEquals([first.woken, second.woken], [["b"], []]);
  first.gate.letGo();
  assertEquals([first.woken, second.woken, first.gate.held, second.enter("d")], [["b", "c"], ["d"], 0, true]);
});

Deno.test("a clock that is set back during a wait makes it longer by a span at most", async () => {
  const { clock, woken, enter } = gateOf([limitOf(null, () => new RateBucket(1, 1))]);
  assertEquals(["a", "b"].map(enter), [true, false]);
  clock.advance(-3_600_000);
  await until(() => {
    if (woken.length === 0) clock.advance(1);
    return woken.length > 0;
  }, () => "no job is woken");
  assertEquals([enter("b"), woken, clock.waiting], [true, ["b"], 0]);
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
