/** Benches of a worker on SQLite: the library beside bare `node:sqlite`. */
import type { Bench, Context } from "../bench.ts";
import { compare, type Figure, measured, oursAtMost, ratioAtLeast, ratioAtMost } from "../figures.ts";
import { jobsOf } from "../options.ts";
import { formatValue } from "../report.ts";
import { interleaved } from "../rounds.ts";
import { fill, fillBare, inFolder, remove, TOPIC } from "../sqlite_files.ts";

const TABLE = "Performing jobs on SQLite";
const UNIT = "jobs/s";

/** Benches of no-op jobs on SQLite. */
export const sqlitePerformBenches: readonly Bench[] = [
  { name: "sqlite_consume", group: "sqlite", run: (context) => inFolder((folder) => consume(context, folder)) },
  { name: "sqlite_backlog", group: "sqlite", run: (context) => inFolder((folder) => backlog(context, folder)) },
  {
    name: "sqlite_workers",
    group: "sqlite",
    isLongOnly: true,
    run: (context) => inFolder((folder) => workers(context, folder)),
  },
];

async function consume({ size }: Context, folder: string): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const bytes of size.payloads) {
    const jobs = jobsOf(size, bytes);
    const [ours, bare] = [`${folder}/ours.db`, `${folder}/bare.db`];
    await fill(ours, { jobs, bytes });
    fillBare(bare, { jobs, bytes });
    const results = await interleaved(size.rounds, {
      bare: { program: "sqlite_consume_bare", args: [bare, jobs] },
      worker: { program: "consume_worker", args: [TOPIC, jobs], broker: `sqlite:${ours}` },
    });
    for (const path of [ours, bare]) await remove(path);
    const figure = `no-op jobs of ${formatValue(bytes / 1000, "KB")}`;
    figures.push(
      compare({ table: TABLE, figure, unit: UNIT }, results.worker.perSecond!, {
        name: "bare read, parse, commit by 100",
        values: results.bare.perSecond!,
      }, ratioAtLeast(0.7)),
      measured(
        { table: "Memory", figure: `SQLite, ${formatValue(jobs, figure)}`, unit: "MB" },
        results.worker.rssMb!,
        oursAtMost(250),
      ),
    );
  }
  return figures;
}

/** The jobs of a small backlog, and how many of them there are. */
const SMALL = { jobs: 1000, backlogs: 100 };

async function backlog({ size }: Context, folder: string): Promise<Figure[]> {
  const small = `${folder}/small.db`;
  const large = `${folder}/large.db`;
  for (const path of [small, large]) await fill(path, { topic: "warm_up", jobs: Math.ceil(size.jobs / 10) });
  for (let index = 0; index < SMALL.backlogs; index++) {
    await fill(small, { topic: `backlog_${index}`, jobs: SMALL.jobs });
  }
  await fill(large, { topic: "backlog_0", jobs: size.jobs });
  const results = await interleaved(size.rounds, {
    small: { program: "sqlite_backlog", args: [SMALL.backlogs, SMALL.jobs], broker: `sqlite:${small}` },
    large: { program: "sqlite_backlog", args: [1, size.jobs], broker: `sqlite:${large}` },
  });
  const micros = (perSecond: readonly number[]) => perSecond.map((rate) => 1e6 / rate);
  const figure = `a no-op job in a backlog of ${formatValue(size.jobs, "jobs")}`;
  return [
    compare({ table: TABLE, figure, unit: "µs" }, micros(results.large.perSecond!), {
      name: `of ${formatValue(SMALL.jobs, "jobs")}`,
      values: micros(results.small.perSecond!),
    }, ratioAtMost(1.2)),
  ];
}

/** Jobs that several worker processes share: no-op jobs, and jobs of 5 ms with a concurrency of 10. */
const SHARED = [
  { figure: "no-op jobs, 16 partitions", partitions: 16, jobs: 200_000, waitMs: 0 },
  { figure: "jobs of 5 ms, 64 partitions", partitions: 64, jobs: 20_000, waitMs: 5 },
];

/** Worker processes that share one file, beside one process. */
async function workers({ size }: Context, folder: string): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { figure, partitions, jobs, waitMs } of SHARED) {
    const program = (processes: number) => ({
      program: "sqlite_shared",
      args: async (round: number) => {
        await fill(path(processes, round), { jobs, partitions });
        return [TOPIC, jobs, processes, waitMs];
      },
      broker: (round: number) => `sqlite:${path(processes, round)}`,
    });
    const path = (processes: number, round: number) => `${folder}/${partitions}-${processes}-${round}.db`;
    const results = await interleaved(size.rounds, { one: program(1), two: program(2), four: program(4) });
    for (const [processes, { perSecond }] of [["2", results.two], ["4", results.four]] as const) {
      figures.push(
        compare({ table: TABLE, figure: `${figure}, ${processes} processes`, unit: UNIT }, perSecond!, {
          name: "1 process",
          values: results.one.perSecond!,
        }),
      );
    }
  }
  return figures;
}
