/** The options of an App: checked as a whole before anything is connected, frozen, and never changed. */
import { activeJobTopic, App, type AppOptions, currentAttributes, Job, performAllLater } from "@activejob/kafka";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { isApp } from "../../src/app/app.ts";
import { InvalidConfigurationError } from "../../src/errors.ts";

class EchoJob extends Job {
  perform() {}
}
class Current extends currentAttributes<{ userId: number }>("userId") {}

const good: AppOptions = {
  name: "shop",
  broker: "memory:",
  jobs: [EchoJob],
  topics: [activeJobTopic("default")],
  logger: false,
};

Deno.test("new App() refuses each wrong option and names it", () => {
  abstract class Parent extends Job {}
  const [anonymous] = [class extends EchoJob {}];
  const two = class Current extends currentAttributes<{ x: number }>("x") {};
  const money = { name: "MoneySerializer", handles: () => false, serialize: () => ({}), deserialize: () => null };
  const cases: [Record<string, unknown>, string][] = [
    [{ concurency: 5 }, 'Unknown option "concurency" of new App(); did you mean "concurrency"?'],
    [{ name: undefined }, 'new App() needs the option "name"'],
    [{ broker: undefined }, 'new App() needs the option "broker", a URL such as "sqlite:jobs.db"'],
    [{ jobs: undefined }, 'new App() needs the option "jobs", an array'],
    [{ topics: undefined }, 'new App() needs the option "topics"'],
    [{ name: "a b" }, 'Option "name" of new App() must be a name of letters'],
    [{ name: "" }, 'Option "name" of new App()'],
    [{ broker: 5 }, 'Option "broker" of new App()'],
    [{ broker: "" }, 'Cannot read "broker"'],
    [{ broker: "redis://x" }, 'Cannot read "broker": it is "redis://x"'],
    [{ jobs: EchoJob }, 'Option "jobs" of new App() must be an array, but it is the class "EchoJob"'],
    [{ jobs: [class Other {}] }, 'the class "Other" in "jobs" is not a job class'],
    [{ jobs: [Job] }, 'the class "Job" in "jobs" has no "perform": list the classes that extend it and have one'],
    [{ jobs: [Parent] }, 'the class "Parent" in "jobs" has no "perform"'],
    [{ jobs: [anonymous] }, 'An anonymous class in "jobs" has no name on the wire: give it a static jobName'],
    [{ topics: ["default"] }, '"default" in "topics" is not a topic: make it with activeJobTopic()'],
    [{ topics: [{ name: "default", maxMesages: 1 }] }, 'Unknown option "maxMesages" of activeJobTopic("default")'],
    [{ topics: [activeJobTopic("a"), activeJobTopic("a")] }, 'Topic "a" is declared twice'],
    [{ currentAttributes: [class X {}] }, 'the class "X" in "currentAttributes" is not a class of current attributes'],
    [{ serializers: [{}] }, 'an object in "serializers" is not a serializer: it needs a name, handles(), serialize()'],
    [{ serializers: [null] }, 'null in "serializers" is not a serializer'],
    [{ serializers: [{ ...money, name: "" }] }, 'in "serializers" is not a serializer'],
    [{ serializers: [money, { ...money }] }, 'Two serializers are called "MoneySerializer"'],
    [{ locateGlobalId: "Person" }, 'Option "locateGlobalId" of new App() must be a function of the GlobalID'],
    [{ currentAttributes: [Current, two] }, 'Two classes of current attributes are called "Current"'],
    [{ queuePrefix: "a b" }, 'Option "queuePrefix" of new App()'],
    [{ queueDelimiter: "/" }, 'Option "queueDelimiter" of new App()'],
    [{ undeclaredQueues: "ignore" }, 'Option "undeclaredQueues" of new App() must be one of "error", "warn"'],
    [{ logger: { level: "loud" } }, 'Option "level" of logger must be one of "debug"'],
    [{ logger: true }, "The options of logger must be an object, but they are true"],
    [{ buffer: { maxRecords: 0 } }, 'Option "maxRecords" of buffer'],
    [{ buffer: { maxWaitMs: -1 } }, 'Option "maxWaitMs" of buffer'],
    [{ concurrency: 0 }, 'Option "concurrency" of new App() must be an integer from 1 up, but it is 0'],
    [{ maxBufferedBytes: 0 }, 'Option "maxBufferedBytes"'],
    [{ maxFetchBytes: "1MB" }, 'Option "maxFetchBytes"'],
    [{ sessionTimeoutMs: 0 }, 'Option "sessionTimeoutMs"'],
    [{ heartbeatIntervalMs: 0 }, 'Option "heartbeatIntervalMs"'],
    [
      { sessionTimeoutMs: 6000, heartbeatIntervalMs: 2001 },
      'Option "heartbeatIntervalMs" of new App() must be at most a third of "sessionTimeoutMs", which is 6000',
    ],
    [{ commitIntervalMs: -1 }, 'Option "commitIntervalMs"'],
    [{ shutdownTimeoutMs: 2 ** 31 }, 'Option "shutdownTimeoutMs"'],
    [{ maxMessages: 0 }, 'Option "maxMessages" of new App()'],
    [{ deadLetterQueue: { topic: "default" } }, 'Topic "default" cannot have "default" as its dead letter topic'],
  ];
  for (const [options, message] of cases) {
    assertThrows(() => new App({ ...good, ...options } as AppOptions), InvalidConfigurationError, message);
  }
  assertThrows(() => EchoJob.set({ queue: "" }), InvalidConfigurationError, 'Option "queue" of set()');
});

Deno.test("new App() accepts an anonymous class with a jobName, and a perform that is a field", async () => {
  const [anonymous] = [
    class extends Job {
      static override jobName = "NamedJob";
      override perform = () => {};
    },
  ];
  await using app = new App({ ...good, jobs: [anonymous!] });
  assertEquals(app.jobNames(), ["NamedJob"]);
});

Deno.test("an App refuses wrong listeners and jobs, and suggests the right ones", async () => {
  await using app = new App(good);
  // A program in JavaScript, or a cast, may pass such values.
  // deno-lint-ignore no-explicit-any
  const loose = app as any;
  const listening: [() => void, string][] = [
    [() => loose.on("job.perfomed", () => {}), 'Unknown event "job.perfomed"; did you mean "job.performed"?'],
    [() => loose.on("toString", () => {}), 'Unknown event "toString"'],
    [() => loose.on(undefined, () => {}), "Unknown event undefined"],
    [() => loose.on("job.performed", 5), 'A listener of "job.performed" must be a function, but it is 5'],
  ];
  for (const [listen, message] of listening) assertThrows(listen, InvalidConfigurationError, message);
  const enqueuing: [() => Promise<unknown>, string][] = [
    [
      () => loose.enqueue(EchoJob, 1),
      'app.enqueue() needs a job, made by EchoJob.of(…), but it is given the class "EchoJob"',
    ],
    [() => loose.enqueue(null), "app.enqueue() needs a job, made by of(…) of its class, but it is given null"],
    [() => loose.enqueueAll([EchoJob.of(), 5]), "app.enqueueAll() needs a job"],
    [() => performAllLater([EchoJob as unknown as Job]), "performAllLater() needs a job, made by EchoJob.of(…)"],
  ];
  for (const [enqueue, message] of enqueuing) await assertRejects(enqueue, InvalidConfigurationError, message);
  assertEquals(app.pending, 0);
});

Deno.test("the options of an App are deeply frozen, and can be used for another App", async () => {
  const given = { ...good, jobs: [EchoJob], topics: [activeJobTopic("default")], backoff: { initialMs: 5 } };
  await using app = new App(given);
  given.jobs.length = 0;
  given.backoff.initialMs = -1;
  for (const part of [app.options, app.options.jobs, app.options.topics, app.options.backoff]) {
    assert(Object.isFrozen(part));
  }
  await using other = new App({ ...app.options, name: "other" });
  assertEquals(other.jobNames(), ["EchoJob"]);
  assertEquals(other.options.backoff, { initialMs: 5 });
});

Deno.test("a worker's settings are checked when it is made", async () => {
  await using app = new App(good);
  const cases: [object, string][] = [
    [{ concurrency: 0 }, 'Option "concurrency" of app.worker()'],
    [{ topics: [] }, 'Option "topics" of app.worker() must be an array of queues that is not empty'],
    [{ topics: ["defualt"] }, 'No topic declares the queue "defualt"; did you mean "default"?'],
    [{ createTopics: 1 }, 'Option "createTopics" of app.worker() must be true or false'],
    [{ topic: ["default"] }, 'did you mean "topics"?'],
  ];
  for (const [settings, message] of cases) {
    assertThrows(() => app.worker(settings), InvalidConfigurationError, message);
  }
});

Deno.test("isApp() checks the brand, so that it accepts an App of another copy of this library", async () => {
  await using app = new App(good);
  const foreign = { [Symbol.for("@activejob/kafka.App")]: true };
  assertEquals([app, foreign, {}, null, "app", undefined].map(isApp), [true, true, false, false, false, false]);
});
