/**
 * The benches on SQLite: the library beside bare `node:sqlite`, beside Deno KV's queue, and beside the published rates
 * of tuned peers. Each run has files of its own in a temporary folder, so the disk under `TMPDIR` is what is measured.
 */
import { sqlite } from "@activejob/kafka";
import { bareWriter, openBare } from "./bare_sqlite.ts";
import { against, atMost, type Bench, type Line, perSecond, reported, ROUNDS } from "./figures.ts";
import { interleaved, median, ratio, runOnce } from "./rounds.ts";
import { Monitor } from "../src/monitor/monitor.ts";
import { envelope, keyOf } from "./workload.ts";

const JOBS = 1_000_000;
const TOPIC = "bench";

/** The rates of tuned peers on such a machine, in no-op jobs a second. */
const PEERS = { BullMQ: 18_000, "graphile-worker": 39_000 };

/** By name. */
export const sqliteBenches: Readonly<Record<string, Bench>> = {
  sqlite_produce: () => inFolder(produce),
  sqlite_consume: () => inFolder(consume),
  sqlite_payloads: () => inFolder(payloads),
  sqlite_backlog: () => inFolder(backlog),
  sqlite_latency: () => inFolder(latency),
  sqlite_idle: () => inFolder(idle),
  sqlite_workers: () => inFolder(workers),
};

async function produce(folder: string): Promise<Line[]> {
  const ours = `${folder}/ours.db`;
  const bare = `${folder}/bare.db`;
  const results = await interleaved(ROUNDS, {
    bare: { program: "sqlite_produce_bare", args: [bare, 200_000] },
    enqueue: { program: "produce_enqueue", args: [TOPIC, 200_000], broker: `sqlite:${ours}` },
    bareOne: { program: "sqlite_produce_bare", args: [bare, 20_000, "--one"] },
    enqueueOne: { program: "produce_enqueue", args: [TOPIC, 20_000, "--one"], broker: `sqlite:${ours}` },
  });
  return [
    against("performLater, produceSync / bare INSERT, FULL", results.enqueueOne, results.bareOne, 0.75),
    against("performLater, not awaited / bare 100 a transaction", results.enqueue, results.bare, 0.4),
  ];
}

async function consume(folder: string): Promise<Line[]> {
  const ours = `${folder}/ours.db`;
  const bare = `${folder}/bare.db`;
  await fill(ours, TOPIC, JOBS);
  fillBare(bare, JOBS);
  const results = await interleaved(ROUNDS, {
    bare: { program: "sqlite_consume_bare", args: [bare, JOBS] },
    worker: { program: "consume_worker", args: [TOPIC, JOBS], broker: `sqlite:${ours}` },
    kv: { program: "deno_kv", args: [`${folder}/${crypto.randomUUID()}.db`, 5_000], flags: ["--unstable-kv"] },
  });
  const { worker } = results;
  return [
    against("no-op jobs / bare read, parse, commit", worker, results.bare, 0.5),
    against("no-op jobs / Deno KV's queue", worker, results.kv, null),
    ...Object.entries(PEERS).map(([peer, theirs]) =>
      reported(
        `no-op jobs / ${peer}, tuned`,
        `${(median(worker.perSecond!) / theirs).toFixed(1)} (${perSecond(worker)})`,
      )
    ),
    atMost("resident memory over a million jobs", median(worker.rssMb!), 250, " MB", 0),
    atMost("the same at the end / at one third", median(worker.rssGrowth!), 1.1, "", 2),
  ];
}

/** Payloads, by name: the size of an envelope in bytes, and how many jobs are performed and enqueued. */
const PAYLOADS = {
  "0.3 KB": { bytes: 300, performed: 300_000, enqueued: 8_000 },
  "3 KB": { bytes: 3_000, performed: 100_000, enqueued: 8_000 },
  "30 KB": { bytes: 30_000, performed: 20_000, enqueued: 4_000 },
  "300 KB": { bytes: 300_000, performed: 2_000, enqueued: 1_000 },
};

async function payloads(folder: string): Promise<Line[]> {
  const lines: Line[] = [];
  for (const [name, { bytes, performed, enqueued }] of Object.entries(PAYLOADS)) {
    const ours = `${folder}/ours-${bytes}.db`;
    const bare = `${folder}/bare-${bytes}.db`;
    await fill(ours, TOPIC, performed, bytes);
    fillBare(bare, performed, bytes);
    const broker = `sqlite:${ours}`;
    const consumed = await interleaved(ROUNDS, {
      bare: { program: "sqlite_consume_bare", args: [bare, performed] },
      worker: { program: "consume_worker", args: [TOPIC, performed], broker },
    });
    for (const path of [ours, bare]) await remove(path);
    const produced = await interleaved(ROUNDS, {
      bare: { program: "sqlite_produce_bare", args: [bare, enqueued, "--one", bytes] },
      enqueue: { program: "produce_enqueue", args: [TOPIC, enqueued, "--one", bytes], broker },
    });
    for (const path of [ours, bare]) await remove(path);
    lines.push(
      against(`${name}: no-op jobs / bare read, parse, commit`, consumed.worker, consumed.bare, 0.5),
      against(`${name}: performLater, produceSync / bare INSERT, FULL`, produced.enqueue, produced.bare, 0.75),
    );
  }
  return lines;
}

async function remove(path: string): Promise<void> {
  for (const suffix of ["", "-wal", "-shm"]) await Deno.remove(path + suffix).catch(() => {});
}

async function backlog(folder: string): Promise<Line[]> {
  const small = `${folder}/small.db`;
  const large = `${folder}/large.db`;
  for (const path of [small, large]) await fill(path, "warm_up", 100_000);
  for (let index = 0; index < 100; index++) await fill(small, `backlog_${index}`, 1000);
  await fill(large, "backlog_0", JOBS);
  const results = await interleaved(ROUNDS, {
    small: { program: "sqlite_backlog", args: [100, 1000], broker: `sqlite:${small}` },
    large: { program: "sqlite_backlog", args: [1, JOBS], broker: `sqlite:${large}` },
  });
  const value = ratio(results.small.perSecond!, results.large.perSecond!);
  return [{
    figure: "a job in a backlog of a million / of a thousand",
    value: `${value.toFixed(2)} × (${perSecond(results.large)} / ${perSecond(results.small)})`,
    bar: "≤ 1.2",
    met: value <= 1.2,
  }];
}

async function latency(folder: string): Promise<Line[]> {
  const rounds = [];
  // A file of its own for each round: a new group would read the jobs of the last one.
  for (let round = 0; round < ROUNDS; round++) {
    const broker = `sqlite:${folder}/${round}.db`;
    rounds.push(await runOnce({ program: "sqlite_latency", args: [TOPIC, 100, 5], broker }));
  }
  return [
    atMost("enqueue to start in another process at 100/s, p50", median(rounds.map(({ p50 }) => p50!)), 2, " ms", 1),
    atMost("the same, p99", median(rounds.map(({ p99 }) => p99!)), 8, " ms", 1),
  ];
}

async function idle(folder: string): Promise<Line[]> {
  const { worker } = await interleaved(3, {
    worker: { program: "idle", args: [TOPIC, 10], broker: `sqlite:${folder}/idle.db` },
  });
  return [atMost("idle worker, of a core", median(worker.percent!), 0.4, " %", 2)];
}

/** Worker processes that share one file: no-op jobs, and jobs of 5 ms with a concurrency of 10. */
async function workers(folder: string): Promise<Line[]> {
  const lines: Line[] = [];
  for (const { name, partitions, jobs, waitMs } of SHARED) {
    const rates: string[] = [];
    for (const processes of [1, 2, 4]) {
      const rounds: number[] = [];
      for (let round = 0; round < 3; round++) {
        const path = `${folder}/${name}-${processes}-${round}.db`;
        await fill(path, TOPIC, jobs, undefined, partitions);
        const args = [TOPIC, jobs, processes, waitMs];
        rounds.push((await runOnce({ program: "sqlite_shared", args, broker: `sqlite:${path}` })).perSecond!);
        await remove(path);
      }
      rates.push(Math.round(median(rounds)).toLocaleString("en"));
    }
    lines.push(
      reported(`${name}, ${partitions} partitions, 1 / 2 / 4 worker processes`, `${rates.join(" / ")} jobs/s`),
    );
  }
  return lines;
}

/** Jobs that several worker processes share. */
const SHARED = [
  { name: "no-op jobs", partitions: 16, jobs: 200_000, waitMs: 0 },
  { name: "jobs of 5 ms", partitions: 64, jobs: 20_000, waitMs: 5 },
];

/** Fills a topic of the library's file with ready envelopes. */
async function fill(path: string, topic: string, jobs: number, bytes?: number, partitions = 1): Promise<void> {
  await using broker = await sqlite(path).open({ clientId: "bench", monitor: new Monitor() });
  await broker.admin.create([{ name: topic, partitions }]);
  for (let from = 0; from < jobs; from += 1000) {
    for (const outcome of await broker.append(topic, thousand(from, bytes))) if (!outcome.ok) throw outcome.error;
  }
}

/** Fills a bare file with the same. */
function fillBare(path: string, jobs: number, bytes?: number): void {
  using database = openBare(path);
  const write = bareWriter(database);
  for (let from = 0; from < jobs; from += 1000) write(thousand(from, bytes));
}

function thousand(from: number, bytes?: number): { key: string; value: string }[] {
  return Array.from({ length: 1000 }, (_, at) => ({ key: keyOf(from + at), value: envelope(from + at, bytes) }));
}

async function inFolder(bench: (folder: string) => Promise<Line[]>): Promise<Line[]> {
  const folder = await Deno.makeTempDir();
  try {
    return await bench(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
