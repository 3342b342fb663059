/** Benches of delayed jobs: their lateness, releasing many at once, a start with very many, and enqueuing with a wait. */
import type { Bench, Context } from "../bench.ts";
import { compare, type Figure, measured, oursAtLeast, oursAtMost, ratioAtLeast } from "../figures.ts";
import type { PeerState } from "../peers.ts";
import { interleaved } from "../rounds.ts";
import { besidePeer, besidePeers } from "./beside_peers.ts";
import { inFolder, remove } from "../sqlite_files.ts";

const TABLE = "Delayed jobs";
const DUE = 100_000;
const WAITING = 1_000_000;
const ENQUEUED = 50_000;
const DUE_PER_SECOND = 1000;

/** Delayed jobs on both brokers. */
export const delaysBenches: readonly Bench[] = [
  { name: "lateness", group: "sqlite", run: (context) => inFolder((folder) => latenessOnSqlite(context, folder)) },
  {
    name: "kafka_lateness",
    group: "kafka",
    run: (context) => lateness(context, "Kafka", () => Deno.env.get("BROKER_URL")!, []),
  },
  { name: "delays", group: "sqlite", run: (context) => inFolder((folder) => onSqlite(context, folder)) },
  {
    name: "kafka_delays",
    group: "kafka",
    run: (context) => measure(context, "Kafka", Deno.env.get("BROKER_URL")!, 20),
  },
];

async function latenessOnSqlite(context: Context, folder: string): Promise<Figure[]> {
  const states = await context.peers.all();
  return await lateness(context, "SQLite", (round) => `sqlite:${folder}/late${round}.db`, states);
}

/** From the time at which a job is due to its start, with a worker that runs already. */
async function lateness(
  { size }: Context,
  title: string,
  broker: (round: number) => string,
  states: readonly PeerState[],
): Promise<Figure[]> {
  const run = crypto.randomUUID();
  const results = await besidePeers(size.rounds, states, (kind) => ({
    program: "queue_delays",
    args: (round) => [kind, `late-${run}-${round}`, DUE_PER_SECOND, size.seconds],
    broker,
  }));
  return (["p50", "p99"] as const).flatMap((name) => {
    const heading = { table: TABLE, figure: `${title}: lateness at 1,000 due a second, ${name}`, unit: "ms" } as const;
    const bar = name === "p99" ? oursAtMost(100) : null;
    const ours = results.ours![name]!;
    if (states.length === 0) return [measured(heading, ours, bar)];
    return states.map((state) => besidePeer(heading, ours, state, results[state.kind]?.[name] ?? [], bar));
  });
}

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
