/** Delayed jobs: never early, in the order of their times, cancelled, moved, and kept while no worker runs. */
import { assertEquals } from "@std/assert";
import { behaviour } from "../support/behaviours/behaviour.ts";
import { delayedProcess, NoteJob, untilNoted, untilWaiting } from "../support/behaviours/delayed.ts";
import { Random } from "../support/random.ts";

const SECOND_MS = 1000;

behaviour("T1: a job with a wait is performed once, at its time and not before", async (world) => {
  const { process, clock } = await delayedProcess(world);
  await process.start();
  await NoteJob.set({ wait: { seconds: 1 } }).performLater("delayed");
  await NoteJob.set({ wait: { milliseconds: 999 } }).performLater("a moment before");
  await untilWaiting(process, 2);
  assertEquals(NoteJob.got, []);
  clock.advance(999);
  await untilNoted(1);
  await untilWaiting(process, 1);
  assertEquals(NoteJob.got, ["a moment before"]);
  clock.advance(1);
  await untilNoted(2);
  await untilWaiting(process, 0);
  assertEquals(NoteJob.got, ["a moment before", "delayed"]);
  assertEquals(process.events("job.released").map(({ latenessMs }) => latenessMs), [0, 0]);
  await process.stop();
  await process.drain();
  assertEquals(NoteJob.got.length, 2);
});

behaviour("T1: a job is due by the clock of the system", async (world) => {
  NoteJob.got = [];
  const process = await world.process({ jobs: [NoteJob] });
  await process.start();
  // The first one looks at the topic, which may take longer than a short wait.
  await NoteJob.set({ wait: { hours: 1 } }).performLater("later");
  const beganMs = Date.now();
  await NoteJob.set({ wait: { milliseconds: 300 } }).performLater("delayed");
  const { dueAtMs } = (await process.untilEvents("job.released", 1))[0]!;
  await untilNoted(1);
  assertEquals([Date.now() >= dueAtMs, dueAtMs >= beganMs + 300, dueAtMs < beganMs + 5000], [true, true, true]);
});

behaviour(
  "T2: a thousand jobs with due times in random order are released in the order of their times",
  async (world) => {
    const { process, clock } = await delayedProcess(world);
    const random = new Random(2);
    const waits = Array.from({ length: 1000 }, () => random.integer(1, 100_000));
    await process.start();
    await process.app.enqueueAll(waits.map((milliseconds) => NoteJob.set({ wait: { milliseconds } }).of(milliseconds)));
    await process.app.flush();
    await untilWaiting(process, 1000);
    clock.advance(50_000);
    const half = waits.filter((wait) => wait <= 50_000).length;
    await untilNoted(half);
    await untilWaiting(process, 1000 - half);
    clock.advance(50_000);
    await untilNoted(1000);
    await untilWaiting(process, 0);
    assertEquals(NoteJob.got, waits.toSorted((a, b) => a - b));
  },
);

behaviour(
  "T2: a thousand jobs that came due while no worker ran are released in the order of their times",
  async (world) => {
    const { process, clock } = await delayedProcess(world);
    const random = new Random(3);
    const waits = Array.from({ length: 1000 }, () => random.integer(1, 100_000));
    await process.app.enqueueAll(waits.map((milliseconds) => NoteJob.set({ wait: { milliseconds } }).of(milliseconds)));
    await process.app.flush();
    clock.advance(100_000);
    await process.drain();
    assertEquals(NoteJob.got, waits.toSorted((a, b) => a - b));
  },
);

behaviour("T3: of ten jobs that come due while no worker runs, five are cancelled and one is moved", async (world) => {
  const { process, clock } = await delayedProcess(world);
  await process.start();
  const jobs = await Promise.all(
    Array.from({ length: 10 }, (_, n) => NoteJob.set({ wait: { seconds: n + 1 } }).performLater(n)),
  );
  await untilWaiting(process, 10);
  await process.stop();
  clock.advance(10 * SECOND_MS);
  for (const job of jobs.slice(0, 5)) await process.app.cancelScheduled(job.jobId);
  const moved = jobs[5]!;
  moved.scheduledAt = new Date(clock.nowMs() + SECOND_MS);
  await process.app.enqueue(moved);
  await process.app.flush();
  await process.start();
  await untilNoted(4);
  await untilWaiting(process, 1);
  assertEquals(NoteJob.got, [6, 7, 8, 9]);
  clock.advance(SECOND_MS);
  await untilNoted(5);
  await untilWaiting(process, 0);
  await process.stop();
  await process.drain();
  assertEquals(NoteJob.got, [6, 7, 8, 9, 5]);
  assertEquals(
    process.events("job.cancelled").map(({ jobId }) => jobId).sort(),
    jobs.slice(0, 5).map(({ jobId }) => jobId).sort(),
  );
});

behaviour("T6: a job that is cancelled is never performed", async (world) => {
  const { process, clock } = await delayedProcess(world);
  await process.start();
  const job = await NoteJob.set({ wait: { seconds: 1 } }).performLater("cancelled");
  await NoteJob.set({ wait: { seconds: 1 } }).performLater("other");
  await untilWaiting(process, 2);
  await process.app.cancelScheduled(job.jobId);
  await process.untilEvents("job.cancelled", 1);
  await untilWaiting(process, 1);
  clock.advance(SECOND_MS);
  await untilNoted(1);
  await untilWaiting(process, 0);
  await process.stop();
  await process.drain();
  assertEquals(NoteJob.got, ["other"]);
});

behaviour("T6: a job that is cancelled after its release is performed once", async (world) => {
  const { process, clock } = await delayedProcess(world);
  await process.start();
  const job = await NoteJob.set({ wait: { seconds: 1 } }).performLater("released");
  await untilWaiting(process, 1);
  clock.advance(SECOND_MS);
  await untilNoted(1);
  await process.app.cancelScheduled(job.jobId);
  await NoteJob.set({ wait: { seconds: 1 } }).performLater("next");
  await untilWaiting(process, 1);
  clock.advance(SECOND_MS);
  await untilNoted(2);
  assertEquals(NoteJob.got, ["released", "next"]);
  assertEquals(process.events("job.cancelled"), []);
});

behaviour(
  "T6: a job that is moved is performed once, at the new time, and one that is moved to now at once",
  async (world) => {
    const { process, clock } = await delayedProcess(world);
    await process.start();
    const later = await NoteJob.set({ wait: { seconds: 1 } }).performLater("later");
    const sooner = await NoteJob.set({ wait: { seconds: 9 } }).performLater("now");
    await untilWaiting(process, 2);
    later.scheduledAt = new Date(clock.nowMs() + 3 * SECOND_MS);
    sooner.scheduledAt = new Date(clock.nowMs());
    await process.app.enqueueAll([later, sooner]);
    await process.app.flush();
    await untilNoted(1);
    clock.advance(2 * SECOND_MS);
    await untilWaiting(process, 1);
    assertEquals(NoteJob.got, ["now"]);
    clock.advance(SECOND_MS);
    await untilNoted(2);
    clock.advance(9 * SECOND_MS);
    await untilWaiting(process, 0);
    await process.stop();
    await process.drain();
    assertEquals(NoteJob.got, ["now", "later"]);
  },
);

behaviour(
  "T3: a worker of --once beside another one ends when that one has released what is due, and ignores the rest",
  async (world) => {
    const { process, clock } = await delayedProcess(world);
    await process.start();
    await NoteJob.set({ wait: { seconds: 1 } }).performLater("due");
    await NoteJob.set({ wait: { hours: 1 } }).performLater("later");
    await untilWaiting(process, 2);
    clock.advance(SECOND_MS);
    const { process: other } = await delayedProcess(world, { jobs: [NoteJob] }, clock);
    await other.drain({ scheduler: false });
    assertEquals(NoteJob.got, ["due"]);
    await other.drain();
    await process.stop();
    assertEquals(NoteJob.got, ["due"]);
    assertEquals((await process.app.scheduled()).length, 1);
  },
);
