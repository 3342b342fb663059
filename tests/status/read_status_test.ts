/** The bounds of a status: it ends whatever the broker does, and reads no more than it may. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { activeJobTopic, App, type AppOptions, InvalidConfigurationError, Job, performAllLater } from "../../mod.ts";
import { MAX_DELAYED_RECORDS } from "../../src/status/delayed_counts.ts";
import { ManualClock } from "../support/manual_clock.ts";

class MailJob extends Job {
  perform(_n: number) {}
}
const OPTIONS = {
  name: "shop",
  jobs: [MailJob],
  topics: [activeJobTopic("default"), activeJobTopic("mail", { deadLetterQueue: { topic: "dead" } })],
  logger: false,
} as const;

Deno.test("a status of some topics has only these, by the name of the queue or of the topic", async () => {
  await using app = new App({ ...OPTIONS, broker: "memory:", queuePrefix: "eu" });
  const named = async (topics: string[]) => (await app.status({ topics })).topics.map(({ topic }) => topic).sort();
  assertEquals(await named(["mail"]), ["eu_mail"]);
  assertEquals(await named(["eu_mail", "default", "mail"]), ["eu_default", "eu_mail"]);
  assertEquals(await named([]), []);
  await assertRejects(() => named(["mial"]), InvalidConfigurationError, 'did you mean "mail"?');
  await assertRejects(() => app.status({ topics: "mail" as never }), InvalidConfigurationError, "an array of queues");
});

Deno.test("a broker that accepts connections and never responds makes every topic unknown, in the time that is given", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const connection of listener) connections.push(connection);
  })();
  const app = new App({ ...OPTIONS, broker: `kafka://127.0.0.1:${listener.addr.port}` });
  const startMs = performance.now();
  const status = await app.status({ timeoutMs: 300 });
  assert(performance.now() - startMs < 5000, "Expected the limit of the status, not that of a request");
  assertEquals(status.topics.map(({ state, reason }) => [state, reason]), [
    ["unknown", "the broker did not respond within 300 ms"],
    ["unknown", "the broker did not respond within 300 ms"],
  ]);
  const { deadLetters, workers, lag, running } = status.topics.find(({ queue }) => queue === "mail")!;
  assertEquals([deadLetters, workers, lag, running], [
    { topic: "dead", total: null, unhandled: null },
    null,
    null,
    null,
  ]);
  assertEquals(status.isDelayedComplete, false);
  assertMatch(status.notes.join("\n"), /Delayed jobs could not be counted: the broker did not respond/);
  await app.close(0);
  listener.close();
  await accepting;
  for (const connection of connections) connection.close();
});

Deno.test("a status of many delayed jobs reads a part of them, says so, and calls none of them overdue", async () => {
  const clock = new ManualClock();
  await using app = new App({ ...OPTIONS, clock, broker: "memory:", scheduledTopic: { partitions: 1 } });
  const count = 2 * MAX_DELAYED_RECORDS;
  await performAllLater(Array.from({ length: count }, (_, n) => MailJob.set({ wait: { hours: 1 } }).of(n)));
  await app.flush();
  const { topics, isDelayedComplete } = await app.status();
  const { delayed } = topics.find(({ queue }) => queue === "default")!;
  assertEquals(isDelayedComplete, false);
  assert(delayed >= MAX_DELAYED_RECORDS && delayed < count, String(delayed));
  // Each may have been released: the tombstones may lie behind the part that is read.
  clock.advance(2 * 3_600_000);
  const later = await app.status();
  assertEquals(later.isDelayedComplete, false);
  assertEquals(later.topics.map(({ state, reason }) => `${state}: ${reason}`), [
    "ok: nothing waits",
    "ok: nothing waits",
  ]);
});

/** Calls a function while a job of `default` runs. @returns its result */
async function whileJobRuns<T>(
  options: Partial<AppOptions>,
  look: (app: App, clock: ManualClock) => Promise<T>,
): Promise<T> {
  const clock = new ManualClock();
  const [started, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  class HeldJob extends Job {
    async perform() {
      started.resolve();
      await released.promise;
    }
  }
  await using app = new App({ ...OPTIONS, ...options, clock, broker: "memory:", jobs: [HeldJob] });
  const worker = app.worker();
  await HeldJob.performLater();
  const run = worker.run();
  await started.promise;
  const seen = await look(app, clock);
  released.resolve();
  await worker.stop();
  await run;
  return seen;
}

Deno.test("a topic with a rate limit is stalled after twice the time of the limit", async () => {
  const topics = [activeJobTopic("default", { rateLimit: { jobs: 1, perMs: 600_000 } })];
  const states = await whileJobRuns({ topics }, async (app, clock) => {
    const states = [];
    for (let look = 0; look < 3; look++) {
      states.push((await app.status()).state);
      clock.advance(11 * 60_000);
    }
    return states;
  });
  assertEquals(states, ["ok", "behind", "stalled"]);
});

Deno.test("the time of a pause does not count for a stalled topic", async () => {
  const options = { topics: [activeJobTopic("default")], reports: false };
  const states = await whileJobRuns(options, async (app, clock) => {
    const look = async (minutes: number) => {
      clock.advance(minutes * 60_000);
      return (await app.status()).state;
    };
    const states = [await look(0)];
    await app.pause("default");
    states.push(await look(11));
    await app.resume("default");
    return [...states, await look(1), await look(5)];
  });
  assertEquals(states, ["ok", "paused", "behind", "stalled"]);
});

Deno.test("reports that do not come until the deadline hold up nothing else: not the ages, the delayed jobs, the dead letters", async () => {
  await using app = new App({ ...OPTIONS, broker: "memory:" });
  await MailJob.set({ queue: "mail" }).performLater(1);
  await MailJob.set({ queue: "mail", wait: { hours: 1 } }).performLater(2);
  await app.flush();
  const { topics: [mail], notes } = await app.status({ timeoutMs: 100, workers: new Promise(() => {}) });
  const { queue, lag, oldestWaitingMs, delayed, deadLetters } = mail!;
  assertEquals(typeof oldestWaitingMs, "number");
  assertEquals({ queue, lag, delayed, unhandled: deadLetters?.unhandled }, {
    queue: "mail",
    lag: 1,
    delayed: 1,
    unhandled: 0,
  });
  assertEquals(notes, ["The reports of workers could not be read: the broker did not respond within 100 ms."]);
});

Deno.test("reports that the caller fails to read become a note", async () => {
  await using app = new App({ ...OPTIONS, broker: "memory:" });
  const { state, notes } = await app.status({ workers: Promise.reject(new Error("too slow")) });
  assertEquals([state, notes], ["ok", ["The reports of workers could not be read: too slow."]]);
});

Deno.test("a status with a wrong option is refused", async () => {
  await using app = new App({ ...OPTIONS, broker: "memory:" });
  await assertRejects(() => app.status({ timeoutMs: 0 }), InvalidConfigurationError, "timeoutMs");
  await assertRejects(() => app.status({ command: "" }), InvalidConfigurationError, "command");
  await assertRejects(() => app.status({ workers: [] as never }), InvalidConfigurationError, "a promise");
});
