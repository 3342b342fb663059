/** Declared topics: they are checked at once and frozen; options that they leave out come from the App. */
import { activeJobTopic, type JobOptions, type TopicOptions } from "@activejob/kafka";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { InvalidConfigurationError } from "../../src/errors.ts";
import { Routes } from "../../src/routing/route.ts";

Deno.test("activeJobTopic() refuses each wrong option and names it", () => {
  const cases: [unknown, string][] = [
    [{ maxMesages: 1 }, 'Unknown option "maxMesages" of activeJobTopic("default"); did you mean "maxMessages"?'],
    [{ name: "x" }, 'Unknown option "name"'],
    [{ maxMessages: 0 }, 'Option "maxMessages" of activeJobTopic("default") must be an integer from 1 up, but it is 0'],
    [{ partitions: 0 }, 'Option "partitions"'],
    [{ replicationFactor: 1.5 }, 'Option "replicationFactor"'],
    [{ compression: "lz4" }, 'Option "compression"'],
    [{ retentionMs: 0 }, 'Option "retentionMs" of activeJobTopic("default") must be milliseconds, or -1 for ever'],
    [{ retentionMs: -2 }, 'Option "retentionMs"'],
    [{ config: { "retention.ms": 5 } }, 'Option "config"'],
    [{ config: null }, 'Option "config"'],
    [{ group: "" }, 'Option "group"'],
    [{ ordering: "job" }, 'Option "ordering" of activeJobTopic("default") must be one of "partition", "key", "none"'],
    [{ maxConcurrency: 0 }, 'Option "maxConcurrency"'],
    [{ timeoutMs: 0 }, 'Option "timeoutMs" of activeJobTopic("default") must be more than 0 milliseconds'],
    [{ timeoutMs: 2 ** 31 }, 'Option "timeoutMs"'],
    [{ expiresAfterMs: -1 }, 'Option "expiresAfterMs"'],
    [{ timeoutGraceMs: -1 }, 'Option "timeoutGraceMs"'],
    [{ maxPayloadBytes: 0 }, 'Option "maxPayloadBytes"'],
    [{ unknownJobs: { retryFor: 1 } }, 'Unknown option "retryFor" of unknownJobs; did you mean "retryForMs"?'],
    [{ backoff: { initialMs: -1 } }, 'Option "initialMs" of backoff'],
    [{ backoff: { jitter: 2 } }, 'Option "jitter" of backoff must be a number from 0 to 1, but it is 2'],
    [{ backoff: 5 }, "The options of backoff must be an object, but they are 5"],
    [{ deadLetterQueue: {} }, 'must be an object with a "topic"'],
    [{ deadLetterQueue: { topic: undefined } }, 'must be an object with a "topic"'],
    [{ deadLetterQueue: "dead" }, 'The options of deadLetterQueue must be an object, but they are "dead"'],
    [{ deadLetterQueue: { topic: "a b" } }, 'Option "topic" of deadLetterQueue must be a topic name'],
    [{ deadLetterQueue: { topic: "d", maxRetries: -1 } }, 'Option "maxRetries" of deadLetterQueue'],
    [{ deadLetterQueue: { topic: "d", independent: 1 } }, 'Option "independent" of deadLetterQueue'],
  ];
  for (const [options, message] of cases) {
    assertThrows(() => activeJobTopic("default", options as TopicOptions), InvalidConfigurationError, message);
  }
  for (const name of ["", "..", "a b", "a".repeat(250), 5]) {
    assertThrows(() => activeJobTopic(name as string), InvalidConfigurationError, 'Option "name" of activeJobTopic()');
  }
});

Deno.test("jobs may expire after a time that is longer than any timer", () => {
  assertEquals(activeJobTopic("default", { expiresAfterMs: 30 * 86_400_000 }).expiresAfterMs, 2_592_000_000);
});

Deno.test("activeJobTopic() returns a frozen copy of its options", () => {
  const options = { deadLetterQueue: { topic: "dead", maxRetries: 2 }, backoff: { initialMs: 5 }, config: { a: "b" } };
  const topic = activeJobTopic("default", options);
  options.deadLetterQueue.topic = "other";
  options.backoff.initialMs = -1;
  assertEquals(topic, {
    name: "default",
    deadLetterQueue: { topic: "dead", maxRetries: 2 },
    backoff: { initialMs: 5 },
    config: { a: "b" },
  });
  for (const part of [topic, topic.deadLetterQueue, topic.backoff, topic.config]) assert(Object.isFrozen(part));
});

const naming = { queuePrefix: "shop", queueDelimiter: "." };

function route(options: TopicOptions, defaults: JobOptions = {}) {
  const [route] = new Routes([activeJobTopic("default", options)], defaults, naming, "group").all();
  const { declared: _, ...resolved } = route!;
  return resolved;
}

Deno.test("a route has the options of its topic, else the App's, else the defaults", () => {
  const plain = {
    queue: "default",
    topic: "shop.default",
    group: "group",
    ordering: "partition" as const,
    maxConcurrency: Infinity,
    maxMessages: 100,
    backoff: { initialMs: 1000, maxMs: 30_000, jitter: 0.15 },
    deadLetterQueue: null,
    timeoutMs: null,
    expiresAfterMs: null,
    timeoutGraceMs: 5000,
    maxPayloadBytes: 1_048_576,
    unknownJobsRetryForMs: 300_000,
  };
  assertEquals(route({}), plain);
  const app: JobOptions = {
    maxMessages: 7,
    backoff: { initialMs: 20, maxMs: 500 },
    deadLetterQueue: { topic: "dead" },
    timeoutMs: 50,
    expiresAfterMs: 60,
    unknownJobs: { retryForMs: 9 },
  };
  const fromApp = {
    ...plain,
    maxMessages: 7,
    backoff: { initialMs: 20, maxMs: 500, jitter: 0.15 },
    deadLetterQueue: { topic: "shop.dead", maxRetries: 3, independent: true },
    timeoutMs: 50,
    expiresAfterMs: 60,
    unknownJobsRetryForMs: 9,
  };
  assertEquals(route({}, app), fromApp);
  const own: TopicOptions = {
    group: "other",
    maxMessages: 8,
    backoff: { initialMs: 30, jitter: 0 },
    deadLetterQueue: { topic: "mine", maxRetries: 0, independent: false },
  };
  assertEquals(route(own, app), {
    ...fromApp,
    group: "other",
    maxMessages: 8,
    backoff: { initialMs: 30, maxMs: 500, jitter: 0 },
    deadLetterQueue: { topic: "shop.mine", maxRetries: 0, independent: false },
  });
});

Deno.test("a topic whose keys run side by side looks farther ahead, and cannot count retries for the whole partition", () => {
  for (const ordering of ["key", "none"] as const) {
    const { maxMessages, maxConcurrency, ...rest } = route({ ordering, maxConcurrency: 9 });
    assertEquals([rest.ordering, maxMessages, maxConcurrency], [ordering, 2000, 9]);
    assertEquals(route({ ordering }, { maxMessages: 7 }).maxMessages, 7);
    const deadLetterQueue = { topic: "dead", independent: false };
    for (const [own, app] of [[{ deadLetterQueue }, {}], [{}, { deadLetterQueue }]]) {
      assertThrows(
        () => route({ ordering, ...own }, app),
        InvalidConfigurationError,
        `Topic "default" has ordering "${ordering}": its deadLetterQueue cannot count retries for the whole partition`,
      );
    }
  }
});

Deno.test("an option that is undefined counts as absent", () => {
  const absent = { backoff: { initialMs: undefined, maxMs: 9 }, maxMessages: undefined } as unknown as TopicOptions;
  assertEquals(route(absent).backoff, { initialMs: 1000, maxMs: 9, jitter: 0.15 });
  assertEquals(route(absent, { maxMessages: 5 }).maxMessages, 5);
});

Deno.test("Routes refuses a topic declared twice, and one that is another's dead letter topic", () => {
  const routes = (...topics: Parameters<typeof activeJobTopic>[]) =>
    new Routes(topics.map((topic) => activeJobTopic(...topic)), {}, naming, "group");
  assertThrows(() => routes(["a"], ["b"], ["a"]), InvalidConfigurationError, 'Topic "a" is declared twice');
  for (const topic of ["a", "b"]) {
    assertThrows(
      () => routes(["a", { deadLetterQueue: { topic } }], ["b"]),
      InvalidConfigurationError,
      `Topic "a" cannot have "shop.${topic}" as its dead letter topic: jobs are performed from there`,
    );
  }
});

Deno.test("Routes finds topics by queue and by full name, and lists them in its message", () => {
  const routes = new Routes([activeJobTopic("default"), activeJobTopic("mailers")], {}, naming, "group");
  const topics = (...queues: string[]) => routes.select(queues).map(({ topic }) => topic);
  assertEquals(topics("mailers", "shop.default"), ["shop.mailers", "shop.default"]);
  assertEquals(topics("mailers", "shop.mailers", "mailers"), ["shop.mailers"]);
  assertThrows(
    () => routes.select(["mailer"]),
    InvalidConfigurationError,
    'No topic declares the queue "mailer"; did you mean "mailers"? (declared: "default", "mailers")',
  );
});
