/** The retry policy: what follows a failure, as pure arithmetic. */
import { assert, assertEquals } from "@std/assert";
import { backoffMs, decideFailure, decidePoison } from "../../../src/worker/partition/retry_policy.ts";
import { forSeeds } from "../../support/random.ts";
import { routeOf } from "../../support/worker.ts";

Deno.test("decideFailure() waits as the backoff says, and without a dead letter topic pauses after the fourth failure", () => {
  const { backoff } = routeOf({ backoff: { initialMs: 20, maxMs: 500, jitter: 0 } });
  const decide = (attempts: number) =>
    decideFailure({ attempts, strikes: attempts }, { deadLetterQueue: null, backoff });
  assertEquals([1, 2, 3, 4, 5, 6, 7].map(decide), [
    { kind: "retry", waitMs: 20 },
    { kind: "retry", waitMs: 40 },
    { kind: "retry", waitMs: 80 },
    { kind: "pause", waitMs: 160 },
    { kind: "pause", waitMs: 320 },
    { kind: "pause", waitMs: 500 },
    { kind: "pause", waitMs: 500 },
  ]);
});

Deno.test("decidePoison() dead-letters at once, or pauses without a dead letter topic", () => {
  const backoff = { initialMs: 20, maxMs: 500, jitter: 0 };
  assertEquals(decidePoison(1, routeOf({ backoff, deadLetterQueue: { topic: "dead" } })), { kind: "dead_letter" });
  assertEquals(decidePoison(2, routeOf({ backoff })), { kind: "pause", waitMs: 40 });
});

Deno.test("backoffMs() doubles from initialMs to maxMs, and jitter adds a share at most", () => {
  const plain = { initialMs: 1000, maxMs: 30_000, jitter: 0 };
  assertEquals([1, 2, 3, 4, 5, 6, 60, 2000].map((attempt) => backoffMs(attempt, plain)), [
    ...[1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000],
  ]);
  const jitter = { ...plain, jitter: 0.15 };
  assertEquals(backoffMs(1, jitter, () => 0), 1000);
  assertEquals(backoffMs(1, jitter, () => 0.5), 1075);
  assertEquals(backoffMs(9, jitter, () => 0.99), 30_000);
  for (const attempt of [1, 1024, 1025, 99_999]) {
    assertEquals(backoffMs(attempt, { initialMs: 0, maxMs: 0, jitter: 0.15 }, () => 0.5), 0, `attempt ${attempt}`);
  }
  forSeeds(200, (random) => {
    const backoff = { initialMs: random.integer(0, 5000), maxMs: random.integer(0, 60_000), jitter: random.next() };
    const waits = [1, 2, 3, 4, 5].map((attempt) => backoffMs(attempt, backoff, () => random.next()));
    for (const waitMs of waits) {
      assert(waitMs >= 0 && waitMs <= backoff.maxMs, `${waitMs} of ${JSON.stringify(backoff)}`);
    }
  });
});
