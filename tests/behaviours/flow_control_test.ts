/** Jobs that are too old, that are encrypted, and whose arguments do not fit the schema of their class. */
import { assert, assertEquals } from "@std/assert";
import { activeJobTopic, type ArgumentsSchema, currentAttributes, encryption, Job } from "../../mod.ts";
import { FakeClock } from "../../src/testing/fake_clock.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";
import { asString, type World } from "../support/behaviours/world.ts";

const DEAD = { topic: "dead", maxRetries: 1 };
const runs: unknown[] = [];

class NoteJob extends Job {
  perform(note: string) {
    runs.push(note);
  }
}

class ShortJob extends NoteJob {
  static override expiresAfterMs = 1000;
}

class FailingOnceJob extends ShortJob {
  override perform(note: string) {
    runs.push(note);
    throw new Error("busy");
  }
}

const envelope = (jobClass: string, fields: Record<string, unknown>) => ({
  value: JSON.stringify({ job_class: jobClass, job_id: jobClass, arguments: [jobClass], ...fields }),
});

behaviour(
  "F1: a job that is older than its class or topic allows is not performed, but marked, with an event; its age counts from its due time",
  async (world) => {
    runs.length = 0;
    const clock = new FakeClock();
    const process = await world.process({
      jobs: [NoteJob, ShortJob, FailingOnceJob],
      topics: [activeJobTopic("default", { partitions: 1, expiresAfterMs: 60_000, deadLetterQueue: DEAD })],
      clock,
    });
    const at = (beforeMs: number) => new Date(clock.nowMs() - beforeMs).toISOString();
    await world.append([
      envelope("NoteJob", { job_id: "old", enqueued_at: at(61_000) }),
      envelope("NoteJob", { job_id: "young", enqueued_at: at(59_000) }),
      envelope("ShortJob", { job_id: "short", enqueued_at: at(2000) }),
      // It was due a moment ago, however long it has waited.
      envelope("ShortJob", { job_id: "due", enqueued_at: at(1e9), scheduled_at: at(500) }),
      // Without a time of its own the record's counts; a clock that was never set says nothing.
      envelope("ShortJob", { job_id: "without" }),
      envelope("ShortJob", { job_id: "unset", enqueued_at: "1970-01-01T00:00:00Z" }),
      envelope("ShortJob", { job_id: "ahead", enqueued_at: at(-1e9) }),
    ]);
    await process.drain();
    assertEquals(runs, ["NoteJob", "ShortJob", "ShortJob", "ShortJob", "ShortJob"]);
    const expired = process.events("job.expired");
    assertEquals(expired.map(({ jobId, offset, expiresAfterMs }) => [jobId, offset, expiresAfterMs]), [
      ["old", 0, 60_000],
      ["short", 2, 1000],
    ]);
    assert(expired.every(({ ageMs, expiresAfterMs }) => ageMs > expiresAfterMs));
    assertEquals((await world.committed()).offset, 7);
    assertEquals(process.events("record.dead_lettered"), []);
  },
);

behaviour(
  "F1: a job that expires while it waits for a retry is not tried again",
  async (world) => {
    runs.length = 0;
    const clock = new FakeClock();
    const process = await world.process({ jobs: [FailingOnceJob], clock, backoff: { initialMs: 50, jitter: 0 } });
    process.app.on("job.failed", () => void clock.advance({ seconds: 2 }));
    await FailingOnceJob.performLater("once");
    await process.drain();
    assertEquals([runs, process.events("job.expired").length], [["once"], 1]);
  },
);

const KEYS = ["2025", "2026"].map((id, n) => ({ id, key: new Uint8Array(32).fill(n + 1) }));
const [OLD, NEW] = KEYS as [typeof KEYS[0], typeof KEYS[0]];

class Current extends currentAttributes<{ tenant: string }>("tenant") {}

class CardJob extends Job {
  static isMended = true;
  perform(card: string) {
    runs.push(`${card} of ${Current.tenant}`);
    if (!CardJob.isMended) throw new Error("The bank is closed");
  }
}

const cards = (world: World, options: Parameters<typeof encryption>[0] | null, more = {}) =>
  world.process({
    jobs: [CardJob],
    currentAttributes: [Current],
    topics: [activeJobTopic("default", { partitions: 1, deadLetterQueue: DEAD, unknownJobs: { retryForMs: 60_000 } })],
    backoff: { initialMs: 5, jitter: 0 },
    ...(options === null ? {} : { encryption: encryption(options) }),
    ...more,
  });

behaviour(
  "F2: encrypted jobs are not readable in the log, the delayed jobs or the dead letters, and are performed after a requeue",
  async (world) => {
    runs.length = 0;
    CardJob.isMended = false;
    const process = await cards(world, { keys: [NEW] });
    await Current.run(
      { tenant: "acme, inc" },
      () => CardJob.set({ wait: { milliseconds: 1 } }).performLater("4111-1111"),
    );
    await process.app.flush();
    await process.start();
    await process.untilEvents("record.dead_lettered", 1);
    await process.stop();
    const letters = process.app.deadLetters();
    const [letter] = await letters.list();
    assertEquals([letter!.jobClass, letter!.errorMessage], ["CardJob", "The bank is closed"]);
    const details = await letters.show(letter!);
    assertEquals(Object.hasOwn(details.envelope!, "arguments"), false);
    CardJob.isMended = true;
    assertEquals(await letters.requeue({ all: true }), { requeued: 1, refused: 0 });
    await process.drain();
    assertEquals(runs, Array(3).fill("4111-1111 of acme, inc"));
    const records = [...await world.records(), ...await world.records("dead")].map(({ value }) => asString(value)!);
    assertEquals(records.length, 3);
    for (const secret of ["4111-1111", "acme, inc"]) {
      assertEquals(records.filter((value) => value.includes(secret)), [], secret);
    }
  },
);

behaviour(
  "F2: a worker without the key waits for it, and a worker that has it performs the job; keys are changed without a stop",
  async (world) => {
    runs.length = 0;
    CardJob.isMended = true;
    const next = await cards(world, { keys: [NEW, OLD] });
    await next.app.enqueue(CardJob.of("new"));
    await next.app.flush();
    const old = await cards(world, { keys: [OLD] });
    await old.start();
    const [paused] = await old.untilEvents("partition.paused", 1);
    assertEquals([paused!.error.errorClass, paused!.lasting], ["UnknownKeyError", false]);
    await old.stop();
    await old.app.enqueue(CardJob.of("old"));
    await next.drain();
    assertEquals(runs, ["new of undefined", "old of undefined"]);
  },
);

behaviour(
  "F2: where encryption is required, a job in clear is dead-lettered, also one of another program; so is one that was moved or changed",
  async (world) => {
    runs.length = 0;
    const process = await cards(world, { keys: [NEW], required: true });
    await CardJob.performLater("sound");
    await process.app.flush();
    const [sound] = await world.records();
    const stolen = JSON.parse(asString(sound!.value)!);
    await world.append([
      envelope("CardJob", {}),
      { value: JSON.stringify({ ...stolen, job_id: "another" }) },
      { value: JSON.stringify({ ...stolen, arguments: ["forged"] }) },
    ]);
    await process.drain();
    assertEquals(runs, ["sound of undefined"]);
    const found = process.events("record.dead_lettered").map(({ offset, error, attempts }) =>
      [offset, error.errorClass, attempts] as const
    );
    assertEquals(found, [1, 2, 3].map((offset) => [offset, "PoisonError", 0] as const));
  },
);

/** Accepts one positive number, which it returns as a string. */
const POSITIVE: ArgumentsSchema = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (args) => {
      const [n] = args as readonly unknown[];
      return typeof n === "number" && n > 0 ? { value: [`no. ${n}`] } : { issues: [{ message: "must be positive" }] };
    },
  },
};

class CountJob extends Job {
  static override schema = POSITIVE;
  static failsFirst = false;
  static {
    this.retryOn(Error, { attempts: 3, wait: { seconds: 0 } });
  }
  perform(n: number) {
    runs.push(n);
    if (CountJob.failsFirst && this.executions === 1) throw new Error("again");
  }
}

behaviour(
  "F3: arguments that do not fit the class's schema are refused at performLater, and are poison in a record; a retry passes them as they were",
  async (world) => {
    runs.length = 0;
    CountJob.failsFirst = true;
    const process = await world.process({
      jobs: [CountJob],
      topics: [activeJobTopic("default", { partitions: 1, deadLetterQueue: { topic: "dead", maxRetries: 5 } })],
    });
    const refused = await CountJob.performLater(-1).catch((error) => error.cause.name);
    assertEquals(refused, "SchemaError");
    await world.append([envelope("CountJob", { arguments: [0] })]);
    await CountJob.performLater(7);
    await process.app.flush();
    await process.start();
    await process.untilEvents("job.performed", 1);
    await process.stop();
    assertEquals(runs, ["no. 7", "no. 7"]);
    const [letter] = process.events("record.dead_lettered");
    assertEquals([letter!.offset, letter!.error.errorClass, letter!.attempts], [0, "SchemaError", 0]);
    assertEquals(process.events("job.failed"), []);
  },
);

class OuterJob extends Job {
  async perform() {
    runs.push("outer");
    await CountJob.performNow(-1);
  }
}

behaviour(
  "F3: a job that performs another one with arguments that do not fit has failed, and is retried",
  async (world) => {
    runs.length = 0;
    const process = await world.process({
      jobs: [OuterJob],
      topics: [activeJobTopic("default", { deadLetterQueue: DEAD, backoff: { initialMs: 1, jitter: 0 } })],
    });
    await OuterJob.performLater();
    await process.drain();
    assertEquals([runs, process.events("job.failed").length], [["outer", "outer"], 2]);
  },
);

class StrictJob extends Job {
  static isStrict = false;
  static override schema: ArgumentsSchema = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (args) => {
        const [card] = args as readonly string[];
        return StrictJob.isStrict ? { issues: [{ message: `not a card: ${card}`, path: [0] }] } : { value: args };
      },
    },
  };
  perform(_card: string) {}
}

behaviour(
  "F3: where jobs are encrypted, the dead letter of a job whose arguments do not fit names their paths, and no value",
  async (world) => {
    StrictJob.isStrict = false;
    const clear = await cards(world, null, { jobs: [StrictJob] });
    await StrictJob.performLater("4111-1111");
    await clear.app.flush();
    const process = await cards(world, { keys: [NEW] }, { jobs: [StrictJob] });
    await process.app.enqueue(StrictJob.of("4222-2222"));
    await process.app.flush();
    StrictJob.isStrict = true;
    await process.drain();
    const letters = await process.app.deadLetters().list();
    const prefix = "The arguments of StrictJob do not fit its schema: arguments[0]";
    assertEquals(letters.map(({ errorMessage }) => errorMessage).toSorted(), [
      prefix,
      prefix,
    ]);
    for (const { value, headers } of await world.records("dead")) {
      const all = [asString(value), ...headers.map(([, header]) => asString(header))].join("\n");
      assert(!/4222|not a card/.test(all), all);
    }
  },
);
