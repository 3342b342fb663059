/** The failure policy and the head's counts against a simple model, over restarts and rebalances at any moment. */
import { assert, assertEquals } from "@std/assert";
import { UnknownJobError } from "../../../src/errors.ts";
import type { Route } from "../../../src/routing/route.ts";
import {
  backoffMs,
  decideFailure,
  decidePoison,
  isExhausted,
  type Wait,
} from "../../../src/worker/partition/retry_policy.ts";
import {
  decodeCommitMetadata,
  encodeCommitMetadata,
  NO_PROGRESS,
} from "../../../src/worker/partition/commit_metadata.ts";
import { RetryState } from "../../../src/worker/partition/retry_state.ts";
import { forSeeds, type Random } from "../../support/random.ts";
import { type Fate, fatesOf } from "./retry_model.ts";
import { routeOf } from "../../support/worker.ts";

/** A partition that is worked on by one owner after the other; all that passes between them is the commit. */
class Partition {
  readonly #route: Route;
  readonly #random: Random;
  #head: RetryState;

  constructor(route: Route, random: Random) {
    this.#route = route;
    this.#random = random;
    this.#head = new RetryState(route, NO_PROGRESS);
  }

  /** Works until the record is finished. */
  finish(offset: number, failures: number): Fate {
    let runs = 0;
    let refusals = this.#random.integer(0, 3);
    while (true) {
      if (this.#random.chance(0.4)) this.#nextOwner(offset);
      let dead = this.#head.isExhausted(offset);
      if (!dead) {
        assertEquals(this.#head.attemptsOf(offset), runs, "what the next run is counted as");
        runs++;
        if (runs > failures) {
          this.#head.passed(offset);
          return { offset, runs, end: "passed" };
        }
        dead = this.#head.failed(offset, new Error("no")).kind === "dead_letter";
      }
      if (dead && refusals-- > 0) this.#head.deadLetterRefused();
      else if (dead) {
        this.#head.givenUp();
        return { offset, runs, end: "dead" };
      }
    }
  }

  #nextOwner(front: number): void {
    const metadata = encodeCommitMetadata({ ...this.#head.progress(), finished: [] }, front, 4096);
    this.#head = new RetryState(this.#route, decodeCommitMetadata(metadata, front));
  }
}

for (const independent of [true, false]) {
  Deno.test(`HeadRecord: n + 1 runs and no more over restarts and refused dead letters, independent ${independent}`, () => {
    forSeeds(400, (random) => {
      const maxRetries = random.integer(0, 4);
      const failuresOf = Array.from({ length: 12 }, () => random.pick([0, 0, 1, 2, 3, Infinity]));
      const route = routeOf({ deadLetterQueue: { topic: "dead", maxRetries, independent } });
      const partition = new Partition(route, random);
      const fates = failuresOf.map((failures, offset) => partition.finish(offset, failures));
      assertEquals(fates, fatesOf(failuresOf, maxRetries, independent));
    });
  });
}

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

Deno.test("isExhausted() is never true of a record that has not failed, nor without a dead letter topic", () => {
  for (const independent of [true, false]) {
    const rules = routeOf({ deadLetterQueue: { topic: "dead", maxRetries: 0, independent } });
    assertEquals(isExhausted({ attempts: 0, strikes: 99 }, rules), false);
    assertEquals(isExhausted({ attempts: 1, strikes: 1 }, rules), true);
  }
  assertEquals(isExhausted({ attempts: 99, strikes: 99 }, routeOf()), false);
});

Deno.test("decidePoison() dead-letters at once, or pauses where there is nowhere to put it", () => {
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

Deno.test("HeadRecord tries an unknown class by backoff until its time is over, then treats it as poison", () => {
  const backoff = { initialMs: 20, maxMs: 500, jitter: 0 };
  const route = routeOf({ backoff, deadLetterQueue: { topic: "dead" }, unknownJobs: { retryForMs: 1000 } });
  const head = new RetryState(route, NO_PROGRESS);
  const unknown = new UnknownJobError("Nobody knows it");
  const retry = (tries: number, waitMs: number, leftMs: number) => (
    { kind: "retry", waitMs, unknownClass: { tries, leftMs, next: "dead_letter" } } as const
  );
  assertEquals(head.impossible(unknown, 5000), retry(1, 20, 1000));
  assertEquals(head.impossible(unknown, 5020), retry(2, 40, 980));
  assertEquals(head.impossible(unknown, 5999), retry(3, 80, 1));
  assertEquals(head.impossible(unknown, 6000), { kind: "dead_letter" });
  assertEquals(head.progress(), { failed: null, strikes: 0 });
  head.givenUp();
  assertEquals(head.impossible(unknown, 9000), retry(1, 20, 1000), "the next one has its own time");
  const alone = new RetryState(routeOf({ backoff, unknownJobs: { retryForMs: 10 } }), NO_PROGRESS);
  const { unknownClass } = alone.impossible(unknown, 0) as Wait;
  assertEquals(unknownClass, { tries: 1, leftMs: 10, next: "pause" });
  assertEquals(alone.impossible(unknown, 10), { kind: "pause", waitMs: 40 });
});

Deno.test("HeadRecord backs off for refused dead letters by themselves, and calls for help at the fourth", () => {
  const route = routeOf({
    backoff: { initialMs: 20, maxMs: 500, jitter: 0 },
    deadLetterQueue: { topic: "dead" },
    unknownJobs: { retryForMs: 1000 },
  });
  const head = new RetryState(route, NO_PROGRESS);
  // It waited for its class a long time before: that is no reason to lose patience with the dead letter topic.
  for (const nowMs of [0, 10, 30, 70, 150, 2000]) head.impossible(new UnknownJobError("Nobody knows it"), nowMs);
  const waits = [1, 2, 3, 4].map(() => {
    const wait = head.deadLetterRefused();
    assertEquals(head.impossible(new UnknownJobError("Nobody knows it"), 3000), { kind: "dead_letter" });
    return wait;
  });
  assertEquals(waits, [
    { kind: "retry", waitMs: 20 },
    { kind: "retry", waitMs: 40 },
    { kind: "retry", waitMs: 80 },
    { kind: "pause", waitMs: 160 },
  ]);
});

Deno.test("HeadRecord keeps the last error, and says so where it was another owner's", () => {
  const route = routeOf({ deadLetterQueue: { topic: "dead", maxRetries: 0 } });
  const head = new RetryState(route, { failed: { offset: 3, attempts: 1 }, strikes: 1, finished: [] });
  assertEquals(head.isExhausted(3), true);
  assertEquals(head.isExhausted(4), false);
  assertEquals(head.error.message, "It failed in an earlier run, whose error is not known");
  head.failed(3, new TypeError("no"));
  assertEquals([head.error.errorClass, head.error.message], ["TypeError", "no"]);
});
