/** Enqueuing: options are checked before anything is sent and merged by class, and many jobs are sent together. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  activeJobTopic,
  EnqueueError,
  InvalidConfigurationError,
  Job,
  type KafkaOptions,
  kafkaOptionsOf,
  performAllLater,
} from "../../mod.ts";
import type { BrokerSource } from "../../src/broker/broker.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";

behaviour(
  "A7: each class merges the options of its parents; a later change of a parent applies where a child does not override it",
  async (world) => {
    class A extends Job {
      static override kafkaOptions: KafkaOptions = {
        dispatchMethod: "produceSync",
        dispatchManyMethod: "produceManySync",
      };
      perform() {}
    }
    class B extends A {
      static override kafkaOptions: KafkaOptions = { dispatchMethod: "produceAsync" };
    }
    class C extends B {
      static override kafkaOptions: KafkaOptions = { dispatchManyMethod: "produceManyAsync" };
    }
    const merged = () => [A, B, C].map((Class) => ({ ...kafkaOptionsOf(Class) }));
    assertEquals(merged(), [
      { dispatchMethod: "produceSync", dispatchManyMethod: "produceManySync" },
      { dispatchMethod: "produceAsync", dispatchManyMethod: "produceManySync" },
      { dispatchMethod: "produceAsync", dispatchManyMethod: "produceManyAsync" },
    ]);
    assert(Object.isFrozen(kafkaOptionsOf(C)));
    assertEquals(A.kafkaOptions, { dispatchMethod: "produceSync", dispatchManyMethod: "produceManySync" });
    assertEquals(B.kafkaOptions, { dispatchMethod: "produceAsync" });

    // The sync methods resolve once the job is delivered.
    await world.process({ jobs: [A, B, C] });
    assertEquals((await A.performLater()).status, "delivered");
    for (const job of await performAllLater([A.of(), B.of()])) assertEquals(job.status, "delivered");
    // The async methods do not wait: on the memory log, which can be offline, they resolve before the acknowledgement.
    world.log?.goOffline();
    const asynchronous = [await B.performLater(), await C.performLater(), ...await performAllLater([C.of()])];
    if (world.log !== null) assertEquals(asynchronous.map((job) => job.status), ["buffered", "buffered", "buffered"]);
    world.log?.goOnline();
    await Promise.all(asynchronous.map((job) => job.delivered()));

    A.kafkaOptions = { dispatchMethod: "produceAsync", dispatchManyMethod: "produceManyAsync", key: () => "a" };
    assertEquals(merged().map(({ key: _, ...rest }) => rest), [
      { dispatchMethod: "produceAsync", dispatchManyMethod: "produceManyAsync" },
      { dispatchMethod: "produceAsync", dispatchManyMethod: "produceManyAsync" },
      { dispatchMethod: "produceAsync", dispatchManyMethod: "produceManyAsync" },
    ]);
    assertEquals([A, B, C].map((Class) => kafkaOptionsOf(Class).key?.(Class.of())), ["a", "a", "a"]);
    A.kafkaOptions = { dispatchMethod: "produceSync" };
    assertEquals(merged(), [
      { dispatchMethod: "produceSync" },
      { dispatchMethod: "produceAsync" },
      { dispatchMethod: "produceAsync", dispatchManyMethod: "produceManyAsync" },
    ] as KafkaOptions[]);
  },
);

behaviour(
  "A8: an option with an unknown name, a wrong value or a wrong type is a configuration error before anything is sent",
  async (world) => {
    class WrongJob extends Job {
      static override kafkaOptions: KafkaOptions = {};
      perform() {}
    }
    const process = await world.process({ jobs: [WrongJob] });
    const broken = (options: object) => world.unprepared({ jobs: [WrongJob], ...options } as never);
    const cases: [run: () => unknown, ...words: string[]][] = [
      // An unknown key.
      [
        () => activeJobTopic("a", { maxMessage: 1 } as never),
        '"maxMessage"',
        'did you mean "maxMessages"',
        '"backoff"',
      ],
      [() => activeJobTopic("a", { constructor: 1 } as never), '"constructor"', '"maxMessages"'],
      [() => broken({ concurency: 3 }), '"concurency"', 'did you mean "concurrency"'],
      [() => broken({ backoff: { initial: 1 } }), '"initial"', '"initialMs"'],
      [
        () => activeJobTopic("a", { deadLetterQueue: { topic: "d", maxRetry: 1 } as never }),
        '"maxRetry"',
        '"maxRetries"',
      ],
      [() => WrongJob.set({ que: "x" } as never), '"que"', '"queue"'],
      [() => WrongJob.set({ wait: 5 } as never), '"wait"', "but it is 5", "{ minutes: 5 }"],
      [() => process.app.worker({ topic: ["default"] } as never), '"topic"', '"topics"'],
      // A wrong value.
      [() => activeJobTopic("a b"), '"name"', '"a b"', "letters, digits"],
      [() => activeJobTopic("a", { maxMessages: 0 }), '"maxMessages"', "but it is 0", "from 1 up"],
      [() => activeJobTopic("a", { backoff: { jitter: 2 } }), '"jitter"', "but it is 2", "from 0 to 1"],
      [() => activeJobTopic("a", { timeoutMs: 2 ** 31 }), '"timeoutMs"', "2147483648", "2147483647"],
      [() => activeJobTopic("a", { retentionMs: -2 }), '"retentionMs"', "but it is -2", "-1 for ever"],
      [() => broken({ broker: "redis://x" }), '"broker"', '"redis://x"', '"memory:"'],
      [() => broken({ broker: "kafka:host" }), '"broker"', '"***"', "kafka://"],
      [() => broken({ undeclaredQueues: "ignore" }), '"undeclaredQueues"', '"ignore"', '"error", "warn"'],
      [() => process.app.worker({ topics: ["defautl"] }), '"defautl"', 'did you mean "default"'],
      // A wrong type.
      [() => activeJobTopic("a", { maxMessages: "1" as never }), '"maxMessages"', 'but it is "1"', "an integer"],
      [() => activeJobTopic("a", { deadLetterQueue: "dead" as never }), "deadLetterQueue", '"dead"', "an object"],
      [() => activeJobTopic("a", { backoff: null as never }), "backoff", "null", "an object"],
      [() => activeJobTopic("a", null as never), "null", "an object"],
      [() => broken({ jobs: [class {}] }), '"jobs"', "class", "must extend Job"],
      [() => broken({ topics: ["default"] }), '"topics"', '"default"', "activeJobTopic()"],
      [() => broken({ name: undefined }), '"name"'],
      [() => process.app.worker({ concurrency: NaN }), '"concurrency"', "NaN", "from 1 up"],
    ];
    for (const [run, ...words] of cases) {
      const error = assertThrows(run, InvalidConfigurationError);
      for (const word of words) assert(error.message.includes(word), `"${error.message}" should have ${word}`);
    }
    // Options of a class that become wrong after the App was made.
    for (
      const [options, ...words] of [
        [{ dispatchMethod: "produce" }, '"dispatchMethod"', '"produce"', '"produceAsync", "produceSync"'],
        [{ dispatchMetod: "produceSync" }, '"dispatchMetod"', 'did you mean "dispatchMethod"'],
        [{ key: "id" }, '"key"', '"id"', "function"],
      ] as [object, ...string[]][]
    ) {
      WrongJob.kafkaOptions = options;
      const error = await assertRejects(() => WrongJob.performLater(), InvalidConfigurationError);
      for (const word of words) assert(error.message.includes(word), `"${error.message}" should have ${word}`);
      assertThrows(() => world.unprepared({ jobs: [WrongJob] }), InvalidConfigurationError);
    }
    await process.app.flush();
    assertEquals((await world.client.admin.ends(world.topic()))[0]!.high, 0);
  },
);

behaviour(
  "A11: performAllLater of several classes takes one round trip for each topic, and each job has its own outcome",
  async (world) => {
    class SureJob extends Job {
      static override kafkaOptions: KafkaOptions = { dispatchManyMethod: "produceManySync" };
      perform(_n: number) {}
    }
    class QuickJob extends Job {
      perform(_n: number) {}
    }
    class KeyedJob extends Job {
      static override kafkaOptions: KafkaOptions<KeyedJob> = { key: (job) => job.args[0] };
      perform(_key: string) {}
    }
    const appends: string[] = [];
    const process = await world.process({
      broker: counting(world.source, appends),
      jobs: [SureJob, QuickJob, KeyedJob],
      topics: [activeJobTopic("default", { partitions: 1 }), activeJobTopic("other", { partitions: 1 })],
    });
    const jobs = await performAllLater([
      SureJob.of(0),
      QuickJob.of(1),
      SureJob.of(2).set({ queue: "nowhere" }),
      QuickJob.of(3).set({ queue: "other" }),
      KeyedJob.of(4 as never),
      QuickJob.of(NaN),
      SureJob.of(6).set({ queue: "other", priority: 7 }),
      QuickJob.of(7),
    ]);
    assertEquals(jobs.map((job) => job.enqueued), [true, true, false, true, false, false, true, true]);
    assertEquals([jobs[0].status, jobs[6].status], ["delivered", "delivered"]);
    const why = [jobs[2], jobs[4], jobs[5]].map((job) => job.enqueueError);
    for (const error of why) assert(error instanceof EnqueueError && error.written === "no");
    assert(why[0]!.message.includes('"nowhere"'), why[0]!.message);
    assert(why[1]!.message.includes("key function"), why[1]!.message);
    assert(why[2]!.message.includes("arguments[0]"), why[2]!.message);
    await process.app.flush();
    assertEquals(appends.sort(), [world.topic(), world.topic("other")]);
    await process.start();
    await process.untilEvents("job.performed", 5);
    assertEquals((await process.untilEvents("job.enqueue_failed", 3)).map(({ jobId }) => jobId), [
      jobs[2].jobId,
      jobs[4].jobId,
      jobs[5].jobId,
    ]);
  },
);

/** A source whose brokers record each request to append. */
function counting(source: BrokerSource, appends: string[]): BrokerSource {
  return {
    ...source,
    async open(context) {
      const broker = await source.open(context);
      const append = broker.append.bind(broker);
      broker.append = (topic, records, options) => {
        appends.push(topic);
        return append(topic, records, options);
      };
      return broker;
    },
  };
}
