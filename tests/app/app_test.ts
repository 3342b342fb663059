/** Apps open their broker, close, and grow topics together. */
import { activeJobTopic, App, type AppOptions, Job } from "@activejob/kafka";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { AppBroker } from "../../src/app/app_broker.ts";
import { resolveOptions } from "../../src/app/options.ts";
import type { BrokerSource, ConsumeOptions } from "../../src/broker/broker.ts";
import { memory } from "../../src/broker/memory/mod.ts";
import { BrokerError, EnqueueError, InvalidConfigurationError, UnknownTopicError } from "../../src/errors.ts";
import { Monitor } from "../../src/monitor/monitor.ts";
import type { Position } from "../../src/support/position.ts";
import { show } from "../../src/support/validation.ts";

class EchoJob extends Job {
  static override kafkaOptions = { dispatchMethod: "produceSync" } as const;
  perform() {}
}

const options = (broker: string | BrokerSource): AppOptions => ({
  name: "shop",
  broker,
  jobs: [EchoJob],
  topics: [activeJobTopic("default")],
  logger: false,
});

Deno.test("a closed App opens no broker, since no call would close it", async () => {
  const app = new App(options("memory:"));
  await app.close();
  await assertRejects(() => app.worker().run(), BrokerError, 'the App "shop" is closed');
  await assertRejects(() => app.applyTopics(), BrokerError, 'the App "shop" is closed');
});

Deno.test("a broker that is requested while its App closes is not opened, since no call would close it", async () => {
  let opened = 0;
  const source: BrokerSource = { ...memory(), open: (context) => (opened++, memory().open(context)) };
  const broker = new AppBroker({
    name: "shop",
    source,
    monitor: new Monitor(),
    topics: { routes: [], scheduled: { topic: "scheduled" }, control: null, workers: null },
  });
  const closing = broker.close();
  await assertRejects(() => broker.ready(), BrokerError, 'the App "shop" is closed');
  await closing;
  assertEquals([opened, broker.isClosed], [0, true]);
});

Deno.test("a job that runs while its App closes may enqueue", async () => {
  class ParentJob extends Job {
    async perform() {
      began.resolve();
      await closing.promise;
      enqueued.push((await EchoJob.performLater()).status);
    }
  }
  const [began, closing] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const enqueued: string[] = [];
  const app = new App({ ...options("memory:"), jobs: [EchoJob, ParentJob] });
  const run = app.worker().run();
  await ParentJob.performLater();
  await began.promise;
  const closed = app.close();
  closing.resolve();
  await Promise.all([closed, run]);
  assertEquals(enqueued, ["delivered"]);
});

Deno.test("an App whose broker cannot be opened rejects the enqueuing with its error, and closes", async () => {
  const open = () => Promise.reject(new BrokerError("Cannot load the client"));
  const app = new App(options({ name: "broken:", open }));
  await assertRejects(() => EchoJob.performLater(), EnqueueError, "Cannot load the client");
  assertEquals(await app.close(), 0);
});

Deno.test("Apps that give one topic more partitions at the same moment do so together", async () => {
  const broker = "memory:app_test_grows";
  const name = { queuePrefix: crypto.randomUUID().slice(0, 8) };
  await using first = new App({ ...options(broker), ...name });
  await first.applyTopics();
  const grown = { ...options(broker), ...name, topics: [activeJobTopic("default", { partitions: 4 })] };
  const apps = Array.from({ length: 4 }, () => new App(grown));
  const changes = await Promise.all(apps.map((app) => app.applyTopics()));
  const actions = changes.flat().filter(({ topic }) => topic.endsWith("_default")).map(({ action }) => action);
  assertEquals(actions, Array(4).fill("partitions_added"));
  await Promise.all(apps.map((app) => app.close()));
});

Deno.test("the session and its heartbeat reach the broker; the heartbeat suits a short session by default", async () => {
  const requested: ConsumeOptions[] = [];
  const source = memory();
  const spying: BrokerSource = {
    ...source,
    async open(context) {
      const broker = await source.open(context);
      const consume = broker.consume.bind(broker);
      broker.consume = (options, sink) => {
        requested.push(options);
        return consume(options, sink);
      };
      return broker;
    },
  };
  await using app = new App({ ...options(spying), sessionTimeoutMs: 9000, heartbeatIntervalMs: 1000 });
  await app.worker().run(undefined, { once: true });
  assertEquals(
    requested.map(({ sessionTimeoutMs, heartbeatIntervalMs }) => [sessionTimeoutMs, heartbeatIntervalMs]),
    [[9000, 1000], [9000, 1000]],
  );
  const defaults = [15_000, 60_000, 6000].map((sessionTimeoutMs) =>
    resolveOptions({ ...options("memory:"), sessionTimeoutMs }).heartbeatIntervalMs
  );
  assertEquals(defaults, [3000, 3000, 1200]);
});

Deno.test("skip() and worker() refuse what is not a position or a queue, and say what is needed", async () => {
  await using app = new App(options("memory:"));
  const position = { topic: "default", partition: 0, offset: 0 };
  const wrong = ["default/0@0", null, undefined, {}, { topic: "default" }, { ...position, partition: "0" }, {
    ...position,
    offset: NaN,
  }, { ...position, partition: -1 }] as unknown as Position[];
  for (const value of wrong) {
    const message =
      `app.skip() needs a position such as { topic: "orders", partition: 3, offset: 42 }, but it is given ${
        show(value)
      }`;
    await assertRejects(() => app.skip(value), InvalidConfigurationError, message);
  }
  await assertRejects(
    () => app.skip(position, { forec: true } as object),
    InvalidConfigurationError,
    'Unknown option "forec" of app.skip(); did you mean "force"?',
  );
  for (const topics of [[null], [undefined], [5], [""]] as unknown as string[][]) {
    assertThrows(() => app.worker({ topics }), InvalidConfigurationError, 'Option "topics" of app.worker() must be');
  }
});

Deno.test("a worker names all topics that do not exist, and how to create them", async () => {
  const embedded = memory();
  const source: BrokerSource = { name: "bare:", open: (context) => embedded.open(context) };
  const start = async (...names: string[]) => {
    await using app = new App({ ...options(source), topics: names.map((name) => activeJobTopic(name)) });
    await app.worker().run(undefined, { once: true });
  };
  await assertRejects(
    () => start("default"),
    UnknownTopicError,
    'The broker has no topic "default": create it with "topics apply", or start the worker with --create-topics',
  );
  await assertRejects(
    () => start("default", "mail"),
    UnknownTopicError,
    'The broker has no topics "default", "mail": create them with "topics apply", or start',
  );
});

Deno.test("an App tries again to open its broker, and to create the topics of an embedded one, after each failure", async () => {
  const embedded = memory();
  const failures = ["open", "create topics"];
  const source: BrokerSource = {
    ...embedded,
    async open(context) {
      if (failures[0] === "open") throw new BrokerError(`Cannot ${failures.shift()}`);
      const broker = await embedded.open(context);
      const describe = broker.admin.describe.bind(broker.admin);
      broker.admin.describe = (topics) => {
        if (failures.length > 0) return Promise.reject(new BrokerError(`Cannot ${failures.shift()}`));
        return describe(topics);
      };
      return broker;
    },
  };
  await using _ = new App(options(source));
  await assertRejects(() => EchoJob.performLater(), EnqueueError, "Cannot open");
  await assertRejects(() => EchoJob.performLater(), EnqueueError, "Cannot create topics");
  assertEquals((await EchoJob.performLater()).status, "delivered");
});
