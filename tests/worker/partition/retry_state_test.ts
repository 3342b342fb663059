/** The retry state: a simple model over restarts and rebalances at any moment, and what it decides. */
import { assertEquals } from "@std/assert";
import { UnknownJobError } from "../../../src/errors.ts";
import type { Route } from "../../../src/routing/route.ts";
import {
  decodeCommitMetadata,
  encodeCommitMetadata,
  NO_PROGRESS,
  type Progress,
} from "../../../src/worker/partition/commit_metadata.ts";
import { RetryState } from "../../../src/worker/partition/retry_state.ts";
import type { Wait } from "../../../src/worker/partition/retry_policy.ts";
import { UnknownClasses } from "../../../src/worker/unknown_classes.ts";
import { forSeeds, type Random } from "../../support/random.ts";
import { routeOf } from "../../support/worker.ts";
import { type Fate, fatesOf } from "./retry_model.ts";

const NO_DELAY = { initialMs: 20, maxMs: 500, jitter: 0 };
/** The progress of a state without failures. */
const NOTHING = { failed: [], strikes: 0, givenUp: [], stuck: [] };
const unknownError = new UnknownJobError("No job class is known");

function stateOf(route: Route, progress: Progress = NO_PROGRESS, unknownClasses = new UnknownClasses()): RetryState {
  return new RetryState(route, progress, unknownClasses);
}

/** A partition with one owner after the other, which know of each other only by the commits. */
class Partition {
  readonly #route: Route;
  readonly #random: Random;
  #state: RetryState;

  constructor(route: Route, random: Random) {
    this.#route = route;
    this.#random = random;
    this.#state = stateOf(route);
  }

  /** Runs a record until it is finished. */
  finish(offset: number, failures: number): Fate {
    let runs = 0;
    let refusals = this.#random.integer(0, 3);
    while (true) {
      if (this.#random.chance(0.4)) this.#nextOwner(offset);
      let dead = this.#state.isGivenUp(offset);
      if (!dead) {
        assertEquals(this.#state.attemptsOf(offset), runs, "the count of runs before the next one");
        runs++;
        if (runs > failures) {
          this.#state.resetAfterPass(offset);
          return { offset, runs, end: "passed" };
        }
        dead = this.#state.countFailure(offset, new Error("no"), false).kind === "dead_letter";
      }
      if (dead && refusals-- > 0) this.#state.countRefusedWrite(offset);
      else if (dead) {
        this.#state.resetAfterDeadLetter(offset);
        return { offset, runs, end: "dead" };
      }
    }
  }

  #nextOwner(front: number): void {
    const metadata = encodeCommitMetadata({ ...this.#state.progress(front), finished: [] }, front, 4096);
    this.#state = stateOf(this.#route, decodeCommitMetadata(metadata, front));
  }
}

for (const independent of [true, false]) {
  Deno.test(`RetryState allows n + 1 runs and no more, over restarts and refused dead letters, independent ${independent}`, () => {
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

Deno.test("RetryState gives a record up only after a run, whatever the count says, and remembers it in the metadata", () => {
  const route = routeOf({ deadLetterQueue: { topic: "dead", maxRetries: 2 } });
  // Five failures of the time before there was a dead letter queue, as version 0.1 wrote them.
  const old = stateOf(route, decodeCommitMetadata("v1;a=0:5;s=5", 7));
  assertEquals([old.isGivenUp(7), old.attemptsOf(7)], [false, 5]);
  assertEquals(old.countFailure(7, new Error("no"), false), { kind: "dead_letter" });
  assertEquals([old.isGivenUp(7), old.isGivenUp(8)], [true, false]);
  const metadata = encodeCommitMetadata({ ...old.progress(7), finished: [] }, 7, 4096);
  assertEquals(metadata, "v1;a=0:6;s=6;d=0");
  const next = stateOf(route, decodeCommitMetadata(metadata, 7));
  assertEquals([next.isGivenUp(7), next.isGivenUp(8)], [true, false]);
  next.resetAfterDeadLetter(7);
  assertEquals([next.isGivenUp(7), next.progress(7).givenUp], [false, []]);
});

Deno.test("RetryState ignores a forged dead letter, and one of a route without a dead letter queue", () => {
  const route = routeOf({ deadLetterQueue: { topic: "dead", maxRetries: 2 } });
  for (const forged of ["v1;d=0", "v1;a=1:3;d=0", "v1;a=0:0;d=0"]) {
    assertEquals(stateOf(route, decodeCommitMetadata(forged, 7)).isGivenUp(7), false, forged);
  }
  assertEquals(stateOf(routeOf(), decodeCommitMetadata("v1;a=0:3;d=0", 7)).isGivenUp(7), false);
});

Deno.test("RetryState tries an unknown class by backoff until its time is over, then treats it as poison", () => {
  const route = routeOf({ backoff: NO_DELAY, deadLetterQueue: { topic: "dead" }, unknownJobs: { retryForMs: 1000 } });
  const state = stateOf(route);
  const count = (nowMs: number) => state.countUnknown(3, "NewJob", unknownError, nowMs);
  const retry = (tries: number, waitMs: number, leftMs: number) => (
    { kind: "retry", waitMs, unknownClass: { tries, leftMs, next: "dead_letter" } } as const
  );
  assertEquals(count(5000), retry(1, 20, 1000));
  assertEquals(count(5020), retry(2, 40, 980));
  assertEquals(count(5999), retry(3, 80, 1));
  assertEquals(count(6000), { kind: "dead_letter" });
  assertEquals(state.progress(3), NOTHING);

  const alone = stateOf(routeOf({ backoff: NO_DELAY, unknownJobs: { retryForMs: 10 } }));
  const { unknownClass } = alone.countUnknown(3, "NewJob", unknownError, 0) as Wait;
  assertEquals(unknownClass, { tries: 1, leftMs: 10, next: "pause" });
  assertEquals(alone.countUnknown(3, "NewJob", unknownError, 10), { kind: "pause", waitMs: 40 });
  assertEquals(alone.progress(3).stuck, [3]);
});

Deno.test("RetryState waits once for an unknown class in a worker, and again for another class", () => {
  const route = routeOf({ backoff: NO_DELAY, deadLetterQueue: { topic: "dead" }, unknownJobs: { retryForMs: 1000 } });
  const unknownClasses = new UnknownClasses();
  const [first, other] = [stateOf(route, NO_PROGRESS, unknownClasses), stateOf(route, NO_PROGRESS, unknownClasses)];
  const kinds = (state: RetryState, jobClass: string, ...times: number[]) =>
    times.map((nowMs) => state.countUnknown(3, jobClass, unknownError, nowMs).kind);
  assertEquals(kinds(other, "GoneJob", 500), ["retry"], "another partition has begun to wait");
  assertEquals(kinds(first, "GoneJob", 0, 999, 1000), ["retry", "retry", "dead_letter"]);
  first.resetAfterDeadLetter(3);
  assertEquals(kinds(first, "GoneJob", 1001), ["dead_letter"], "the next record does not wait");
  assertEquals(kinds(other, "GoneJob", 1001), ["dead_letter"], "nor does the other partition any longer");
  first.resetAfterDeadLetter(3);
  assertEquals(kinds(first, "OtherJob", 1002), ["retry"]);
  const patient = routeOf({ backoff: NO_DELAY, unknownJobs: { retryForMs: 60_000 } });
  assertEquals(kinds(stateOf(patient, NO_PROGRESS, unknownClasses), "GoneJob", 0), ["retry"], "its time is longer");
});

Deno.test("RetryState backs off for refused dead letters by themselves, and needs an operator at the fourth", () => {
  const route = routeOf({
    backoff: NO_DELAY,
    deadLetterQueue: { topic: "dead" },
    unknownJobs: { retryForMs: 1000 },
  });
  const state = stateOf(route);
  const count = (nowMs: number) => state.countUnknown(3, "NewJob", unknownError, nowMs);
  // A long wait for the class before does not count for the dead letter topic.
  for (const nowMs of [0, 10, 30, 70, 150, 2000]) count(nowMs);
  const waits = [1, 2, 3, 4].map(() => {
    const wait = state.countRefusedWrite(3);
    const { stuck } = state.progress(3);
    assertEquals(count(3000), { kind: "dead_letter" });
    return [wait, stuck];
  });
  assertEquals(waits, [
    [{ kind: "retry", waitMs: 20 }, []],
    [{ kind: "retry", waitMs: 40 }, []],
    [{ kind: "retry", waitMs: 80 }, []],
    [{ kind: "pause", waitMs: 160 }, [3]],
  ]);
});

Deno.test("RetryState keeps the last error, and says so if it was another owner's", () => {
  const route = routeOf({ deadLetterQueue: { topic: "dead", maxRetries: 0 } });
  const state = stateOf(route, { ...NO_PROGRESS, failed: [{ offset: 3, attempts: 1 }], strikes: 1, givenUp: [3] });
  assertEquals([state.isGivenUp(3), state.isGivenUp(4)], [true, false]);
  assertEquals(state.errorOf(3).message, "It failed in an earlier run, whose error is not known");
  state.countFailure(3, new TypeError("no"), false);
  assertEquals([state.errorOf(3).errorClass, state.errorOf(3).message], ["TypeError", "no"]);
});

Deno.test("RetryState marks a record as stuck from its first lasting pause until it is finished", () => {
  const state = stateOf(routeOf({ backoff: NO_DELAY }));
  const stuck = [1, 2, 3, 4].map(() => {
    state.countFailure(3, new Error("no"), false);
    return state.progress(3).stuck;
  });
  assertEquals(stuck, [[], [], [], [3]]);
  state.resetAfterPass(3);
  assertEquals(state.progress(4), { ...NOTHING, strikes: 4 });
});

Deno.test("RetryState counts the failures of several records side by side, and forgets what is behind the front", () => {
  const state = stateOf(routeOf({ deadLetterQueue: { topic: "dead", maxRetries: 1 } }));
  for (const offset of [9, 4, 4, 6]) state.countFailure(offset, new Error(`of ${offset}`), false);
  assertEquals([4, 5, 6, 9].map((offset) => state.attemptsOf(offset)), [2, 0, 1, 1]);
  assertEquals([4, 6, 9].map((offset) => state.isGivenUp(offset)), [true, false, false]);
  assertEquals(state.errorOf(6).message, "of 6");
  const failed = [{ offset: 4, attempts: 2 }, { offset: 6, attempts: 1 }, { offset: 9, attempts: 1 }];
  assertEquals(state.progress(4), { failed, strikes: 4, givenUp: [4], stuck: [] });
  state.resetAfterDeadLetter(4);
  assertEquals([state.attemptsOf(4), state.attemptsOf(6)], [0, 1]);
  assertEquals(state.progress(7), { failed: failed.slice(2), strikes: 4, givenUp: [], stuck: [] });
  assertEquals(state.attemptsOf(6), 0);
});
