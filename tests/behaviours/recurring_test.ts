/** Recurring jobs: one job a tick, over restarts, jumps of the clock, changes of the code, and both edges of summer time. */
import { assertEquals } from "@std/assert";
import { BrokerError, Job } from "../../mod.ts";
import type { Broker, BrokerSource, NewRecord } from "../../src/broker/broker.ts";
import { every } from "../../src/recurring/mod.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";
import { NoteJob, scheduledQueue, untilNoted } from "../support/behaviours/delayed.ts";
import type { RecurringWorkerSettings } from "../support/behaviours/children/recurring_worker.ts";
import { clockAt, enqueuedTicks, moveTo, recurringProcess, untilNext } from "../support/behaviours/recurring.ts";
import type { World } from "../support/behaviours/world.ts";
import { Child } from "../support/child.ts";
import { Random } from "../support/random.ts";

const RECURRING_WORKER = new URL("../support/behaviours/children/recurring_worker.ts", import.meta.url).pathname;

/** Waits until so many milliseconds after the next full second. */
function pauseUntilSecond(afterMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1000 - Date.now() % 1000 + afterMs));
}

const everyHour = () => every("0 * * * *", NoteJob.of("tick"), { id: "tick" });

behaviour("J1: each tick enqueues one job, at its time and not before", async (world) => {
  const clock = clockAt("2026-12-01T08:30:00Z");
  const process = await recurringProcess(world, clock, [everyHour()]);
  await process.start();
  await untilNext(process, "2026-12-01T09:00:00Z");
  clock.advance(30 * 60_000 - 1);
  assertEquals(process.events("recurring.enqueued"), []);
  for (const [at, next] of [["09", "10"], ["10", "11"]]) {
    moveTo(clock, `2026-12-01T${at}:00:00Z`);
    await untilNext(process, `2026-12-01T${next}:00:00Z`);
  }
  await untilNoted(2);
  assertEquals(await enqueuedTicks(world), ["2026-12-01T09:00:00.000Z", "2026-12-01T10:00:00.000Z"]);
  const events = process.events("recurring.enqueued").map(({ recurringId, jobClass, latenessMs, queue, offset }) => {
    return [recurringId, jobClass, latenessMs, queue, offset];
  });
  assertEquals(events, [0, 1].map((offset) => ["tick", "NoteJob", 0, world.topic(), offset]));
  const [listed] = await process.app.recurring();
  assertEquals(listed, {
    id: "tick",
    jobClass: "NoteJob",
    schedule: "0 * * * *",
    timeZone: "UTC",
    nextAtMs: Date.parse("2026-12-01T11:00:00Z"),
    lastAtMs: Date.parse("2026-12-01T10:00:00Z"),
    lastJobId: "tick/2026-12-01T10:00:00.000Z",
  });
});

behaviour(
  "J2: workers are replaced one after the other around each tick: each tick enqueues one job",
  async (world) => {
    const clock = clockAt("2026-12-01T00:30:00Z");
    const processes = [
      await recurringProcess(world, clock, [everyHour()]),
      await recurringProcess(world, clock, [everyHour()]),
    ];
    await processes[0]!.start();
    await untilNext(processes[0]!, "2026-12-01T01:00:00Z");
    for (let hour = 1; hour <= 3; hour++) {
      const [from, to] = hour % 2 === 1 ? processes : processes.toReversed();
      await to!.start();
      // The tick comes while one worker leaves and the other one takes over.
      const stopped = from!.stop();
      moveTo(clock, `2026-12-01T0${hour}:00:00Z`);
      await stopped;
      await untilNext(to!, `2026-12-01T0${hour + 1}:00:00Z`);
    }
    await untilNoted(3);
    assertEquals(await enqueuedTicks(world), [1, 2, 3].map((hour) => `2026-12-01T0${hour}:00:00.000Z`));
  },
);

behaviour("J3: two workers run, and ticks are due at once: each tick enqueues one job", async (world) => {
  const clock = clockAt("2026-12-01T00:30:00Z");
  const definitions = Array.from({ length: 5 }, (_, n) => every("0 * * * *", NoteJob.of(n), { id: `tick-${n}` }));
  const first = await recurringProcess(world, clock, definitions);
  const second = await recurringProcess(world, clock, definitions);
  await first.start();
  await second.start();
  await Promise.all(definitions.map(({ id }) => untilNext(first, "2026-12-01T01:00:00Z", id)));
  moveTo(clock, "2026-12-01T01:00:00Z");
  await Promise.all(definitions.map(({ id }) => untilNext(second, "2026-12-01T02:00:00Z", id)));
  await untilNoted(5);
  assertEquals(NoteJob.got.toSorted(), [0, 1, 2, 3, 4]);
  const events = [first, second].map((process) => process.events("recurring.enqueued").length);
  assertEquals(events.toSorted(), [0, 5]);
});

/** A broker source over that of a world, whose appends a test changes. */
function withAppend(world: World, change: (append: Broker["append"]) => Broker["append"]): BrokerSource {
  return {
    ...world.source,
    async open(context) {
      const broker = await world.source.open(context);
      broker.append = change(broker.append.bind(broker));
      return broker;
    },
  };
}

const lost = (written: "no" | "unknown") => ({ ok: false, error: new BrokerError("no response"), written }) as const;

behaviour(
  "J4: the owner ends after it has enqueued a job and before it has noted that: no second job",
  async (world) => {
    world.allowErrors(/no response/);
    const clock = clockAt("2026-12-01T08:30:00Z");
    const scheduled = world.topic(scheduledQueue(world));
    const isNote = ({ headers = [] }: NewRecord) =>
      headers.some(([name, value]) => name === "recurring" && new TextDecoder().decode(value!).includes('"last":{'));
    const forgetful = withAppend(world, (append) => async (topic, records, options) => {
      if (topic === scheduled && records.some(isNote)) return records.map(() => lost("no"));
      return await append(topic, records, options);
    });
    const former = await recurringProcess(world, clock, [everyHour()], { broker: forgetful });
    const next = await recurringProcess(world, clock, [everyHour()]);
    await former.start();
    await untilNext(former, "2026-12-01T09:00:00Z");
    moveTo(clock, "2026-12-01T09:00:00Z");
    await former.untilEvents("error.occurred", 1);
    await former.stop();
    await next.start();
    await untilNext(next, "2026-12-01T10:00:00Z");
    assertEquals(await enqueuedTicks(world), ["2026-12-01T09:00:00.000Z"]);
    assertEquals((await next.app.recurring())[0]!.lastJobId, "tick/2026-12-01T09:00:00.000Z");
  },
);

behaviour("J4: the owner ends after it has begun to enqueue a job and before it has: one job", async (world) => {
  world.allowErrors(/no response/);
  const clock = clockAt("2026-12-01T08:30:00Z");
  const failing = withAppend(world, (append) => async (topic, records, options) => {
    return topic === world.topic() ? records.map(() => lost("unknown")) : await append(topic, records, options);
  });
  const former = await recurringProcess(world, clock, [everyHour()], { broker: failing });
  const next = await recurringProcess(world, clock, [everyHour()]);
  await former.start();
  await untilNext(former, "2026-12-01T09:00:00Z");
  moveTo(clock, "2026-12-01T09:00:00Z");
  await former.untilEvents("error.occurred", 1);
  await former.stop();
  await next.start();
  await untilNext(next, "2026-12-01T10:00:00Z");
  assertEquals(await enqueuedTicks(world), ["2026-12-01T09:00:00.000Z"]);
});

behaviour("J4: the response to the job's append is lost, and it was written: no second job", async (world) => {
  world.allowErrors(/no response/);
  const clock = clockAt("2026-12-01T08:30:00Z");
  const unheard = withAppend(world, (append) => async (topic, records, options) => {
    const outcomes = await append(topic, records, options);
    return topic === world.topic() ? records.map(() => lost("unknown")) : outcomes;
  });
  const process = await recurringProcess(world, clock, [everyHour()], { broker: unheard });
  await process.start();
  await untilNext(process, "2026-12-01T09:00:00Z");
  moveTo(clock, "2026-12-01T09:00:00Z");
  await untilNext(process, "2026-12-01T10:00:00Z");
  assertEquals(await enqueuedTicks(world), ["2026-12-01T09:00:00.000Z"]);
});

behaviour(
  "J4: the owner is killed with -9 again and again: each tick enqueues one job",
  { on: ["sqlite", "kafka"], because: "a process is killed" },
  async (world) => {
    const random = new Random(4);
    const settings: RecurringWorkerSettings = { url: world.url, group: world.group, sessionTimeoutMs: 1000 };
    const start = () => new Child([RECURRING_WORKER, JSON.stringify(settings)]);
    await using first = start();
    await first.line(/^recurring\.enqueued /);
    await using second = start();
    await second.line(/^worker\.started /);
    // Close to the tick, which is at each full second.
    await pauseUntilSecond(random.integer(0, 20));
    first.signal("SIGKILL");
    // The third one starts later: it could become the owner in place of the second one.
    await second.line(/^recurring\.enqueued /);
    await using third = start();
    await third.line(/^worker\.started /);
    await pauseUntilSecond(random.integer(0, 20));
    second.signal("SIGKILL");
    await third.line(/^recurring\.enqueued /);
    third.signal("SIGTERM");
    await third.ended();
    const ticks = (await enqueuedTicks(world)).map((time) => Date.parse(time) / 1000);
    assertEquals(ticks, Array.from({ length: ticks.length }, (_, n) => ticks[0]! + n));
  },
);

behaviour(
  "J5: the clock jumps over ticks and back: one job for those that it jumps over, and none twice",
  async (world) => {
    const clock = clockAt("2026-12-01T08:30:00Z");
    const process = await recurringProcess(world, clock, [everyHour()]);
    await process.start();
    await untilNext(process, "2026-12-01T09:00:00Z");
    moveTo(clock, "2026-12-01T12:30:00Z");
    await untilNext(process, "2026-12-01T13:00:00Z");
    moveTo(clock, "2026-12-01T08:59:00Z");
    // It looks at the clock. Only the ticks that have no job yet come again.
    await NoteJob.set({ wait: { days: 1 } }).performLater("later");
    await untilNext(process, "2026-12-01T10:00:00Z");
    moveTo(clock, "2026-12-01T09:00:00Z");
    moveTo(clock, "2026-12-01T10:00:00Z");
    await untilNext(process, "2026-12-01T11:00:00Z");
    assertEquals(await enqueuedTicks(world), ["2026-12-01T09:00:00.000Z", "2026-12-01T10:00:00.000Z"]);
  },
);

behaviour(
  "J6: a time that does not exist runs at the jump to summer time, and one that is there twice runs once",
  async (world) => {
    const clock = clockAt("2027-03-27T12:00:00Z");
    const definitions = [every("30 2 * * *", NoteJob.of("tick"), { id: "tick", timeZone: "Europe/Prague" })];
    const process = await recurringProcess(world, clock, definitions);
    await process.start();
    // 02:30 does not exist: the clocks go from 02:00 to 03:00.
    await untilNext(process, "2027-03-28T01:00:00Z");
    moveTo(clock, "2027-03-28T01:00:00Z");
    await untilNext(process, "2027-03-29T00:30:00Z");
    moveTo(clock, "2027-03-29T00:30:00Z");
    await untilNext(process, "2027-03-30T00:30:00Z");
    await process.stop();
    moveTo(clock, "2027-10-30T12:00:00Z");
    const later = await recurringProcess(world, clock, definitions.map((each) => ({ ...each, missed: "skip" })));
    await later.start();
    // 02:30 is there twice: the clocks go from 03:00 back to 02:00.
    await untilNext(later, "2027-10-31T00:30:00Z");
    moveTo(clock, "2027-10-31T00:30:00Z");
    await untilNext(later, "2027-11-01T01:30:00Z");
    moveTo(clock, "2027-10-31T01:30:00Z");
    await later.stop();
    assertEquals(await enqueuedTicks(world), [
      "2027-03-28T01:00:00.000Z",
      "2027-03-29T00:30:00.000Z",
      "2027-10-31T00:30:00.000Z",
    ]);
  },
);

behaviour('J7: ticks that pass while no worker runs lead to one job, or to none with missed: "skip"', async (world) => {
  const clock = clockAt("2026-12-01T08:30:00Z");
  const definitions = [everyHour(), every("0 * * * *", NoteJob.of("skip"), { id: "skip", missed: "skip" })];
  const process = await recurringProcess(world, clock, definitions);
  await process.start();
  await untilNext(process, "2026-12-01T09:00:00Z", "skip");
  await untilNext(process, "2026-12-01T09:00:00Z");
  await process.stop();
  moveTo(clock, "2026-12-03T12:01:01Z");
  await process.drain();
  assertEquals(await enqueuedTicks(world), ["2026-12-01T09:00:00.000Z"]);
  assertEquals(await enqueuedTicks(world, "skip"), []);
  assertEquals(process.events("recurring.missed"), [{
    recurringId: "skip",
    tickAtMs: Date.parse("2026-12-01T09:00:00Z"),
    nextAtMs: Date.parse("2026-12-03T13:00:00Z"),
  }]);
  // A standstill of a minute, as at a deploy, is none.
  moveTo(clock, "2026-12-03T13:01:00Z");
  await process.drain();
  assertEquals(await enqueuedTicks(world, "skip"), ["2026-12-03T13:00:00.000Z"]);
});

behaviour(
  "J8: with overlap: false a tick is left out while the last job waits, runs, or waits for a retry",
  async (world) => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let runs = 0;
    class SlowJob extends Job {
      static {
        this.retryOn(RangeError, { wait: { hours: 2, minutes: 30 }, jitter: 0, attempts: 2 });
      }
      async perform(): Promise<void> {
        const run = runs++;
        await gates[run]?.promise;
        if (run === 0) throw new RangeError("at first");
      }
    }
    const clock = clockAt("2026-12-01T08:30:00Z");
    const definitions = [every("0 * * * *", SlowJob.of(), { id: "tick", overlap: false })];
    const process = await recurringProcess(world, clock, definitions, { jobs: [SlowJob] });
    await process.start();
    await untilNext(process, "2026-12-01T09:00:00Z");
    const tick = async (hour: number) => {
      moveTo(clock, `2026-12-01T${hour}:00:00Z`);
      await untilNext(process, `2026-12-01T${hour + 1}:00:00Z`);
    };
    moveTo(clock, "2026-12-01T09:00:00Z");
    await process.untilEvents("job.performing", 1);
    await untilNext(process, "2026-12-01T10:00:00Z");
    // It runs.
    await tick(10);
    gates[0]!.resolve();
    await process.untilEvents("job.retry_scheduled", 1);
    await world.untilCommitted(1);
    // It waits for its next run, at 12:30.
    await tick(11);
    await tick(12);
    moveTo(clock, "2026-12-01T12:30:00Z");
    await process.untilEvents("job.performing", 2);
    // It runs again, from another record.
    await tick(13);
    gates[1]!.resolve();
    await process.untilEvents("job.performed", 1);
    await world.untilCommitted(2);
    await tick(14);
    assertEquals(
      process.events("recurring.overlapped").map(({ tickAtMs, lastJobId }) => [tickAtMs, lastJobId]),
      [10, 11, 12, 13].map((hour) => [Date.parse(`2026-12-01T${hour}:00:00Z`), "tick/2026-12-01T09:00:00.000Z"]),
    );
    assertEquals(
      process.events("recurring.enqueued").map(({ tickAtMs }) => tickAtMs),
      ["09", "14"].map((hour) => Date.parse(`2026-12-01T${hour}:00:00Z`)),
    );
  },
);

behaviour(
  "J9: a changed expression counts from the next start on, and one that is removed is forgotten",
  async (world) => {
    const clock = clockAt("2026-12-01T08:30:00Z");
    const gone = every("0 * * * *", NoteJob.of("gone"), { id: "gone" });
    const before = await recurringProcess(world, clock, [everyHour(), gone]);
    await before.start();
    await untilNext(before, "2026-12-01T09:00:00Z");
    await untilNext(before, "2026-12-01T09:00:00Z", "gone");
    await before.stop();
    const changed = every("45 8 * * *", NoteJob.of("changed"), { id: "tick" });
    const after = await recurringProcess(world, clock, [changed]);
    await after.start();
    await untilNext(after, "2026-12-01T08:45:00Z");
    await after.untilEvents("job.cancelled", 1);
    moveTo(clock, "2026-12-01T08:45:00Z");
    await untilNoted(1);
    await untilNext(after, "2026-12-02T08:45:00Z");
    assertEquals([NoteJob.got, (await after.app.scheduled()).length], [["changed"], 1]);
    moveTo(clock, "2026-12-01T09:00:00Z");
    await after.stop();
    await after.drain();
    assertEquals(NoteJob.got, ["changed"]);
  },
);

behaviour(
  "J10: the waiting tick of a recurring job is cancelled: it is left out, also by a new owner, and the next one waits",
  async (world) => {
    const clock = clockAt("2026-12-01T08:30:00Z");
    const process = await recurringProcess(world, clock, [everyHour()]);
    await process.start();
    await untilNext(process, "2026-12-01T09:00:00Z");
    await process.app.cancelScheduled("recurring/tick");
    assertEquals((await process.app.recurring())[0]!.nextAtMs, Date.parse("2026-12-01T10:00:00Z"));
    await untilNext(process, "2026-12-01T10:00:00Z");
    await process.stop();
    const next = await recurringProcess(world, clock, [everyHour()]);
    await next.start();
    moveTo(clock, "2026-12-01T09:00:00Z");
    moveTo(clock, "2026-12-01T10:00:00Z");
    await untilNext(next, "2026-12-01T11:00:00Z");
    assertEquals(await enqueuedTicks(world), ["2026-12-01T10:00:00.000Z"]);
  },
);
