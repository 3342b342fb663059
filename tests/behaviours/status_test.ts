/** The status of an App's topics: each state, with a live worker and without, and what else an operator sees. */
import { assertEquals, assertMatch } from "@std/assert";
import { activeJobTopic, type AppStatus, Job, type KafkaOptions, type TopicStatus } from "../../mod.ts";
import { parsePosition } from "../../src/support/position.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";
import { type AppProcess, until, type World } from "../support/behaviours/world.ts";
import { scheduledQueue } from "../support/behaviours/delayed.ts";
import { ManualClock } from "../support/manual_clock.ts";

const MINUTE_MS = 60_000;

/** Fails, or waits until the test lets it go. */
class MailJob extends Job {
  static override kafkaOptions: KafkaOptions = { dispatchMethod: "produceSync" };
  static fails = false;
  static released = Promise.withResolvers<void>();
  static isWaiting = false;
  async perform(_to: string): Promise<void> {
    if (MailJob.fails) throw new RangeError("no such address");
    if (MailJob.isWaiting) await MailJob.released.promise;
  }
}

/** Makes a process by a clock that the test moves. */
async function shop(world: World, topic: Parameters<typeof activeJobTopic>[1] = {}) {
  MailJob.fails = MailJob.isWaiting = false;
  MailJob.released = Promise.withResolvers();
  const clock = new ManualClock();
  const process = await world.process({
    jobs: [MailJob],
    clock,
    backoff: { initialMs: MINUTE_MS, maxMs: MINUTE_MS, jitter: 0 },
    scheduledTopic: { partitions: 1 },
    topics: [activeJobTopic("default", { partitions: 1, ...topic })],
  });
  return { process, clock };
}

/** Waits until the only topic is in a state. */
async function untilState(process: AppProcess, state: TopicStatus["state"]): Promise<TopicStatus> {
  let last: AppStatus | undefined;
  await until(
    async () => (last = await process.app.status()).state === state,
    () => `the state "${state}", but it was ${JSON.stringify(last)}`,
  );
  return last!.topics[0]!;
}

behaviour("status 1: with a live worker and nothing that waits a topic is ok, and has its owner", async (world) => {
  const { process } = await shop(world);
  await MailJob.performLater("ada");
  await process.start();
  await process.untilEvents("job.performed", 1);
  await world.untilCommitted(1);
  await until(
    async () => (await process.app.status()).topics[0]!.partitions[0]!.owner !== null,
    () => "the partition to be owned",
  );
  const status = await process.app.status();
  const [topic] = status.topics;
  assertEquals([status.name, status.state, status.topics.length, status.notes], [world.group, "ok", 1, []]);
  assertEquals(
    [topic!.queue, topic!.topic, topic!.state, topic!.reason, topic!.lag, topic!.oldestWaitingMs, topic!.workers],
    ["default", world.topic(), "ok", "nothing waits", 0, null, 1],
  );
  const { owner, ...partition } = topic!.partitions[0]!;
  assertEquals(partition, {
    partition: 0,
    state: "ok",
    reason: "nothing waits",
    committed: 1,
    low: 0,
    high: 1,
    lag: 0,
    oldestWaitingMs: null,
    stuck: [],
  });
  assertEquals(typeof owner, "string");
});

behaviour("status 2: jobs wait and no worker lives: the state says so, and no group is made", async (world) => {
  const { process, clock } = await shop(world);
  for (const to of ["ada", "bob"]) await MailJob.performLater(to);
  clock.advance(10 * MINUTE_MS);
  const { state, topics: [topic] } = await process.app.status();
  assertEquals([state, topic!.state, topic!.lag, topic!.workers], ["no worker", "no worker", 2, 0]);
  assertMatch(topic!.reason, /^2 records wait, the oldest for (9|10) min, and no worker reads the topic$/);
  assertEquals((await world.client.admin.groups([world.topic()])).get(world.topic()), []);
});

behaviour(
  "status 3: a stuck partition names the command that skips the record, also without a worker",
  async (world) => {
    const { process } = await shop(world, { backoff: { initialMs: 2, maxMs: 2 } });
    MailJob.fails = true;
    for (const to of ["ada", "bob"]) await MailJob.performLater(to);
    await process.start();
    const live = await untilState(process, "stuck");
    await process.stop();
    const dead = (await process.app.status({ command: "jobs skip" })).topics[0]!;
    const position = `${world.topic()}/0@0`;
    assertEquals(
      live.reason,
      `offset 0 fails until an operator helps; to skip it: deno run -A jsr:@activejob/kafka/cli skip --app app.ts ${position}`,
    );
    assertEquals(dead.reason, `offset 0 fails until an operator helps; to skip it: jobs skip ${position}`);
    assertEquals([dead.state, dead.partitions[0]!.stuck, dead.lag], ["stuck", [0], 2]);
    await process.app.skip(parsePosition(dead.reason.split(" ").at(-1)!)!);
    assertEquals((await process.app.status()).topics[0]!.partitions[0]!.stuck, []);
  },
);

behaviour("status 4: a job that has failed and will be tried again is retrying", async (world) => {
  const { process } = await shop(world, { deadLetterQueue: { topic: "dead", maxRetries: 3 } });
  MailJob.fails = true;
  await MailJob.performLater("ada");
  await process.start();
  await process.untilEvents("job.failed", 1);
  const { reason, lag } = await untilState(process, "retrying");
  assertEquals([reason, lag], ["offset 0 has failed 1 time and is tried again", 1]);
});

behaviour(
  "status 5: a record that waits for more than a minute makes its topic behind, and then stalled",
  async (world) => {
    const { process, clock } = await shop(world);
    MailJob.isWaiting = true;
    for (const to of ["ada", "bob"]) await MailJob.performLater(to);
    await process.start();
    await process.untilEvents("job.performing", 1);
    assertEquals((await process.app.status()).state, "ok");
    clock.advance(2.5 * MINUTE_MS);
    const behind = (await process.app.status()).topics[0]!;
    assertMatch(`${behind.state}: ${behind.reason}`, /^behind: 2 records wait, the oldest for 2 min$/);
    clock.advance(3 * MINUTE_MS);
    const stalled = (await process.app.status()).topics[0]!;
    assertMatch(
      `${stalled.state}: ${stalled.reason}`,
      /^stalled: 2 records wait, the oldest for 5 min, and the committed offset has not moved for 5 min$/,
    );
    MailJob.released.resolve();
    await world.untilCommitted(2);
    assertEquals((await process.app.status()).state, "ok");
  },
);

behaviour("status 6: a topic that does not exist is unknown, with the remedy, and hides no other", {
  on: ["kafka"],
  because: "embedded brokers create it",
}, async (world) => {
  const process = world.unprepared({
    jobs: [MailJob],
    topics: ["default", "other"].map((name) => activeJobTopic(name, { deadLetterQueue: { topic: "dead" } })),
  });
  await world.client.admin.create([{ name: world.topic(), partitions: 2 }]);
  const { state, topics: [missing, there], notes } = await process.app.status();
  assertEquals([state, missing!.queue, missing!.lag, there!.state, there!.lag], ["unknown", "other", null, "ok", 0]);
  assertEquals(missing!.reason, 'it does not exist: create it with "topics apply"');
  const dead = world.topic("dead");
  assertEquals(there!.deadLetters, { topic: dead, total: null, unhandled: null });
  assertEquals(notes.filter((note) => note.includes("dead letters")), [
    `The dead letters of ${dead} are not known: it does not exist: create it with "topics apply".`,
  ]);
});

behaviour(
  "status 7: dead letters are counted, and those that were requeued or dismissed are not unhandled",
  async (world) => {
    const { process } = await shop(world, { deadLetterQueue: { topic: "dead", maxRetries: 0 } });
    const counts = async () => (await process.app.status()).topics[0]!.deadLetters;
    const topic = world.topic("dead");
    assertEquals(await counts(), { topic, total: 0, unhandled: 0 });
    MailJob.fails = true;
    for (const to of ["ada", "bob", "eve"]) await MailJob.performLater(to);
    await process.drain();
    assertEquals(await counts(), { topic, total: 3, unhandled: 3 });
    const letters = process.app.deadLetters();
    const [first, second] = await letters.list();
    await letters.dismiss({ at: first! });
    await letters.requeue({ at: second! });
    await letters.requeue({ at: second! }, { force: true });
    assertEquals(await counts(), { topic, total: 3, unhandled: 1 });
  },
);

behaviour(
  "status 8: delayed jobs are counted where they go, and overdue ones without a worker are reported",
  async (world) => {
    const { process, clock } = await shop(world);
    const delayed = async () => {
      const { topics: [topic], isDelayedComplete } = await process.app.status();
      return [topic!.state, topic!.delayed, isDelayedComplete];
    };
    assertEquals(await delayed(), ["ok", 0, true]);
    const jobs = [];
    for (const minutes of [10, 20, 30]) jobs.push(await MailJob.set({ wait: { minutes } }).performLater("ada"));
    assertEquals(await delayed(), ["ok", 3, true]);
    await process.app.cancelScheduled(jobs[2]!.jobId);
    assertEquals(await delayed(), ["ok", 2, true]);
    clock.advance(12 * MINUTE_MS);
    const { topics: [overdue] } = await process.app.status();
    assertEquals(
      `${overdue!.state}: ${overdue!.reason}`,
      "no worker: 1 delayed job is overdue by up to 2 min, and no worker releases delayed jobs",
    );
    await process.start();
    await process.untilEvents("job.performed", 1);
    await until(async () => (await delayed()).join() === "ok,1,true", () => "one delayed job to be left");
    assertEquals((await world.records(scheduledQueue(world))).length > 0, true);
  },
);

behaviour("status 9: a paused topic says by whom and why, and one partition of it alone", async (world) => {
  MailJob.fails = MailJob.isWaiting = false;
  const process = await world.process({
    jobs: [MailJob],
    control: true,
    topics: [activeJobTopic("default", { partitions: 2 })],
  });
  const { app } = process;
  await process.start();
  const shown = async () => {
    const { topics: [topic] } = await app.status();
    return [topic!.pausedBy?.by ?? null, ...topic!.partitions.map(({ state }) => state)];
  };
  await app.pause("default", { by: "ada", why: "the mail server is down" });
  assertEquals(await shown(), ["ada", "paused", "paused"]);
  assertMatch((await app.status()).topics[0]!.reason, /paused by ada: the mail server is down/);
  await app.resume("default");
  await app.pause("default", { partition: 0, by: "bob" });
  assertEquals((await shown()).slice(0, 2), [null, "paused"]);
  assertEquals((await app.status()).topics[0]!.pausedBy, null);
});
