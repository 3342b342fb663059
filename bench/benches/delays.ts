/** Benches of delayed jobs: releasing many at once, a start with very many, and enqueuing with a wait. */
import type { Bench, Context } from "../bench.ts";
import { compare, type Figure, measured, oursAtLeast, oursAtMost, ratioAtLeast } from "../figures.ts";
import { interleaved } from "../rounds.ts";
import { inFolder, remove } from "../sqlite_files.ts";

const TABLE = "Delayed jobs";
const DUE = 100_000;
const WAITING = 1_000_000;
const ENQUEUED = 50_000;

/** Delayed jobs on both brokers. */
export const delaysBenches: readonly Bench[] = [
  { name: "delays", group: "sqlite", run: (context) => inFolder((folder) => onSqlite(context, folder)) },
  {
    name: "kafka_delays",
    group: "kafka",
    run: (context) => measure(context, "Kafka", Deno.env.get("BROKER_URL")!, 20),
  },
];

async function onSqlite(context: Context, folder: string): Promise<Figure[]> {
  const path = `${folder}/delays.db`;
  const figures = await measure(context, "SQLite", `sqlite:${path}`, 5);
  await remove(path);
  return figures;
}

async function measure({ size }: Context, title: string, broker: string, startSeconds: number): Promise<Figure[]> {
  const program = "delays";
  const { release } = await interleaved(size.rounds, { release: { program, args: ["release", DUE], broker } });
  const { now, wait } = await interleaved(size.rounds, {
    now: { program, args: ["now", ENQUEUED], broker },
    wait: { program, args: ["wait", ENQUEUED], broker },
  });
  const name = `bench-${crypto.randomUUID()}`;
  await interleaved(1, { prepare: { program, args: ["prepare", WAITING, name], broker } });
  const { start } = await interleaved(size.rounds, { start: { program, args: ["start", WAITING, name], broker } });
  const heading = (figure: string, unit: string) => ({ table: TABLE, figure: `${title}: ${figure}`, unit } as const);
  return [
    measured(heading("100,000 due at once, released", "jobs/s"), release.perSecond!, oursAtLeast(20_000)),
    compare(heading("`performLater` with a wait", "jobs/s"), wait.perSecond!, {
      name: "without a wait",
      values: now.perSecond!,
    }, ratioAtLeast(0.7)),
    measured(heading("start with 1,000,000 of 500 bytes", "s"), start.seconds!, oursAtMost(startSeconds)),
    measured(heading("memory after that", "MB"), start.megabytes!, oursAtMost(150)),
  ];
}
