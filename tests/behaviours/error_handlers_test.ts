/** Callbacks and error handlers on a worker: what a class decides for its own failures, before the worker's policy. */
import { assertEquals } from "@std/assert";
import { Abort, activeJobTopic, currentAttributes, Job } from "../../mod.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";
import { asString, until } from "../support/behaviours/world.ts";

class Busy extends Error {}

/** Topic "default" with its dead letters in "dead". */
const TOPICS = [
  activeJobTopic("default", {
    partitions: 1,
    deadLetterQueue: { topic: "dead", maxRetries: 5 },
    backoff: { initialMs: 1, jitter: 0 },
  }),
];

/** Records the runs of its subclasses as `name executions`. */
abstract class RecordingJob extends Job {
  static runs: string[] = [];
  note(name: string) {
    RecordingJob.runs.push(`${name} ${this.executions}`);
  }
}

class RetryJob extends RecordingJob {
  static {
    this.retryOn(Busy, { attempts: 3, wait: { seconds: 0 } });
  }
  perform(name: string, passesAt: number) {
    this.note(name);
    if (this.executions < passesAt) throw new Busy(name);
  }
}

behaviour(
  "A9: retryOn with 3 attempts: each job runs exactly 3 times, and the one that never passes is then dead-lettered at once",
  async (world) => {
    RecordingJob.runs = [];
    const process = await world.process({ jobs: [RetryJob], topics: TOPICS });
    const jobs = [];
    for (const [name, passesAt] of [["a", 3], ["b", 3], ["never", 9]] as const) {
      jobs.push(await RetryJob.performLater(name, passesAt));
    }
    await process.start();
    await process.untilEvents("record.dead_lettered", 1);
    await process.stop();
    await process.drain();
    assertEquals(
      RecordingJob.runs.toSorted(),
      ["a", "b", "never"].flatMap((name) => [1, 2, 3].map((n) => `${name} ${n}`)),
    );
    const [letter] = process.events("record.dead_lettered");
    assertEquals([letter!.jobId, letter!.attempts], [jobs[2]!.jobId, 1]);
    assertEquals(process.events("job.retry_stopped").map(({ executions }) => executions), [3]);
    const retries = process.events("job.retry_scheduled");
    assertEquals([retries.length, retries.every(({ waitMs }) => waitMs === 0)], [6, true]);
    assertEquals(process.events("job.performed").length, 2);
    // The counter is the declaration's, under the key that Rails gives it.
    const counters = (await world.records()).map(({ value }) => JSON.parse(asString(value)!).exception_executions);
    assertEquals(counters.slice(-3), [{ "[Busy]": 2 }, { "[Busy]": 2 }, { "[Busy]": 2 }]);
  },
);

behaviour(
  "A9: without a dead letter topic, the partition pauses when no attempt is left",
  async (world) => {
    RecordingJob.runs = [];
    const process = await world.process({ jobs: [RetryJob], backoff: { initialMs: 60_000, maxMs: 60_000 } });
    await RetryJob.performLater("never", 9);
    await process.start();
    const [paused] = await process.untilEvents("partition.paused", 1);
    assertEquals([paused!.lasting, RecordingJob.runs], [true, ["never 1", "never 2", "never 3"]]);
    await process.stop();
  },
);

class InPlaceJob extends RecordingJob {
  static {
    this.retryOn(Busy, { attempts: 3, wait: { milliseconds: 1 }, inPlace: true }, (job) => job.note("exhausted"));
  }
  perform(name: string) {
    this.note(name);
    if (name === "fails") throw new Busy(name);
  }
}

behaviour(
  "retryOn in place: the record itself runs again, and the next one waits; once no run is left, the block ends the job",
  async (world) => {
    RecordingJob.runs = [];
    const process = await world.process({ jobs: [InPlaceJob], topics: TOPICS });
    await InPlaceJob.performLater("fails");
    await InPlaceJob.performLater("next");
    await process.start();
    await process.untilEvents("job.performed", 1);
    await process.stop();
    await process.drain();
    assertEquals(RecordingJob.runs, ["fails 1", "fails 2", "fails 3", "exhausted 3", "next 1"]);
    assertEquals((await world.records()).length, 2);
    assertEquals(process.events("job.discarded").map(({ attempt }) => attempt), [3]);
    assertEquals((await world.committed()).offset, 2);
  },
);

class OutcomeJob extends RecordingJob {
  static {
    this.discardOn(RangeError);
    this.rescueFrom(TypeError, (job) => job.note("rescued"));
    this.beforePerform((job) => {
      if (job.args[0] === "halted") throw new Abort();
    });
    this.afterPerform((job) => job.note("after"));
    this.afterDiscard((job, error) => job.note(`given up ${(error as Error).name}`));
  }
  perform(name: string) {
    this.note(name);
    if (name === "discarded") throw new RangeError();
    if (name === "rescued") throw new TypeError();
    if (name === "dead") throw new SyntaxError();
  }
}

behaviour(
  "a halted, a discarded and a rescued job are done; afterDiscard is called for what is given up, once",
  async (world) => {
    RecordingJob.runs = [];
    const process = await world.process({
      jobs: [OutcomeJob],
      topics: TOPICS,
    });
    for (const name of ["halted", "discarded", "rescued", "dead", "passes"]) await OutcomeJob.performLater(name);
    await process.start();
    await process.untilEvents("job.performed", 1);
    await process.stop();
    await process.drain();
    const deadRuns = Array.from({ length: 6 }, (_, run) => `dead ${run + 1}`);
    assertEquals(RecordingJob.runs, [
      "discarded 1",
      "given up RangeError 1",
      "rescued 1",
      "rescued 1",
      ...deadRuns,
      "given up SyntaxError 6",
      "passes 1",
      "after 1",
    ]);
    const counts = (["job.halted", "job.discarded", "job.rescued", "record.dead_lettered"] as const)
      .map((name) => process.events(name).length);
    assertEquals([counts, (await world.committed()).offset], [[1, 1, 1, 1], 5]);
  },
);

class Current extends currentAttributes<{ user: string }>("user") {}
class AttributesJob extends Job {
  static seen: string[] = [];
  static {
    this.retryOn(Busy, { wait: { seconds: 0 }, attempts: 2 });
    this.beforeEnqueue((job) => void AttributesJob.seen.push(`enqueue ${job.executions} ${Current.user}`));
    this.aroundPerform(async (_job, perform) => {
      AttributesJob.seen.push(`around ${Current.user}`);
      await perform();
    });
  }
  perform() {
    if (this.executions === 1) throw new Busy();
  }
}

behaviour(
  "callbacks, handlers and the next run of a job have its current attributes",
  async (world) => {
    AttributesJob.seen = [];
    const process = await world.process({ jobs: [AttributesJob], topics: TOPICS, currentAttributes: [Current] });
    await Current.run({ user: "ada" }, () => AttributesJob.performLater());
    await process.start();
    await process.untilEvents("job.performed", 1);
    await process.stop();
    assertEquals(AttributesJob.seen, ["enqueue 0 ada", "around ada", "enqueue 1 ada", "around ada"]);
  },
);

class UnwritableJob extends RecordingJob {
  static {
    this.retryOn(Busy, { wait: { seconds: 0 }, queue: "undeclared" });
  }
  perform(name: string) {
    this.note(name);
    if (this.executions < 3) throw new Busy();
  }
}

behaviour(
  "a retry that cannot be written is left to the worker's policy: nothing is lost",
  async (world) => {
    RecordingJob.runs = [];
    const process = await world.process({ jobs: [UnwritableJob], topics: TOPICS });
    world.allowErrors(/undeclared/);
    await UnwritableJob.performLater("a");
    await process.start();
    await process.untilEvents("job.performed", 1);
    await process.stop();
    assertEquals(RecordingJob.runs, ["a 1", "a 2", "a 3"]);
    const refused = process.events("error.occurred");
    await until(() => refused.length >= 2, () => `2 refusals, but there were ${refused.length}`);
    assertEquals(refused.filter(({ where }) => where === "retry").length, 2);
    assertEquals(process.events("job.failed").map(({ next }) => next), ["retry", "retry"]);
  },
);

class FailingBlockJob extends RecordingJob {
  static {
    this.discardOn(RangeError);
    this.retryOn(Busy, { attempts: 1 }, (job) => job.note("exhausted"));
    this.afterDiscard(() => {
      throw new SyntaxError("in afterDiscard");
    });
    this.afterDiscard((job) => job.note("second block"));
  }
  perform(name: string) {
    this.note(name);
    if (name === "discarded") throw new RangeError();
    if (name === "exhausted") throw new Busy();
    throw new TypeError();
  }
}

behaviour(
  "an afterDiscard that throws is reported, and changes nothing: the job is done, or dead-lettered with its own error",
  async (world) => {
    RecordingJob.runs = [];
    const topics = [activeJobTopic("default", { partitions: 1, deadLetterQueue: { topic: "dead", maxRetries: 0 } })];
    const process = await world.process({ jobs: [FailingBlockJob], topics });
    world.allowErrors(/afterDiscard/);
    for (const name of ["discarded", "exhausted", "dead"]) await FailingBlockJob.performLater(name);
    await process.start();
    await process.untilEvents("record.dead_lettered", 1);
    await process.stop();
    const runs = ["discarded 1", "second block 1", "exhausted 1", "exhausted 1", "second block 1", "dead 1"];
    assertEquals(RecordingJob.runs, [...runs, "second block 1"]);
    assertEquals(process.events("job.discarded").map(({ error }) => error.errorClass), ["RangeError", "Error"]);
    assertEquals(process.events("record.dead_lettered")[0]!.error.errorClass, "TypeError");
    assertEquals(process.events("error.occurred").map(({ where, error }) => [where, error.errorClass]), [
      ["afterDiscard", "SyntaxError"],
      ["afterDiscard", "SyntaxError"],
      ["afterDiscard", "SyntaxError"],
    ]);
    assertEquals((await world.committed()).offset, 3);
  },
);

behaviour(
  "an afterDiscard that does not end counts as a part of its job: orphaned at the time limit, and unfinished at a stop",
  async (world) => {
    const release = Promise.withResolvers<void>();
    const reasons: unknown[] = [];
    class EndlessBlockJob extends Job {
      static {
        this.discardOn(RangeError);
        this.afterDiscard((job) => {
          job.signal.addEventListener("abort", () => reasons.push((job.signal.reason as Error).name));
          return release.promise;
        });
      }
      perform() {
        throw new RangeError();
      }
    }
    const topics = [activeJobTopic("default", { partitions: 1, timeoutMs: 30, timeoutGraceMs: 20 })];
    const process = await world.process({ jobs: [EndlessBlockJob], topics, shutdownTimeoutMs: 50 });
    await EndlessBlockJob.performLater();
    await process.start();
    const [orphaned] = await process.untilEvents("job.orphaned", 1);
    assertEquals([orphaned!.jobClass, orphaned!.reason], ["EndlessBlockJob", "timeout"]);
    assertEquals(process.worker.running().map(({ jobClass }) => jobClass), ["EndlessBlockJob"]);
    await process.stop();
    assertEquals(process.events("worker.stopped").map(({ unfinished }) => unfinished.length), [1]);
    assertEquals([reasons, (await world.committed()).offset ?? 0], [["TimeoutError"], 0]);
    release.resolve();
  },
);
