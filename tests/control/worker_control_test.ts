/** The control of a worker: it knows the orders before it starts, follows them, and goes on if it cannot read them. */
import { assertEquals, assertRejects } from "@std/assert";
import {
  activeJobTopic,
  App,
  type AppOptions,
  InvalidConfigurationError,
  Job,
  UnknownTopicError,
} from "@activejob/kafka";
import type { Broker } from "../../src/broker/broker.ts";
import { FollowedControl } from "../../src/control/worker_control.ts";
import { Monitor } from "../../src/monitor/monitor.ts";
import { FaultInjectionLog } from "../support/fault_injection_log.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { until } from "../support/until.ts";

const TOPIC = "shop_control";

/** An App that writes orders, and the control of a worker that reads them through `read`. */
async function setUp() {
  const log = new FaultInjectionLog();
  const clock = new ManualClock();
  const app = new App({
    name: "shop",
    broker: log.source,
    jobs: [],
    topics: [activeJobTopic("mail", { partitions: 3 }), activeJobTopic("other")],
    control: true,
    clock,
    logger: false,
  } as AppOptions);
  await app.applyTopics();
  const client = await log.source.open({ clientId: "test", monitor: new Monitor() });
  const monitor = new Monitor();
  const events: unknown[] = [];
  monitor.on("topic.paused", ({ topic, partition, by }) => void events.push(["paused", topic, partition, by]));
  monitor.on("topic.resumed", ({ topic, partition, by }) => void events.push(["resumed", topic, partition, by]));
  monitor.on("error.occurred", ({ where, error }) => void events.push([where, error.errorClass]));
  const faults: { read: Broker["admin"]["read"] } = { read: (...args) => client.admin.read(...args) };
  let reads = 0;
  const admin = {
    read: (...args: Parameters<Broker["admin"]["read"]>) => {
      reads++;
      return faults.read(...args);
    },
  };
  const start = () =>
    FollowedControl.start({
      admin,
      topic: TOPIC,
      topics: ["mail"],
      monitor,
      nowMs: () => clock.nowMs(),
      intervalMs: 1,
    });
  return {
    app,
    client,
    clock,
    events,
    faults,
    start,
    /** Waits until the topic was read twice more: what was written before is known. */
    async untilRead() {
      const wanted = reads + 2;
      await until(() => reads >= wanted, () => "further readings");
    },
    async [Symbol.asyncDispose]() {
      await app.close();
      await client[Symbol.asyncDispose]();
    },
  };
}

/** Lets the control read a topic that was made again, with one order in it: ada's pause of a partition. */
async function makeAgain(
  { client, faults }: Pick<Awaited<ReturnType<typeof setUp>>, "client" | "faults">,
): Promise<void> {
  const pausedByAda = { by: "ada", at: new Date().toISOString(), why: null };
  await client.admin.create([{ name: "new_control" }]);
  await client.append("new_control", [{ key: "pause/mail/1", value: JSON.stringify(pausedByAda) }]);
  faults.read = (_topic, ...rest) => client.admin.read("new_control", ...rest);
}

Deno.test("the orders that hold are known once it has started; events tell of the worker's topics only, once", async () => {
  await using test = await setUp();
  const { app, events } = test;
  await app.pause("mail", { partition: 1, by: "ada" });
  await app.pause("mail", { partition: 1, by: "grace" });
  await app.pause("other");
  const control = await test.start();
  assertEquals(events, [["paused", "mail", 1, "grace"]]);
  assertEquals([0, 1].map((partition) => control.pauseOf("mail", partition)?.by), [undefined, "grace"]);
  let changes = 0;
  const unsubscribe = control.subscribe(() => changes++);
  await app.resume("mail", { by: "ada" });
  await until(() => events.length === 2, () => JSON.stringify(events));
  assertEquals([events[1], changes, control.pauseOf("mail", 1)], [["resumed", "mail", 1, "ada"], 1, null]);
  unsubscribe();
  await app.cancel("job 1");
  await until(() => control.hasCancellations, () => "the cancellation");
  assertEquals([control.cancellationOf("job 1")?.by, control.cancellationOf("job 2"), changes], ["shop", null, 1]);
  control.close();
});

Deno.test("if the topic cannot be read, the last known orders hold, and an event says so once for each outage", async () => {
  await using test = await setUp();
  const { app, events, faults } = test;
  await app.pause("mail", { by: "ada" });
  const control = await test.start();
  const { read } = faults;
  for (const outage of [1, 2]) {
    faults.read = () => Promise.reject(new TypeError("gone"));
    await test.untilRead();
    await test.untilRead();
    assertEquals(events.filter((event) => (event as unknown[])[0] === "control").length, outage);
    assertEquals(control.pauseOf("mail", 0)?.by, "ada");
    faults.read = read;
    await test.untilRead();
  }
  await app.resume("mail");
  await until(() => control.pauseOf("mail", 0) === null, () => "the topic to be resumed");
  control.close();
});

Deno.test("a topic that was made again is read from its start", async () => {
  await using test = await setUp();
  const { app } = test;
  for (const partition of [0, 1, 2]) await app.pause("mail", { partition });
  const control = await test.start();
  assertEquals(control.pauseOf("mail", 2)?.by, "shop");
  await makeAgain(test);
  await until(() => control.pauseOf("mail", 2) === null, () => "the orders of the new topic");
  assertEquals(control.pauseOf("mail", 1)?.by, "ada");
  control.close();
});

Deno.test("a topic that was missing and has as many records again is read from its start; its orders hold until then", async () => {
  await using test = await setUp();
  const { app, client, faults } = test;
  await app.pause("mail", { partition: 2 });
  const control = await test.start();
  faults.read = (_topic, ...rest) => client.admin.read("missing", ...rest);
  await test.untilRead();
  assertEquals(control.pauseOf("mail", 2)?.by, "shop");
  await makeAgain(test);
  await until(() => control.pauseOf("mail", 2) === null, () => "the orders of the new topic");
  assertEquals(control.pauseOf("mail", 1)?.by, "ada");
  const froms: number[] = [];
  const { read } = faults;
  faults.read = (topic, partition, options) => {
    froms.push(options.from);
    return read(topic, partition, options);
  };
  await until(() => froms.length >= 2, () => "two more readings");
  assertEquals(froms.slice(0, 2), [1, 1]);
  control.close();
});

Deno.test("after a standstill of ten minutes the topic is read from its start: a tombstone that was compacted away counts", async () => {
  await using test = await setUp();
  const { app, clock, events, faults } = test;
  await app.pause("mail", { by: "ada" });
  await app.pause("mail", { partition: 2, by: "grace" });
  await app.cancel("job 1");
  const control = await test.start();
  const { read } = faults;
  for (const [standstillMs, isUndone] of [[10 * 60_000, false], [10 * 60_000 + 1, true]] as const) {
    // The topic cannot be read; meanwhile all orders but one are ended, and compaction removes them and their tombstones.
    faults.read = () => Promise.reject(new TypeError("gone"));
    await test.untilRead();
    clock.advance(standstillMs);
    faults.read = async (...args) => {
      const page = await read(...args);
      return { ...page, records: page.records.filter(({ key }) => String(key) === "pause/mail/2") };
    };
    await test.untilRead();
    const isPaused = control.pauseOf("mail", 0) !== null;
    assertEquals(control.pauseOf("mail", 2)?.by, isUndone ? "grace" : "ada");
    assertEquals([isPaused, control.hasCancellations], [!isUndone, !isUndone], `${standstillMs}`);
  }
  assertEquals(events.at(-1), ["resumed", "mail", null, null]);
  control.close();
});

Deno.test("a forged pause of a partition that does not exist can be resumed; of names that no topic has, none is known", async () => {
  await using test = await setUp();
  const { app, client, events } = test;
  const forged = { by: "mallory", at: new Date().toISOString(), why: null };
  const keys = ["mail/99", "mail/-1", "mail/1e3", "__proto__", "constructor/0", "../mail", "mail/99/99", "MAIL"];
  for (const key of keys) await client.append(TOPIC, [{ key: `pause/${key}`, value: JSON.stringify(forged) }]);
  const control = await test.start();
  assertEquals(events, [["paused", "mail", 99, "mallory"]]);
  assertEquals([0, 1, 2].map((partition) => control.pauseOf("mail", partition)), [null, null, null]);
  assertEquals((await app.resume("mail", { partition: 99 })).length, 1);
  assertEquals(await app.paused(), []);
  control.close();
});

Deno.test("an order of an operator whose clock is behind counts over the order before it", async () => {
  await using test = await setUp();
  const { app, clock } = test;
  await app.pause("mail", { why: "first" });
  await app.cancel("1", { forMs: 1000 });
  const control = await test.start();
  clock.advance(-3_600_000);
  await app.pause("mail", { why: "second" });
  await app.cancel("1");
  await test.untilRead();
  clock.advance(7_200_000);
  assertEquals([control.pauseOf("mail", 0)?.why, control.cancellationOf("1")?.by], ["second", "shop"]);
  control.close();
});

Deno.test("a cancellation that a clock has let expire too early holds again once the clock is right", async () => {
  await using test = await setUp();
  const { app, clock } = test;
  await app.cancel("1", { forMs: 3_600_000 });
  const control = await test.start();
  for (const [ms, isCancelled] of [[7_200_000, false], [-7_200_000, true]] as const) {
    clock.advance(ms);
    await test.untilRead();
    assertEquals(control.cancellationOf("1") !== null, isCancelled, `${ms}`);
  }
  control.close();
});

Deno.test("an App without control refuses orders, and says how to turn it on; without its topic as well", async () => {
  class MailJob extends Job {
    perform() {}
  }
  const options = { name: "shop", jobs: [MailJob], topics: [activeJobTopic("mail")], logger: false } as const;
  await using off = new App({ ...options, broker: "kafka://localhost:1" });
  for (const call of [() => off.pause("mail"), () => off.resume("mail"), () => off.paused(), () => off.cancel("1")]) {
    await assertRejects(call, InvalidConfigurationError, 'set "control: true" in new App()');
  }
  const { broker } = { broker: new FaultInjectionLog().source };
  await using on = new App({ ...options, broker: { ...broker, embedded: false }, control: true });
  await assertRejects(() => on.pause("mail"), UnknownTopicError, 'create it with "topics apply"');
});

Deno.test("an order with a wrong option, an unknown queue or an unknown partition is refused", async () => {
  await using test = await setUp();
  const { app } = test;
  const wrong: [() => Promise<unknown>, string][] = [
    [() => app.pause("mial"), 'did you mean "mail"?'],
    [() => app.pause("mail", { partition: 3 }), "the last one is 2"],
    [() => app.pause("mail", { partition: -1 }), "partition"],
    [() => app.pause("mail", { by: "" }), '"by"'],
    [() => app.pause("mail", { why: "x".repeat(1001) }), '"why"'],
    [() => app.cancel(""), "job id"],
    [() => app.cancel("1", { forMs: 0 }), '"forMs"'],
    [() => app.cancel("1", { forMs: 401 * 86_400_000 }), '"forMs"'],
  ];
  for (const [call, message] of wrong) await assertRejects(call, InvalidConfigurationError, message);
  assertEquals([await app.paused(), await app.resume("mail")], [[], []]);
});

Deno.test("a cancellation removes those from the topic that have expired a day ago", async () => {
  await using test = await setUp();
  const { app, client, clock } = test;
  await app.cancel("1", { forMs: 1 });
  await until(async () => {
    clock.advance(86_400_000);
    await app.cancel("2");
    const { records } = await client.admin.read(TOPIC, 0, { from: 0, maxBytes: 1 << 20 });
    return records.some(({ key, value }) => String(key) === "cancel/1" && value === null);
  }, () => "the tombstone of job 1");
});
