/**
 * Benches of enqueuing on SQLite, of latency, of an idle worker and of the first job: the library beside bare
 * `node:sqlite`, Deno KV's queue, and the peers that are at hand. Each round has files and queues of its own.
 */
import type { Bench, Context } from "../bench.ts";
import { compare, type Figure, type Heading, oursAtMost, ratioAtLeast, ratioAtMost } from "../figures.ts";
import { jobsOf } from "../options.ts";
import { formatValue } from "../report.ts";
import { interleaved, type Program } from "../rounds.ts";
import { inFolder, remove, TOPIC } from "../sqlite_files.ts";
import { besidePeer, besidePeers } from "./beside_peers.ts";

const TABLE = "Latency, idle, start";

/** The rest of the benches on SQLite. */
export const sqliteClientBenches: readonly Bench[] = [
  { name: "sqlite_produce", group: "sqlite", run: (context) => inFolder((folder) => produce(context, folder)) },
  { name: "sqlite_peers", group: "sqlite", run: (context) => inFolder((folder) => peers(context, folder)) },
  { name: "sqlite_latency", group: "sqlite", run: (context) => inFolder((folder) => latency(context, folder)) },
  { name: "sqlite_idle", group: "sqlite", run: (context) => inFolder((folder) => idle(context, folder)) },
  { name: "sqlite_first", group: "sqlite", run: (context) => inFolder((folder) => first(context, folder)) },
];

async function produce({ size }: Context, folder: string): Promise<Figure[]> {
  const figures: Figure[] = [];
  const heading = (figure: string) => ({ table: "Enqueuing", figure: `SQLite: ${figure}`, unit: "jobs/s" } as const);
  const [ours, bare] = [`${folder}/ours.db`, `${folder}/bare.db`];
  for (const bytes of size.payloads) {
    const jobs = jobsOf({ ...size, jobs: Math.ceil(size.jobs / 100) }, bytes);
    const results = await interleaved(size.quickRounds, {
      bare: { program: "sqlite_produce_bare", args: [bare, jobs, "--one", bytes] },
      enqueue: { program: "produce_enqueue", args: [TOPIC, jobs, "--one", bytes], broker: `sqlite:${ours}` },
    });
    for (const path of [ours, bare]) await remove(path);
    const figure = `\`produceSync\`, awaited, ${formatValue(bytes / 1000, "KB")}`;
    figures.push(
      compare(heading(figure), results.enqueue.perSecond!, {
        name: "bare `INSERT` with `FULL`",
        values: results.bare.perSecond!,
      }, ratioAtLeast(0.75)),
    );
  }
  const jobs = Math.ceil(size.jobs / 2);
  const { enqueue, bareMany } = await interleaved(size.rounds, {
    bareMany: { program: "sqlite_produce_bare", args: [bare, jobs] },
    enqueue: { program: "produce_enqueue", args: [TOPIC, jobs], broker: `sqlite:${ours}` },
  });
  figures.push(
    compare(heading("`performLater`, not awaited"), enqueue.perSecond!, {
      name: "bare 100 a transaction",
      values: bareMany.perSecond!,
    }, ratioAtLeast(0.4)),
  );
  return figures;
}

/** Jobs in the short backlog of Deno KV. */
const SHORT_BACKLOG = 1000;

/** Enqueues jobs by lists of a thousand and performs them, with ours and with every other queue. */
async function peers({ size, peers }: Context, folder: string): Promise<Figure[]> {
  const states = await peers.all();
  const many = Math.ceil(size.jobs / 2);
  const few = Math.ceil(size.jobs / 20);
  const program = (action: "enqueue" | "perform", kind: string, name: string, jobs: number): Program => ({
    program: `queue_${action}`,
    args: (round) => [kind, `${name}${round}`, jobs],
    broker: `sqlite:${folder}/ours.db`,
  });
  // Deno KV performs about a thousand jobs a second, and far fewer from a long backlog: it gets a short one.
  const [kv, shortKv] = [`${folder}/kv`, `${folder}/short_kv`];
  const programs: Record<string, Program> = {
    "ours enqueue": program("enqueue", "ours", "bench", many),
    "ours perform": program("perform", "ours", "bench", many),
    "deno_kv enqueue": program("enqueue", "deno_kv", kv, many),
    "deno_kv fill": program("enqueue", "deno_kv", shortKv, SHORT_BACKLOG),
    "deno_kv perform": program("perform", "deno_kv", shortKv, SHORT_BACKLOG),
  };
  for (const { kind } of states.filter(({ missing }) => missing === null)) {
    programs[`${kind} enqueue`] = program("enqueue", kind, "bench", few);
    programs[`${kind} perform`] = program("perform", kind, "bench", few);
  }
  const results = await interleaved(size.rounds, programs);
  const enqueuing = { table: "Enqueuing", figure: "SQLite: `performAllLater` of 1,000 jobs", unit: "jobs/s" } as const;
  const performing = { table: "Performing jobs on SQLite", figure: "no-op jobs", unit: "jobs/s" } as const;
  const perSecond = (key: string) => results[key]?.perSecond ?? [];
  const others = [{ kind: "deno_kv", name: "Deno KV", missing: null }, ...states];
  return [[enqueuing, "enqueue"], [performing, "perform"]].flatMap(([heading, action]) =>
    others.map((state) =>
      besidePeer(
        heading as Heading,
        perSecond(`ours ${action}`),
        state,
        perSecond(`${state.kind} ${action}`),
        action === "enqueue" && state.kind === "deno_kv" ? ratioAtLeast(1) : null,
      )
    )
  );
}

async function latency({ size, peers }: Context, folder: string): Promise<Figure[]> {
  const states = await peers.all();
  const results = await besidePeers(size.rounds, states, (kind) => ({
    program: "queue_latency",
    args: (round) => [kind, `latency${round}`, 100, size.seconds],
    broker: (round) => `sqlite:${folder}/${round}.db`,
  }));
  const bars = { p50: [ratioAtMost(1.2), oursAtMost(2)], p99: [ratioAtMost(2), oursAtMost(8)] } as const;
  return Object.entries(bars).flatMap(([name, [withRedis, without]]) =>
    states.map((state) => {
      const figure = `SQLite: enqueue to start in another process at 100/s, ${name}`;
      const bar = state.kind !== "bullmq" ? null : state.missing === null ? withRedis : without;
      const base = results[state.kind]?.[name] ?? [];
      return besidePeer({ table: TABLE, figure, unit: "ms" }, results.ours![name]!, state, base, bar);
    })
  );
}

async function idle({ size, peers }: Context, folder: string): Promise<Figure[]> {
  const states = await peers.all();
  const results = await besidePeers(size.rounds, states, (kind) => ({
    program: "queue_idle",
    args: [kind, "idle", size.seconds],
    broker: `sqlite:${folder}/idle.db`,
  }));
  return states.map((state, index) =>
    besidePeer(
      { table: TABLE, figure: "SQLite: an idle worker", unit: "% of a core" },
      results.ours!.percent!,
      state,
      results[state.kind]?.percent ?? [],
      index === 0 ? oursAtMost(0.4) : null,
    )
  );
}

async function first({ size }: Context, folder: string): Promise<Figure[]> {
  const broker = `sqlite:${folder}/ours.db`;
  const program = (kind: string, name: string): Record<"enqueue" | "first", Program> => ({
    enqueue: { program: "queue_enqueue", args: (round) => [kind, `${name}${round}`, 1], broker },
    first: { program: "queue_first", args: (round) => [kind, `${name}${round}`], broker },
  });
  const [ours, kv] = [program("ours", "first"), program("deno_kv", `${folder}/kv`)];
  const results = await interleaved(size.quickRounds, {
    oursEnqueue: ours.enqueue,
    kvEnqueue: kv.enqueue,
    ours: ours.first,
    kv: kv.first,
  });
  return [
    compare(
      { table: TABLE, figure: "SQLite: start of a process to its first job", unit: "ms" },
      results.ours.firstMs!,
      {
        name: "Deno KV",
        values: results.kv.firstMs!,
      },
      ratioAtMost(1.2),
    ),
  ];
}
