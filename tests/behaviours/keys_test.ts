/** Keys side by side (`ordering: "key"`): order per key, and nothing else waits. */
import {
  activeJobTopic,
  type App,
  Job,
  type KafkaOptions,
  type PartitionStatus,
  type TopicOptions,
} from "@activejob/kafka";
import { assert, assertEquals } from "@std/assert";
import { Child } from "../support/child.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";
import type { BacklogReport, BacklogSettings } from "../support/behaviours/children/backlog.ts";
import { RunLog, runLogRecord } from "../support/behaviours/run_log.ts";
import { type AppProcess, until } from "../support/behaviours/world.ts";

const BACKLOG = new URL("../support/behaviours/children/backlog.ts", import.meta.url).pathname;

/** A job with a key and a number. */
interface KeyedArgs {
  readonly key: string;
  readonly n: number;
}

/** A class of jobs whose key is in their argument, and what it runs. */
function keyedJob(perform: (args: KeyedArgs, job: Job) => unknown = () => {}) {
  return class KeyedJob extends Job {
    static override kafkaOptions: KafkaOptions<KeyedJob> = { key: (job) => job.args[0].key };
    async perform(args: KeyedArgs): Promise<void> {
      await perform(args, this);
    }
  };
}

function topics(options: TopicOptions = {}) {
  return [activeJobTopic("default", { partitions: 1, ordering: "key", ...options })];
}

/** Enqueues jobs, all durable. */
async function enqueue(app: App, Class: ReturnType<typeof keyedJob>, jobs: readonly KeyedArgs[]): Promise<void> {
  await app.enqueueAll(jobs.map((args) => Class.of(args)));
  await app.flush();
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

behaviour("P1: one partition, 100 keys: up to 100 jobs at once, and each key strictly in order", async (world) => {
  const runs: KeyedArgs[] = [];
  const running = new Map<string, number>();
  let most = 0;
  const KeyedJob = keyedJob(async (args) => {
    assertEquals(running.has(args.key), false, `two jobs of ${args.key} at once`);
    running.set(args.key, args.n);
    most = Math.max(most, running.size);
    runs.push(args);
    // Until all keys run, or the last of them have begun.
    await until(() => most === 100, () => `${most} at once`);
    running.delete(args.key);
  });
  const process = await world.process({ jobs: [KeyedJob], topics: topics(), concurrency: 100 });
  const jobs = Array.from({ length: 500 }, (_, n) => ({ key: `k${n % 100}`, n }));
  await enqueue(process.app, KeyedJob, jobs);
  await process.drain();
  assertEquals([runs.length, most], [500, 100]);
  for (const [key, ofKey] of Map.groupBy(runs, (run) => run.key)) {
    assertEquals(ofKey.map(({ n }) => n), jobs.filter((job) => job.key === key).map(({ n }) => n));
  }
  await world.untilCommitted(500);
});

behaviour(
  'P1: `maxConcurrency` limits the jobs of a partition, and `ordering: "none"` holds up none',
  async (world) => {
    let running = 0;
    let most = 0;
    const KeyedJob = keyedJob(async () => {
      most = Math.max(most, ++running);
      await pause(2);
      running--;
    });
    const process = await world.process({
      jobs: [KeyedJob],
      topics: topics({ ordering: "none", maxConcurrency: 3 }),
      concurrency: 100,
    });
    await enqueue(process.app, KeyedJob, Array.from({ length: 60 }, (_, n) => ({ key: "one", n })));
    await process.drain();
    assertEquals([most, running], [3, 0]);
    await world.untilCommitted(60);
  },
);

behaviour(
  "P2: of 100 keys one job still runs at a kill -9: after the restart only that one runs again",
  { on: ["sqlite", "kafka"], because: "a process is killed" },
  async (world) => {
    await world.process({ jobs: [keyedJob()], topics: topics() });
    await using runLog = new RunLog(world);
    await world.append(
      Array.from({ length: 100 }, (_, n) => ({ ...runLogRecord(n, n === 4 ? { firstMs: 60_000 } : {}), key: `k${n}` })),
    );
    const first = runLog.start("key");
    await until(() => runLog.ended().length === 99, () => `${runLog.ended().length} jobs ended`);
    // All but job 4 are in a commit: only the front is the offset, the rest is in the metadata.
    await until(async () => {
      const { front, finished: [range] } = await world.progress();
      return front === 4 && range?.from === 5 && range.to === 100;
    }, () => "the commit of 99 jobs");
    first.signal("SIGKILL");
    const second = runLog.start("key");
    await until(() => runLog.ended().length === 100, () => `${runLog.ended().length} jobs ended`);
    await world.untilCommitted(100);
    second.signal("SIGTERM");
    await second.ended();
    const starts = runLog.lines().filter(({ what }) => what === "start").map(({ n }) => n);
    assertEquals(starts.length, 101);
    assertEquals(starts.filter((n) => n === 4).length, 2);
  },
);

behaviour("P3: a job of one key fails and waits: other keys go on, and its key waits for it", async (world) => {
  const runs: string[] = [];
  const KeyedJob = keyedJob(({ key, n }, job) => {
    runs.push(`${key}${n}`);
    if (key === "a" && n === 0 && job.attempt < 3) throw new Error("not yet");
  });
  const process = await world.process({ jobs: [KeyedJob], topics: topics() });
  await enqueue(process.app, KeyedJob, ["a", "a", "b", "b", "c"].map((key, n) => ({ key, n })));
  await process.drain();
  const [firstA, ...rest] = runs;
  assertEquals(firstA, "a0");
  assertEquals(rest.filter((run) => run.startsWith("a")), ["a0", "a0", "a1"]);
  assert(rest.indexOf("b3") < rest.indexOf("a0"), runs.join(" "));
  const paused = process.events("partition.paused");
  assertEquals(paused.map(({ offset, scope, attempts }) => [offset, scope, attempts]), [[0, "key", 1], [0, "key", 2]]);
  await world.untilCommitted(5);
});

behaviour(
  "P4: on the worker only the key of the record counts, whichever program wrote it; no key is in order with none",
  async (world) => {
    const [running, runs]: [Set<number>, string[]] = [new Set(), []];
    const allow = Promise.withResolvers<void>();
    class PlainJob extends Job {
      async perform(n: number) {
        running.add(n);
        if (n < 3) await allow.promise;
        runs.push(String(n));
      }
    }
    const process = await world.process({ jobs: [PlainJob], topics: topics() });
    const record = (n: number, key: Uint8Array | string | null) => (
      { key, value: JSON.stringify({ job_class: "PlainJob", arguments: [n] }), partition: 0 }
    );
    const binary = new Uint8Array([255, 0]);
    await world.append([
      record(0, "customer"),
      record(1, binary),
      record(2, null),
      record(3, "customer"),
      record(4, binary),
      record(5, null),
      record(6, ""),
    ]);
    await process.start();
    await until(() => running.size === 5, () => [...running].join(" "));
    assertEquals([...running].sort(), [0, 1, 2, 5, 6]);
    allow.resolve();
    await world.untilCommitted(7);
    assertEquals(runs.toSorted(), ["0", "1", "2", "3", "4", "5", "6"]);
    assert(runs.indexOf("3") > runs.indexOf("0") && runs.indexOf("4") > runs.indexOf("1"), runs.join(" "));
    await process.stop();
  },
);

for (const ordering of ["partition", "key"] as const) {
  behaviour(
    `P5: memory stays flat on a long backlog with 50,000 keys, ordering "${ordering}"`,
    { on: ["sqlite", "kafka"], because: "the memory log keeps all records in this process" },
    async (world) => {
      const settings: BacklogSettings = { url: world.url, group: world.group, ordering, jobs: 100_000, keys: 50_000 };
      await using child = new Child([BACKLOG, JSON.stringify(settings)], { options: ["-A", "--v8-flags=--expose-gc"] });
      const report: BacklogReport = JSON.parse(await child.line(/^\{/));
      assertEquals((await child.ended()).code, 0);
      assertEquals([report.performed, report.heap.length], [100_000, 10], JSON.stringify(report));
      // The first tenth warms up. A few megabytes are fetched and not performed at any time.
      const [, second] = report.heap;
      for (const heap of report.heap.slice(1)) assert(heap < second! + 8e6, JSON.stringify(report));
    },
  );
}

behaviour(
  "P7: one key fails for ever: the others run until the lookahead is full, then an event says so; after a skip all go on",
  async (world) => {
    const runs = new Map<number, number>();
    const KeyedJob = keyedJob(({ key, n }) => {
      if (key === "bad") throw new Error("never");
      runs.set(n, (runs.get(n) ?? 0) + 1);
    });
    const count = 6000;
    const process = await world.process({ jobs: [KeyedJob], topics: topics(), commitIntervalMs: 200 });
    const jobs = Array.from({ length: count }, (_, n) => ({ key: n === 10 ? "bad" : `k${n % 97}`, n }));
    await enqueue(process.app, KeyedJob, jobs);
    await process.start();
    const [full] = await process.untilEvents("partition.exhausted", 1);
    assertEquals(full!.front, 10);
    assert(runs.size > 3500 && runs.size < count - 1, `${runs.size} jobs have run`);
    assertEquals([partitionOf(process).isExhausted, partitionOf(process).position], [true, 10]);
    await until(() => partitionOf(process).stuck.length === 1, () => "a stuck record");
    await process.app.skip({ topic: world.topic(), partition: 0, offset: 10 });
    await until(() => runs.size === count - 1, () => `${runs.size} jobs have run`);
    await world.untilCommitted(count);
    assertEquals(partitionOf(process).isExhausted, false);
    assertEquals([...runs.values()].every((times) => times === 1), true);
    await process.stop();
  },
);

/** The status of the only partition. */
function partitionOf({ worker }: AppProcess): PartitionStatus {
  return worker.status().groups[0]!.partitions[0]!;
}

behaviour(
  "P9: workers come and go under load: no job is lost, and each key is in order within an owner",
  async (world) => {
    const runs: { n: number; key: string; owner: number }[] = [];
    const workers = [];
    const makeJob = (owner: number) =>
      keyedJob(async ({ key, n }) => {
        await pause(n % 3);
        runs.push({ n, key, owner });
      });
    const options = { topics: topics({ partitions: 6 }), concurrency: 20 };
    for (let owner = 0; owner < 4; owner++) workers.push(await world.process({ jobs: [makeJob(owner)], ...options }));
    const Class = makeJob(-1);
    const producer = await world.process({ jobs: [Class], ...options });
    let n = 0;
    const enqueueSome = () =>
      enqueue(producer.app, Class, Array.from({ length: 300 }, () => ({ key: `k${n % 40}`, n: n++ })));
    for (const worker of workers.slice(0, 3)) await worker.start();
    for (let step = 0; step < 3; step++) {
      await enqueueSome();
      await workers[step]!.stop();
      await enqueueSome();
      await workers[(step + 3) % 4]!.start();
    }
    const ended = () => new Set(runs.map((run) => run.n)).size;
    await until(() => ended() === n, () => `${ended()} of ${n}`);
    for (const [, ofKey] of Map.groupBy(runs, ({ key, owner }) => `${key} ${owner}`)) {
      const firsts = [...new Set(ofKey.map((run) => run.n))];
      // A stop waits for its jobs: what comes again was cut between its end and its commit.
      assertEquals(firsts, firsts.toSorted((a, b) => a - b));
    }
    for (const worker of workers.filter((each) => !each.worker.isStopped)) await worker.stop();
  },
);

behaviour("P11: a hot key does not hold up the others: they run beside it, not behind it", async (world) => {
  const runs: string[] = [];
  const KeyedJob = keyedJob(async ({ key }) => {
    runs.push(key);
    await pause(1);
  });
  const process = await world.process({ jobs: [KeyedJob], topics: topics(), concurrency: 10 });
  const hot = Array.from({ length: 500 }, (_, n) => ({ key: "hot", n }));
  const cold = Array.from({ length: 99 }, (_, n) => ({ key: `cold${n}`, n }));
  await enqueue(process.app, KeyedJob, [...hot, ...cold]);
  await process.drain();
  const lastCold = runs.findLastIndex((key) => key !== "hot");
  const hotBefore = runs.slice(0, lastCold).filter((key) => key === "hot").length;
  // 99 jobs on 9 slots are 11 turns, beside which the hot key has as many.
  assert(hotBefore < 60, `${hotBefore} jobs of the hot key ran before the last of the others`);
  assertEquals(runs.length, 599);
});

behaviour(
  "P12: two keys are stuck: the skip command passes over only the second, and nothing finished runs again",
  async (world) => {
    const runs: string[] = [];
    const KeyedJob = keyedJob(({ key, n }) => {
      if (key.startsWith("bad")) throw new Error("never");
      runs.push(`${key}${n}`);
    });
    const process = await world.process({ jobs: [KeyedJob], topics: topics() });
    const keys = ["bad1", "a", "bad2", "bad2", "b"];
    await enqueue(process.app, KeyedJob, keys.map((key, n) => ({ key, n })));
    await process.start();
    await until(() => partitionOf(process).stuck.length === 2, () => "two stuck records");
    const lasting = process.events("partition.paused").filter((event) => event.lasting && event.offset === 2);
    assert(lasting[0]!.remedy!.endsWith(` ${world.topic()}/0@2`), lasting[0]!.remedy!);
    await process.app.skip({ topic: world.topic(), partition: 0, offset: 2 });
    // The next job of that key comes to run, and fails as well.
    await until(
      () => process.events("job.failed").some(({ offset }) => offset === 3),
      () => "the next job of the key",
    );
    assertEquals(
      process.events("job.failed").filter(({ offset }) => offset === 2).every(({ attempt }) => attempt > 0),
      true,
    );
    await process.stop();
    const { front, finished } = await world.progress();
    assertEquals([front, finished], [0, [{ from: 1, to: 3 }, { from: 4, to: 5 }]]);
    assertEquals(runs, ["a1", "b4"]);
  },
);
