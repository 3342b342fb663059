/** `app.deadLetters()`: selections, pages, and what is left by a call that ends early. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  activeJobTopic,
  App,
  BrokerError,
  type DeadLetterHandling,
  type DeadLetterProgress,
  InvalidConfigurationError,
  Job,
  type Position,
} from "@activejob/kafka";
import type { AppendOutcome, Broker, BrokerSource, NewRecord } from "../../src/broker/broker.ts";
import { LetterHandler } from "../../src/dead_letters/handle.ts";
import { listDeadLetters } from "../../src/dead_letters/list.ts";
import { RecordTooLargeError } from "../../src/errors.ts";
import { Monitor } from "../../src/monitor/monitor.ts";
import { FaultInjectionLog } from "../support/fault_injection_log.ts";

class MailJob extends Job {
  perform(_n: number) {}
}

/** An App over a log of its own, a client of that log, and a way to let appends fail. */
async function shop() {
  const log = new FaultInjectionLog();
  let fault: (topic: string, record: NewRecord) => Error | undefined = () => undefined;
  const source: BrokerSource = {
    name: log.source.name,
    embedded: true,
    open: async (context) => withFaults(await log.source.open(context), (topic, record) => fault(topic, record)),
  };
  const app = new App({
    name: "shop",
    broker: source,
    jobs: [MailJob],
    topics: [
      activeJobTopic("default", { partitions: 2, deadLetterQueue: { topic: "dead" } }),
      activeJobTopic("other", { deadLetterQueue: { topic: "dead_too" } }),
    ],
    logger: false,
  });
  await app.applyTopics();
  const client = await log.source.open({ clientId: "test", monitor: new Monitor() });
  await client.admin.addPartitions("dead", 3);
  return {
    app,
    client,
    failAppends: (fn: typeof fault) => void (fault = fn),
    async [Symbol.asyncDispose]() {
      await app.close();
      await client[Symbol.asyncDispose]();
    },
  };
}

function withFaults(broker: Broker, fault: (topic: string, record: NewRecord) => Error | undefined): Broker {
  return {
    name: broker.name,
    capabilities: broker.capabilities,
    admin: broker.admin,
    connect: (signal) => broker.connect(signal),
    skip: (...args) => broker.skip(...args),
    consume: (...args) => broker.consume(...args),
    append: async (topic, records, options) => {
      const failing = records.map((record) => fault(topic, record));
      const written = (await broker.append(topic, records.filter((_, n) => failing[n] === undefined), options))
        .values();
      return failing.map((error): AppendOutcome =>
        error === undefined ? written.next().value! : { ok: false, error, written: "no" }
      );
    },
    [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
  };
}

const bytes = (value: unknown) => new TextEncoder().encode(String(value));

function letter(
  n: number,
  more: Partial<NewRecord> & { errorClass?: string; jobClass?: string; source?: string } = {},
): NewRecord {
  const { errorClass = "TypeError", jobClass = "MailJob", source = "default", ...rest } = more;
  const fields = { topic: source, partition: 0, offset: n, "error-class": errorClass };
  return {
    value: JSON.stringify({ job_class: jobClass, arguments: [n] }),
    headers: Object.entries(fields).map(([name, value]) => [`dead-letter-${name}`, bytes(value)] as const),
    ...rest,
  };
}

/** Returns the arguments of the records of a topic, in the order of each partition. */
async function numbersIn(client: Broker, topic: string): Promise<number[]> {
  const numbers: number[] = [];
  for (const { partition } of await client.admin.ends(topic)) {
    const { records } = await client.admin.read(topic, partition, { from: 0, maxBytes: 1e8 });
    for (const { value } of records) {
      numbers.push(JSON.parse(typeof value === "string" ? value : new TextDecoder().decode(value!)).arguments[0]);
    }
  }
  return numbers;
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);
const place = ({ topic, partition, offset }: Position) => `${topic}/${partition}@${offset}`;

Deno.test("letters of several partitions are listed newest first, in pages that leave none out", async () => {
  await using test = await shop();
  for (const n of range(0, 700)) await test.client.append("dead", [letter(n, { partition: (n * n) % 3 })]);
  await test.client.append("dead_too", [letter(700)]);
  const letters = test.app.deadLetters();
  const all = await letters.list({ limit: 1000 });
  assertEquals(all.length, 701);
  const times = all.map(({ deadLetteredAt }) => deadLetteredAt!.getTime());
  assertEquals(times, times.toSorted((a, b) => b - a));
  const pages: string[] = [];
  let after: (typeof all)[number] | undefined;
  do {
    const page = await letters.list({ limit: 97, ...(after === undefined ? {} : { after }) });
    pages.push(...page.map(place));
    after = page.at(-1);
  } while (after !== undefined);
  assertEquals(pages, all.map(place));
  assertEquals((await test.app.deadLetters("dead_too").list()).map(place), ["dead_too/0@0"]);
  assertEquals((await letters.list()).length, 50);
});

Deno.test("a partition whose clock went back is listed in the order of its log, and a page of it leaves none out", async () => {
  await using test = await shop();
  await test.client.append("dead", range(0, 5).map((n) => letter(n, { partition: 0 })));
  const letters = test.app.deadLetters("dead");
  const [first] = await letters.list({ limit: 1 });
  const forged = { ...first!, deadLetteredAt: new Date(0) };
  assertEquals((await letters.list({ after: forged })).map(({ offset }) => offset), [3, 2, 1, 0]);
});

Deno.test("letters that were handled are left out if asked, however many they are", async () => {
  await using test = await shop();
  await test.client.append("dead", range(0, 400).map((n) => letter(n, { partition: 0 })));
  const letters = test.app.deadLetters("dead");
  const at = range(0, 400).filter((n) => n > 5 && n !== 300).map((offset) => ({ topic: "dead", partition: 0, offset }));
  assertEquals(await letters.dismiss({ at }), { dismissed: 393, refused: 0 });
  const listed = async (limit: number) => (await letters.list({ unhandled: true, limit })).map(place);
  assertEquals(await listed(3), ["dead/0@300", "dead/0@5", "dead/0@4"]);
  assertEquals((await listed(50)).length, 7);
  assertEquals((await letters.list({ unhandled: false, limit: 1 })).map(place), ["dead/0@399"]);
});

Deno.test("a filter selects by class, error and time", async () => {
  await using test = await shop();
  await test.client.append("dead", [
    letter(1),
    letter(2, { errorClass: "RangeError" }),
    letter(3, { jobClass: "Other" }),
  ]);
  const letters = test.app.deadLetters();
  const count = async (filter: Parameters<typeof letters.list>[0]) => (await letters.list(filter)).length;
  assertEquals(await count({ jobClass: "MailJob" }), 2);
  assertEquals(await count({ jobClass: "MailJob", errorClass: "RangeError" }), 1);
  assertEquals(await count({ jobClass: "mailjob" }), 0);
  assertEquals(await count({ since: { hours: 1 } }), 3);
  assertEquals(await count({ since: new Date(Date.now() + 60_000) }), 0);
  assertEquals(await letters.requeue({ since: new Date(Date.now() + 60_000) }), { requeued: 0, refused: 0 });
  assertEquals(await letters.requeue({ errorClass: "RangeError" }), { requeued: 1, refused: 0 });
  assertEquals(await numbersIn(test.client, "default"), [2]);
});

Deno.test("letters are requeued in the order of their partition, with their key, in batches that are marked", async () => {
  await using test = await shop();
  await test.client.append("dead", range(0, 2500).map((n) => letter(n, { partition: 1, key: "k" })));
  const progress: DeadLetterProgress[] = [];
  const letters = test.app.deadLetters("dead");
  const result = await letters.requeue({ all: true }, { onProgress: (now) => void progress.push(now) });
  assertEquals(result, { requeued: 2500, refused: 0 });
  assertEquals(await numbersIn(test.client, "default"), range(0, 2500));
  assertEquals(progress.at(-1), { read: 2500, total: 2500, handled: 2500, refused: 0 });
  assertEquals(progress.slice(0, 2).map(({ handled }) => handled), [1000, 2000]);
  assertEquals(await letters.requeue({ all: true }), { requeued: 0, refused: 2500 });
});

Deno.test("a dry run counts, and writes nothing", async () => {
  await using test = await shop();
  await test.client.append("dead", range(0, 3).map((n) => letter(n)));
  const letters = test.app.deadLetters("dead");
  assertEquals(await letters.requeue({ all: true }, { dryRun: true }), { requeued: 3, refused: 0 });
  assertEquals(await letters.dismiss({ all: true }, { dryRun: true }), { dismissed: 3, refused: 0 });
  assertEquals((await letters.list()).map(({ handled }) => handled), [null, null, null]);
  assertEquals(await numbersIn(test.client, "default"), []);
});

Deno.test("a call that is stopped marks what it has requeued, and a second call goes on", async () => {
  await using test = await shop();
  await test.client.append("dead", range(0, 2500).map((n) => letter(n, { partition: 1, key: "k" })));
  const letters = test.app.deadLetters("dead");
  const stop = new AbortController();
  const onProgress = () => stop.abort();
  assertEquals(await letters.requeue({ all: true }, { signal: stop.signal, onProgress }), {
    requeued: 1000,
    refused: 0,
  });
  assertEquals(await letters.requeue({ all: true }), { requeued: 1500, refused: 1000 });
  assertEquals(await numbersIn(test.client, "default"), range(0, 2500));
  assertEquals(await letters.requeue({ all: true }, { signal: stop.signal }), { requeued: 0, refused: 0 });
});

Deno.test("an append that fails ends the call; what was acknowledged is marked, what was not is requeued later", async () => {
  await using test = await shop();
  await test.client.append("dead", range(0, 5).map((n) => letter(n, { partition: 0, key: "k" })));
  const letters = test.app.deadLetters("dead");
  test.failAppends((topic, { value }) =>
    topic === "default" && String(value).includes("[3]") ? new BrokerError("the disk is full") : undefined
  );
  await assertRejects(
    () => letters.requeue({ all: true }),
    BrokerError,
    "Cannot go on at dead letter dead/0@3, after the App has requeued 4 dead letters: the disk is full",
  );
  test.failAppends(() => undefined);
  assertEquals(await letters.requeue({ all: true }), { requeued: 1, refused: 4 });
  assertEquals((await numbersIn(test.client, "default")).sort(), range(0, 5));
});

Deno.test("a marker is written after the job is acknowledged: without it the letter is requeued again, never lost", async () => {
  await using test = await shop();
  await test.client.append("dead", [letter(1)]);
  const letters = test.app.deadLetters("dead");
  test.failAppends((topic) => topic === "dead_handled" ? new BrokerError("gone") : undefined);
  await assertRejects(() => letters.requeue({ all: true }), BrokerError, "gone");
  assertEquals(await numbersIn(test.client, "default"), [1]);
  test.failAppends(() => undefined);
  assertEquals(await letters.requeue({ all: true }), { requeued: 1, refused: 0 });
  test.failAppends((topic) => topic === "default" ? new BrokerError("gone") : undefined);
  await assertRejects(() => letters.requeue({ all: true }, { force: true }), BrokerError, "gone");
  // One marker: that of the requeue that was acknowledged.
  assertEquals((await test.client.admin.ends("dead_handled")).map(({ high }) => high), [1]);
});

Deno.test("a letter that its topic refuses for good is refused, and the others go on", async () => {
  await using test = await shop();
  await test.client.append("dead", range(0, 3).map((n) => letter(n, { partition: 0, key: "k" })));
  test.failAppends((topic, { value }) =>
    topic === "default" && String(value).includes("[1]") ? new RecordTooLargeError("too large") : undefined
  );
  const reasons: string[] = [];
  const onRefused = (position: Position, reason: string) => void reasons.push(`${place(position)}: ${reason}`);
  assertEquals(await test.app.deadLetters().requeue({ all: true }, { onRefused }), { requeued: 2, refused: 1 });
  assertEquals(reasons, ["dead/0@1: too large"]);
});

Deno.test("a letter whose topic was deleted is refused, also in a dry run, and the others go on", async () => {
  const log = new FaultInjectionLog();
  const client = await log.source.open({ clientId: "test", monitor: new Monitor() });
  await client.admin.create([
    ...["default", "dead"].map((name) => ({ name })),
    { name: "dead_handled", config: { "cleanup.policy": "compact" } },
  ]);
  await using app = new App({
    name: "shop",
    broker: { ...log.source, embedded: false },
    jobs: [MailJob],
    topics: ["default", "gone"].map((name) => activeJobTopic(name, { deadLetterQueue: { topic: "dead" } })),
    logger: false,
  });
  await client.append("dead", range(0, 4).map((n) => letter(n, { source: n % 2 === 0 ? "gone" : "default" })));
  const reasons: string[] = [];
  const onRefused = (position: Position, reason: string) => void reasons.push(`${place(position)}: ${reason}`);
  const letters = app.deadLetters();
  for (const dryRun of [true, false]) {
    assertEquals(await letters.requeue({ all: true }, { onRefused, dryRun }), { requeued: 2, refused: 2 });
    assertEquals(reasons.splice(0), [
      'dead/0@0: its topic "gone" does not exist: create it with "topics apply"',
      'dead/0@2: its topic "gone" does not exist: create it with "topics apply"',
    ]);
  }
  assertEquals(await numbersIn(client, "default"), [1, 3]);
  assertEquals(await letters.dismiss({ all: true }), { dismissed: 2, refused: 2 });
  await client[Symbol.asyncDispose]();
});

Deno.test("a call that stood still leaves out what another one has handled meanwhile, but for the batch that it had begun", async () => {
  await using test = await shop();
  const { client } = test;
  await client.append("dead", range(0, 3000).map((n) => letter(n, { partition: 0 })));
  const write = async (topic: string, record: NewRecord) => (await client.append(topic, [record]))[0]!;
  const requeueAll = async (append: typeof write) => {
    const handler = new LetterHandler({ admin: client.admin, append, isDeclared: () => true }, "requeued", {
      by: "ada",
    });
    await handler.add("dead", null);
    await handler.handle(() => true);
    return handler.progress;
  };
  let other: ReturnType<typeof requeueAll> | undefined;
  const stoodStill = await requeueAll(async (topic, record) => {
    await (other ??= requeueAll(write));
    return await write(topic, record);
  });
  assertEquals(await other, { read: 3000, total: 3000, handled: 3000, refused: 0 });
  assertEquals(stoodStill, { read: 3000, total: 3000, handled: 1000, refused: 2000 });
  assertEquals((await numbersIn(client, "default")).length, 4000);
});

Deno.test("a call that can read no further says how many letters it has handled, and marks them", async () => {
  await using test = await shop();
  const { admin } = test.client;
  await test.client.append("dead", range(0, 3000).map((n) => letter(n, { partition: n % 2 })));
  const requeue = async (positions: readonly Position[] | null, options: { readonly dryRun?: boolean } = {}) => {
    const handler = new LetterHandler(
      {
        admin: {
          ...admin,
          read: (topic, partition, options) =>
            topic === "dead" && partition === 1
              ? Promise.reject(new BrokerError("The leader is away"))
              : admin.read(topic, partition, options),
        },
        append: async (topic, record) => (await test.client.append(topic, [record]))[0]!,
        isDeclared: () => true,
      },
      "requeued",
      { by: "ada", ...options },
    );
    await handler.add("dead", positions);
    await handler.handle(() => true);
  };
  // Nothing is written yet: the error of the broker is enough.
  const of1 = [{ topic: "dead", partition: 1, offset: 0 }];
  for (const failing of [() => requeue(of1), () => requeue(null, { dryRun: true })]) {
    assertEquals((await assertRejects(failing, BrokerError)).message, "The leader is away");
  }
  await assertRejects(
    () => requeue(null),
    BrokerError,
    "Cannot go on, after the App has requeued 1,500 dead letters: The leader is away. A second call goes on",
  );
  assertEquals(await test.app.deadLetters("dead").requeue({ all: true }), { requeued: 1500, refused: 1500 });
});

Deno.test("a forced call reads no markers, which it does not need, and marks the letters again", async () => {
  await using test = await shop();
  const { client } = test;
  await client.append("dead", range(0, 3).map((n) => letter(n, { partition: 0 })));
  assertEquals(await test.app.deadLetters("dead").dismiss({ all: true }), { dismissed: 3, refused: 0 });
  const read: string[] = [];
  const handle = async (force: boolean) => {
    const handler = new LetterHandler(
      {
        admin: {
          ...client.admin,
          read: (topic, partition, options) => {
            read.push(topic);
            return client.admin.read(topic, partition, options);
          },
        },
        append: async (topic, record) => (await client.append(topic, [record]))[0]!,
        isDeclared: () => true,
      },
      "requeued",
      { by: "ada", force },
    );
    await handler.add("dead", null);
    await handler.handle(() => true);
    return [handler.progress.handled, handler.progress.refused, read.splice(0).includes("dead_handled")];
  };
  assertEquals(await handle(false), [0, 3, true]);
  assertEquals(await handle(true), [3, 0, false]);
  const [newest] = await test.app.deadLetters("dead").list();
  assertEquals(newest!.handled?.action, "requeued");
});

Deno.test("a list with onPartial fails at once if the markers of a topic cannot be read", async () => {
  await using test = await shop();
  const { admin } = test.client;
  const listEnds: typeof admin.listEnds = async (topics) => {
    const listed = new Map(await admin.listEnds(topics));
    listed.set("dead_handled", { ...listed.get("dead_handled")!, problem: "it has no leader" });
    return listed;
  };
  const context = { admin: { ...admin, listEnds }, topics: ["dead"], maxPayloadBytes: 1e6 };
  await assertRejects(
    () => listDeadLetters(context, { onPartial: () => {} }),
    BrokerError,
    'Cannot read topic "dead_handled": it has no leader',
  );
});

Deno.test("onRefused gets how a letter was handled before", async () => {
  await using test = await shop();
  await test.client.append("dead", [letter(1, { partition: 0 })]);
  const letters = test.app.deadLetters();
  await letters.dismiss({ all: true }, { by: "ada" });
  const calls: unknown[] = [];
  const onRefused = (_: Position, reason: string, handled: DeadLetterHandling | null) =>
    void calls.push([reason.slice(0, 23), handled?.action, handled?.by]);
  await letters.requeue({ all: true }, { onRefused });
  await letters.requeue({ at: { topic: "dead", partition: 0, offset: 9 } }, { onRefused });
  assertEquals(calls, [["it was dismissed by ada", "dismissed", "ada"], [
    "there is no dead letter",
    undefined,
    undefined,
  ]]);
});

Deno.test("a list calls onProgress after each read", async () => {
  await using test = await shop();
  await test.client.append("dead", range(0, 2500).map((n) => letter(n, { partition: 1 })));
  const shares: string[] = [];
  const found = await test.app.deadLetters("dead").list({
    jobClass: "Nope",
    onProgress: ({ read, total }) => void shares.push(`${read}/${total}`),
  });
  assertEquals([found, shares], [[], ["100/2500", "300/2500", "700/2500", "1500/2500", "2500/2500"]]);
});

Deno.test("a position without a letter is refused", async () => {
  await using test = await shop();
  const at = [{ topic: "dead", partition: 0, offset: 5 }, { topic: "dead", partition: 9, offset: 0 }];
  const letters = test.app.deadLetters();
  assertEquals(await letters.requeue({ at }), { requeued: 0, refused: 2 });
  await assertRejects(() => letters.show(at[0]!), BrokerError, "There is no dead letter at dead/0@5");
  await assertRejects(() => letters.show(at[1]!), BrokerError, "There is no dead letter at dead/9@0");
});

Deno.test("a position that is given twice is requeued once", async () => {
  await using test = await shop();
  await test.client.append("dead", [letter(1, { partition: 0 })]);
  const at = { topic: "dead", partition: 0, offset: 0 };
  assertEquals(await test.app.deadLetters().requeue({ at: [at, at] }), { requeued: 1, refused: 0 });
});

Deno.test("some positions of a partition are handled together, and the others stay", async () => {
  await using test = await shop();
  await test.client.append("dead", range(0, 10).map((n) => letter(n, { partition: 0, key: "k" })));
  const letters = test.app.deadLetters();
  const at = [7, 2, 99, 4].map((offset) => ({ topic: "dead", partition: 0, offset }));
  let batches = 0;
  const onProgress = ({ total }: DeadLetterProgress) => {
    batches++;
    assertEquals(total, 4);
  };
  assertEquals(await letters.requeue({ at }, { onProgress }), { requeued: 3, refused: 1 });
  assertEquals([await numbersIn(test.client, "default"), batches], [[2, 4, 7], 1]);
  assertEquals((await letters.list()).filter(({ handled }) => handled === null).length, 7);
});

Deno.test("markers of letters that are not in the log are not kept, and forged ones are ignored", async () => {
  await using test = await shop();
  await test.client.append("dead", [letter(1, { partition: 0 })]);
  const value = JSON.stringify({ action: "requeued", by: "x", at: new Date().toISOString() });
  for (const key of ["dead_too/0@0", "dead/0@1", "dead/7@0", "x"]) {
    await test.client.append("dead_handled", [{ key, value }]);
  }
  await test.client.append("dead_handled", [{ key: "dead/0@0", value: "{}" }]);
  assertEquals((await test.app.deadLetters("dead").list()).map(({ handled }) => handled), [null]);
});

for (const name of ["dead_handled", "dead_too_handled"]) {
  Deno.test(`a topic of markers that deletes by age is refused before anything is requeued: ${name}`, async () => {
    const log = new FaultInjectionLog();
    const client = await log.source.open({ clientId: "test", monitor: new Monitor() });
    await client.admin.create([{ name, config: { "cleanup.policy": "compact,delete" } }]);
    await using app = new App({
      name: "shop",
      broker: log.source,
      jobs: [MailJob],
      topics: ["dead", "dead_too"].map((topic, n) =>
        activeJobTopic(["default", "other"][n]!, { deadLetterQueue: { topic } })
      ),
      logger: false,
    });
    await app.applyTopics();
    await client.append("dead", [letter(1)]);
    await assertRejects(() => app.deadLetters().requeue({ all: true }), InvalidConfigurationError, 'must be "compact"');
    assertEquals(await numbersIn(client, "default"), []);
    await client[Symbol.asyncDispose]();
  });
}

Deno.test("wrong topics, selections and options are refused", async () => {
  await using test = await shop();
  assertThrows(() => test.app.deadLetters("deed"), InvalidConfigurationError, 'did you mean "dead"?');
  const letters = test.app.deadLetters("dead");
  const selections: [unknown, string][] = [
    [{}, "but it is given none"],
    [{ all: true, jobClass: "MailJob" }, "but it is given several"],
    [{ at: { topic: "dead", partition: 0, offset: 0 }, all: true }, "but it is given several"],
    [{ all: false }, 'Option "all"'],
    [{ at: "dead/0@0" }, "needs a position"],
    [{ at: { topic: "dead_too", partition: 0, offset: 0 } }, '"dead_too" is not a dead letter topic here'],
    [{ jobClas: "MailJob" }, 'did you mean "jobClass"?'],
    [{ since: "2h" }, "must be a duration"],
    [{ since: new Date(NaN) }, 'Option "since"'],
  ];
  for (const [selection, message] of selections) {
    await assertRejects(() => letters.requeue(selection as never), InvalidConfigurationError, message);
    await assertRejects(() => letters.dismiss(selection as never), InvalidConfigurationError, message);
  }
  await assertRejects(() => letters.requeue({ all: true }, { forced: true } as never), InvalidConfigurationError);
  await assertRejects(() => letters.list({ limit: 0 }), InvalidConfigurationError, 'Option "limit"');
  await assertRejects(() => letters.list({ after: {} } as never), InvalidConfigurationError, "needs a position");
  await using none = new App({ name: "none", broker: "memory:", jobs: [], topics: [activeJobTopic("default")] });
  assertThrows(() => none.deadLetters(), InvalidConfigurationError, 'declares a "deadLetterQueue"');
});
