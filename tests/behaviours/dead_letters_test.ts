/** Dead letters: a job that fails for good is written there once, byte for byte, and its partition goes on. */
import { assert, assertEquals } from "@std/assert";
import { activeJobTopic, type DeadLetterQueueOptions, Job, type KafkaOptions, type TopicOptions } from "../../mod.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";
import { asString, headersAsStrings, until, type World } from "../support/behaviours/world.ts";

/** A job that records each run, and fails if the test says so. */
class NumberJob extends Job {
  static runs: number[] = [];
  static failing: (n: number, attempt: number) => boolean = () => false;

  perform(n: number) {
    NumberJob.runs.push(n);
    if (NumberJob.failing(n, this.attempt)) throw new RangeError(`${n} is not wanted`);
  }

  static begin(failing: (n: number, attempt: number) => boolean): void {
    this.runs = [];
    this.failing = failing;
  }
}

/** Topic "default" with its dead letters in "dead". */
function withDeadLetters(options: Partial<DeadLetterQueueOptions> = {}, more: TopicOptions = {}) {
  return {
    jobs: [NumberJob],
    topics: [
      activeJobTopic("default", {
        partitions: 1,
        deadLetterQueue: { topic: "dead", independent: true, ...options },
        backoff: { initialMs: 2, jitter: 0 },
        ...more,
      }),
    ],
  };
}

/** The dead letters' sources: offset and attempts. */
async function deadOffsets(world: World): Promise<(string | null)[][]> {
  const records = await world.records("dead");
  return records.map(({ headers }) => headersAsStrings(headers)).map((each) => [
    each["dead-letter-offset"]!,
    each["dead-letter-attempts"]!,
  ]);
}

behaviour(
  "D1: job 10 of 100 always fails with maxRetries 2: it runs 3 times, the others once, and its dead letter has its exact bytes",
  async (world) => {
    class KeyedJob extends NumberJob {
      static override kafkaOptions: KafkaOptions = { key: (job) => `clé ${job.args[0]}` };
    }
    NumberJob.begin((n) => n === 10);
    const process = await world.process({ ...withDeadLetters({ maxRetries: 2 }), jobs: [KeyedJob] });
    for (let n = 0; n < 100; n++) await KeyedJob.performLater(n);
    await process.start();
    await process.untilEvents("job.performed", 99);
    await process.stop();
    await process.drain();
    assertEquals(NumberJob.runs, Array.from({ length: 100 }, (_, n) => n).flatMap((n) => n === 10 ? [n, n, n] : [n]));
    assertEquals((await world.committed()).offset, 100);

    const dead = await world.records("dead");
    assertEquals(dead.length, 1);
    const source = (await world.records()).find(({ offset }) => offset === 10)!;
    assertEquals([dead[0]!.key, dead[0]!.value], [source.key, source.value]);
    assertEquals(asString(dead[0]!.key), "clé 10");
    assertEquals(headersAsStrings(dead[0]!.headers), {
      "dead-letter-topic": world.topic(),
      "dead-letter-partition": "0",
      "dead-letter-offset": "10",
      "dead-letter-timestamp": String(source.timestampMs),
      "dead-letter-group": world.group,
      "dead-letter-attempts": "3",
      "dead-letter-error-class": "RangeError",
      "dead-letter-error-message": "10 is not wanted",
    });
    const [event] = await process.untilEvents("record.dead_lettered", 1);
    assertEquals([event!.offset, event!.attempts, event!.jobClass, event!.to.topic, event!.to.offset], [
      10,
      3,
      "KeyedJob",
      world.topic("dead"),
      dead[0]!.offset,
    ]);
  },
);

behaviour("D2: with maxRetries 0, a job that fails is dead-lettered after one run", async (world) => {
  NumberJob.begin((n) => n === 1);
  const process = await world.process(withDeadLetters({ maxRetries: 0 }));
  for (let n = 0; n < 3; n++) await NumberJob.performLater(n);
  await process.start();
  await process.untilEvents("job.performed", 2);
  await world.untilCommitted(3);
  assertEquals(NumberJob.runs, [0, 1, 2]);
  assertEquals(await deadOffsets(world), [["1", "1"]]);
  assertEquals(process.events("partition.paused"), []);
});

behaviour(
  "D3: the first and the last job of a partition fail for good: the partition goes on, also with jobs that arrive later",
  async (world) => {
    NumberJob.begin((n) => n === 0 || n === 4 || n === 6);
    const process = await world.process(withDeadLetters({ maxRetries: 1 }));
    for (let n = 0; n < 5; n++) await NumberJob.performLater(n);
    await process.start();
    await world.untilCommitted(5);
    for (let n = 5; n < 7; n++) await NumberJob.performLater(n);
    await world.untilCommitted(7);
    assertEquals(NumberJob.runs, [0, 0, 1, 2, 3, 4, 4, 5, 6, 6]);
    assertEquals(await deadOffsets(world), [["0", "2"], ["4", "2"], ["6", "2"]]);
  },
);

behaviour("D4: a job that succeeds on a retry is never dead-lettered", async (world) => {
  NumberJob.begin((n, attempt) => attempt <= n);
  const process = await world.process(withDeadLetters({ maxRetries: 3 }));
  for (let n = 0; n < 4; n++) await NumberJob.performLater(n);
  await process.start();
  await process.untilEvents("job.performed", 4);
  await world.untilCommitted(4);
  assertEquals(NumberJob.runs, [0, 1, 1, 2, 2, 2, 3, 3, 3, 3]);
  assertEquals(await deadOffsets(world), []);
});

behaviour(
  "D5: each job fails once, with maxRetries 2: no job is dead-lettered, since each has its own count",
  async (world) => {
    NumberJob.begin((_, attempt) => attempt === 1);
    const process = await world.process(withDeadLetters({ maxRetries: 2, independent: true }));
    for (let n = 0; n < 10; n++) await NumberJob.performLater(n);
    await process.start();
    await process.untilEvents("job.performed", 10);
    await world.untilCommitted(10);
    assertEquals(NumberJob.runs, Array.from({ length: 10 }, (_, n) => [n, n]).flat());
    assertEquals(await deadOffsets(world), []);
  },
);

behaviour(
  "D5: with independent: false, failures are counted for the partition until a job succeeds at its first run",
  async (world) => {
    NumberJob.begin((n, attempt) => n !== 3 && attempt === 1);
    const process = await world.process(withDeadLetters({ maxRetries: 2, independent: false }));
    for (let n = 0; n < 7; n++) await NumberJob.performLater(n);
    await process.start();
    await world.untilCommitted(7);
    // 0 and 1 fail once each and pass; the third failure is over the limit. 3 passes at once: the count starts again at
    // 0.
    assertEquals(NumberJob.runs, [0, 0, 1, 1, 2, 3, 4, 4, 5, 5, 6]);
    assertEquals(await deadOffsets(world), [["2", "1"], ["6", "1"]]);
  },
);

behaviour(
  "D6: the dead letter topic is missing for a while: nothing is marked, and only the write is retried",
  async (world) => {
    world.allowErrors(
      /^dead letter: UnknownTopicError: .*dead/,
      /^start: Error: The dead letter topic ".*" does not exist/,
    );
    NumberJob.begin((n) => n === 1);
    const options = withDeadLetters({ maxRetries: 1 }, { backoff: { initialMs: 10, maxMs: 50, jitter: 0 } });
    // As on a real broker, topics are not created at their first use.
    const process = world.unprepared({ ...options, broker: { ...world.source, embedded: false } });
    await world.client.admin.create([{ name: world.topic(), partitions: 1 }]);
    for (let n = 0; n < 3; n++) await NumberJob.performLater(n);
    await process.start();
    const refused = () => process.events("error.occurred").filter(({ where }) => where === "dead letter").length;
    await until(() => refused() >= 5, () => `5 refused dead letters, but there were ${refused()}`);
    assertEquals(NumberJob.runs, [0, 1, 1]);
    assertEquals((await world.committed()).offset, 1);
    const paused = process.events("partition.paused");
    assert(
      paused.some(({ lasting, remedy }) => lasting && remedy?.endsWith(`${world.topic()}/0@1`)),
      "A lasting pause",
    );

    await world.client.admin.create([{ name: world.topic("dead"), partitions: 1 }]);
    await process.untilEvents("record.dead_lettered", 1);
    await world.untilCommitted(3);
    await process.stop();
    assertEquals(NumberJob.runs, [0, 1, 1, 2]);
    assertEquals(await deadOffsets(world), [["1", "2"]]);
  },
);

behaviour(
  "D6: the worker restarts while the dead letter topic is missing: the job does not run again",
  async (world) => {
    world.allowErrors(/^dead letter: UnknownTopicError: /, /^start: Error: The dead letter topic ".*" does not exist/);
    NumberJob.begin((n) => n === 0);
    const options = {
      ...withDeadLetters({ maxRetries: 1 }, { backoff: { initialMs: 10, maxMs: 50, jitter: 0 } }),
      broker: { ...world.source, embedded: false },
    };
    await world.client.admin.create([{ name: world.topic(), partitions: 1 }]);
    const first = world.unprepared(options);
    await (await NumberJob.performLater(0)).delivered();
    await first.start();
    const refusals = first.events("error.occurred");
    await until(() => refusals.some(({ where }) => where === "dead letter"), () => "a refused dead letter");
    await first.close();
    assertEquals((await world.committed()).offset, 0);

    await world.client.admin.create([{ name: world.topic("dead"), partitions: 1 }]);
    const second = world.unprepared(options);
    await second.start();
    await second.untilEvents("record.dead_lettered", 1);
    await world.untilCommitted(1);
    assertEquals(NumberJob.runs, [0, 0]);
    assertEquals(await deadOffsets(world), [["0", "2"]]);
  },
);

behaviour(
  "D7: a record that can never be performed (poison) is dead-lettered without a run, and the next job is performed",
  async (world) => {
    NumberJob.begin(() => false);
    const process = await world.process(withDeadLetters({ maxRetries: 5 }));
    const poison = [
      new Uint8Array([0xff, 0xfe, 0x00, 0x80]),
      "not JSON",
      "{}",
      '{"job_class":"not a class name","arguments":[]}',
      '{"job_class":"NumberJob"}',
    ];
    for (const [n, value] of poison.entries()) {
      await world.append([{ key: `key ${n}`, value }, { value: `{"job_class":"NumberJob","arguments":[${n}]}` }]);
    }
    await process.start();
    await process.untilEvents("job.performed", poison.length);
    await world.untilCommitted(2 * poison.length);
    await process.stop();
    assertEquals(NumberJob.runs, [0, 1, 2, 3, 4]);
    assertEquals(process.events("partition.paused"), []);
    const dead = await world.records("dead");
    const source = await world.records();
    assertEquals(
      dead.map(({ key, value }) => [key, value]),
      poison.map((_, n) => [source[2 * n]!.key, source[2 * n]!.value]),
    );
    for (const { headers } of dead) {
      const { "dead-letter-attempts": attempts, "dead-letter-error-class": errorClass } = headersAsStrings(headers);
      assertEquals([attempts, errorClass], ["0", "PoisonError"]);
    }
  },
);
