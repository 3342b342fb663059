/** Delayed jobs keep what they carry, retries run once each, and clocks may differ and jump. */
import { assert, assertEquals } from "@std/assert";
import { activeJobTopic, currentAttributes, Job, type KafkaOptions } from "../../mod.ts";
import { scheduleRecord } from "../../src/dispatch/schedule.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";
import {
  delayedProcess,
  NoteJob,
  noteRecord,
  scheduledQueue,
  untilNoted,
  untilWaiting,
} from "../support/behaviours/delayed.ts";
import { until } from "../support/behaviours/world.ts";
import { ManualClock } from "../support/manual_clock.ts";

const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;

class Current extends currentAttributes<{ userId: number }>("userId") {}

behaviour(
  "T11: due and delayed jobs of several classes are enqueued together: each is where it belongs, and knows",
  async (world) => {
    class OtherJob extends NoteJob {
      static override queue = "other";
    }
    const { process, clock } = await delayedProcess(world, {
      jobs: [NoteJob, OtherJob],
      topics: ["default", "other"].map((name) => activeJobTopic(name, { partitions: 1 })),
    });
    const jobs = [
      NoteJob.of("now"),
      NoteJob.set({ wait: { seconds: 1 } }).of("later"),
      OtherJob.of("other now"),
      OtherJob.set({ wait: { seconds: 1 } }).of("other later"),
      NoteJob.set({ queue: "unknown", wait: { seconds: 1 } }).of("refused"),
    ];
    await process.app.enqueueAll(jobs);
    await process.app.flush();
    assertEquals(jobs.map(({ enqueued }) => enqueued), [true, true, true, true, false]);
    assertEquals((await Promise.all([world.records(), world.records("other")])).map(({ length }) => length), [1, 1]);
    await process.start();
    await untilWaiting(process, 2);
    await untilNoted(2);
    clock.advance(SECOND_MS);
    await untilNoted(4);
    assertEquals(NoteJob.got.slice(0, 2).sort(), ["now", "other now"]);
    assertEquals(NoteJob.got.slice(2).sort(), ["later", "other later"]);
    await process.stop();
    assertEquals((await Promise.all([world.records(), world.records("other")])).map(({ length }) => length), [2, 2]);
  },
);

behaviour("T12: the clock jumps back and forward by an hour: no job is early, and nothing loops", async (world) => {
  class CountingClock extends ManualClock {
    calls = 0;
    override callAt(timeMs: number, fn: () => void): () => void {
      this.calls++;
      return super.callAt(timeMs, fn);
    }
  }
  const clock = new CountingClock();
  const { process } = await delayedProcess(world, {}, clock);
  await process.start();
  await NoteJob.set({ wait: { seconds: 1 } }).performLater("delayed");
  await untilWaiting(process, 1);
  clock.advance(-HOUR_MS);
  const before = clock.calls;
  await NoteJob.set({ wait: { seconds: 1 } }).performLater("in the hour before");
  await untilWaiting(process, 2);
  clock.advance(SECOND_MS);
  await untilNoted(1);
  await untilWaiting(process, 1);
  assertEquals(NoteJob.got, ["in the hour before"]);
  clock.advance(2 * HOUR_MS);
  await untilNoted(2);
  await untilWaiting(process, 0);
  assertEquals(NoteJob.got, ["in the hour before", "delayed"]);
  assert(clock.calls - before < 100, `${clock.calls - before} calls`);
});

behaviour("T13: attributes, trace, priority, key and executions survive the wait", async (world) => {
  const seen: unknown[] = [];
  class FullJob extends Job {
    static override kafkaOptions: KafkaOptions<FullJob> = { key: (job) => `key-${job.args[0]}` };
    perform(n: number): void {
      seen.push([n, Current.userId, this.priority, this.executions]);
    }
  }
  const { process, clock } = await delayedProcess(world, { jobs: [FullJob], currentAttributes: [Current] });
  const trace = new TextEncoder().encode("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  const record = {
    key: "key-2",
    headers: [["traceparent", trace]] as const,
    value: JSON.stringify({ job_class: "FullJob", job_id: "two", arguments: [2], priority: 3, executions: 4 }),
  };
  const dueAtMs = clock.nowMs() + SECOND_MS;
  const schedule = scheduleRecord(record, { jobId: "two", dueAtMs, targetTopic: world.topic() });
  await world.append([{ ...schedule, partition: 0 }], scheduledQueue(world));
  await process.start();
  await Current.run({ userId: 7 }, () => FullJob.set({ wait: { seconds: 2 }, priority: 5 }).performLater(1));
  await untilWaiting(process, 2);
  clock.advance(SECOND_MS);
  await until(() => seen.length === 1, () => `${seen.length} jobs`);
  clock.advance(SECOND_MS);
  await until(() => seen.length === 2, () => `${seen.length} jobs`);
  assertEquals(seen, [[2, undefined, 3, 5], [1, 7, 5, 1]]);
  await process.stop();
  const [two, one] = await world.records();
  const decoder = new TextDecoder();
  assertEquals([two!.key, one!.key].map((key) => decoder.decode(key!)), ["key-2", "key-1"]);
  const traceparent = two!.headers.find(([name]) => name === "traceparent");
  assertEquals(decoder.decode(traceparent![1]!), decoder.decode(trace));
});

behaviour(
  "T14: a job fails within milliseconds of its release and is scheduled again, many times: each run happens once",
  async (world) => {
    const runs: number[] = [];
    const RUNS = world.brokerName === "memory" ? 1000 : 200;
    class AgainJob extends Job {
      static {
        this.retryOn(RangeError, { wait: { milliseconds: 1 }, attempts: RUNS });
      }
      perform(): void {
        runs.push(this.executions);
        if (this.executions < RUNS) throw new RangeError("again");
      }
    }
    const process = await world.process({ jobs: [AgainJob], scheduledTopic: { partitions: 1 } });
    await process.start();
    await AgainJob.performLater();
    await until(() => runs.length >= RUNS, () => `${runs.length} runs`, 60_000);
    await untilWaiting(process, 0);
    await process.stop();
    await process.drain();
    assertEquals(runs, Array.from({ length: RUNS }, (_, n) => n + 1));
  },
);

behaviour(
  "T15: the clock of the process that performs is two seconds behind the one that releases: the job is performed",
  async (world) => {
    const ahead = new ManualClock();
    ahead.advance(2 * SECOND_MS);
    const { process } = await delayedProcess(world, {}, ahead);
    const other = await world.process({
      jobs: [NoteJob],
      clock: new ManualClock(),
      topics: process.app.options.topics,
    });
    await process.app.enqueue(NoteJob.set({ wait: { seconds: 1 } }).of("delayed"));
    await process.app.flush();
    await other.start({ scheduler: false });
    ahead.advance(SECOND_MS);
    await process.app.worker().quiet();
    const worker = process.app.worker();
    worker.quiet();
    const run = worker.run();
    await untilNoted(1);
    await until(() => worker.status().scheduler?.waiting === 0, () => JSON.stringify(worker.status().scheduler));
    await worker.stop();
    await run;
    assertEquals(NoteJob.got, ["delayed"]);
    assertEquals([other, process].flatMap((each) => each.events("record.dead_lettered")), []);
    assertEquals(other.events("job.scheduled"), []);
  },
);

behaviour("T16: a job that waits is enqueued to now: it is performed once", async (world) => {
  const { process, clock } = await delayedProcess(world);
  await process.start();
  const job = await NoteJob.set({ wait: { hours: 1 } }).performLater("now");
  await untilWaiting(process, 1);
  job.scheduledAt = new Date(clock.nowMs());
  await process.app.enqueue(job);
  await untilNoted(1);
  await untilWaiting(process, 0);
  clock.advance(2 * HOUR_MS);
  await process.stop();
  await process.drain();
  assertEquals(NoteJob.got, ["now"]);
});

behaviour(
  "T16: another writer schedules the same id twice in one partition: the last one counts; cancelling takes all away",
  async (world) => {
    const { process, clock } = await delayedProcess(world);
    const at = (what: string, jobId: string, seconds: number) => ({
      ...scheduleRecord(noteRecord(what), {
        jobId,
        dueAtMs: clock.nowMs() + seconds * SECOND_MS,
        targetTopic: world.topic(),
      }),
      partition: 0,
    });
    await world.append(
      [at("first", "twice", 1), at("second", "twice", 2), at("third", "gone", 1), at("fourth", "gone", 2)],
      scheduledQueue(world),
    );
    await process.start();
    await process.app.cancelScheduled("gone");
    await process.untilEvents("job.cancelled", 1);
    await untilWaiting(process, 1);
    clock.advance(SECOND_MS);
    await untilWaiting(process, 1);
    assertEquals(NoteJob.got, []);
    clock.advance(SECOND_MS);
    await untilNoted(1);
    await untilWaiting(process, 0);
    assertEquals(NoteJob.got, ["second"]);
  },
);
