/** Benches of dead letters: requeuing many of a class, each with its marker, in one call. */
import type { Bench, Context } from "../bench.ts";
import { type Figure, measured, oursAtLeast } from "../figures.ts";
import { interleaved } from "../rounds.ts";
import { inFolder } from "../sqlite_files.ts";

const LETTERS = 10_000;

/** Dead letters on each broker. */
export const deadLettersBenches: readonly Bench[] = [
  { name: "memory_requeue", group: "local", run: (context) => requeue(context, "Memory", () => "memory:bench") },
  {
    name: "requeue",
    group: "sqlite",
    run: (context) => inFolder((folder) => requeue(context, "SQLite", (round) => `sqlite:${folder}/${round}.db`)),
  },
  {
    name: "kafka_requeue",
    group: "kafka",
    run: (context) => requeue(context, "Kafka", () => Deno.env.get("BROKER_URL")!),
  },
];

async function requeue(
  { size }: Context,
  title: string,
  broker: (round: number) => string,
): Promise<Figure[]> {
  const { requeue } = await interleaved(size.quickRounds, {
    requeue: { program: "requeue", args: [LETTERS], broker },
  });
  const perSecond = requeue.perSecond!;
  const heading = { table: "Dead letters", unit: "letters/s" } as const;
  const name = `${title}: 10,000 of a class, requeued and marked`;
  return [
    measured({ ...heading, figure: name }, perSecond, oursAtLeast(5000)),
    measured({ ...heading, figure: `${name}, the slowest round` }, [Math.min(...perSecond)]),
  ];
}
