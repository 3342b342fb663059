/** Benches of enqueuing on Kafka, of latency, of an idle worker and of the first job, each beside bare kafkajs. */
import type { Bench, Context } from "../bench.ts";
import { compare, type Figure, oursAtMost, ratioAtLeast, ratioAtMost } from "../figures.ts";
import { interleaved } from "../rounds.ts";
import { filledTopic, newTopic } from "../topics.ts";

const TABLE = "Latency, idle, start";

/** The rest of the benches on Kafka. */
export const kafkaClientBenches: readonly Bench[] = [
  { name: "produce", group: "kafka", run: produce },
  { name: "latency", group: "kafka", run: latency },
  { name: "idle", group: "kafka", run: idle },
  { name: "first", group: "kafka", run: first },
];

async function produce({ size }: Context): Promise<Figure[]> {
  const figures: Figure[] = [];
  const many = Math.ceil(size.jobs / 2);
  const few = Math.ceil(size.jobs / 200);
  for (const partitions of [4, 64]) {
    const topic = await newTopic({ partitions });
    const results = await interleaved(size.rounds, {
      bare: { program: "produce_bare", args: [topic, many] },
      enqueue: { program: "produce_enqueue", args: [topic, many] },
      bareOne: { program: "produce_bare", args: [topic, few, "--one"] },
      one: { program: "produce_enqueue", args: [topic, few, "--one"] },
    });
    const heading = (
      figure: string,
    ) => ({ table: "Enqueuing", figure: `Kafka, ${partitions} partitions: ${figure}`, unit: "jobs/s" } as const);
    figures.push(
      compare(heading("`performLater`, not awaited"), results.enqueue.perSecond!, {
        name: "`sendBatch` of 1,000",
        values: results.bare.perSecond!,
      }, ratioAtLeast(1.6)),
      compare(heading("`produceSync`, awaited"), results.one.perSecond!, {
        name: "awaited `send`",
        values: results.bareOne.perSecond!,
      }, ratioAtLeast(0.95)),
    );
  }
  return figures;
}

async function latency({ size }: Context): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const perSecond of [100, 1000]) {
    // Each round has a topic of its own: a new group would read the jobs of the round before.
    const program = (kind: string) => ({
      program: "queue_latency",
      args: async () => [kind, await newTopic({ partitions: 4 }), perSecond, size.seconds],
    });
    const { ours, bare } = await interleaved(size.rounds, { ours: program("ours"), bare: program("bare_kafka") });
    for (const name of ["p50", "p99"]) {
      const figure = `Kafka: enqueue to start in another process at ${perSecond}/s, ${name}`;
      figures.push(
        compare({ table: TABLE, figure, unit: "ms" }, ours[name]!, {
          name: "bare kafkajs",
          values: bare[name]!,
        }, ratioAtMost(1.2)),
      );
    }
  }
  return figures;
}

async function idle({ size }: Context): Promise<Figure[]> {
  const topic = await newTopic({ partitions: 4 });
  const program = (kind: string) => ({ program: "queue_idle", args: [kind, topic, size.seconds] });
  const { ours, bare } = await interleaved(size.rounds, { ours: program("ours"), bare: program("bare_kafka") });
  return [
    compare({ table: TABLE, figure: "Kafka: an idle worker", unit: "% of a core" }, ours.percent!, {
      name: "bare kafkajs",
      values: bare.percent!,
    }, oursAtMost(1.5)),
  ];
}

async function first({ size }: Context): Promise<Figure[]> {
  const topic = await filledTopic({ partitions: 4, jobs: 1 });
  const program = (kind: string) => ({ program: "queue_first", args: [kind, topic] });
  const { ours, bare } = await interleaved(size.quickRounds, { ours: program("ours"), bare: program("bare_kafka") });
  return [
    compare({ table: TABLE, figure: "Kafka: start of a process to its first job", unit: "ms" }, ours.firstMs!, {
      name: "bare kafkajs",
      values: bare.firstMs!,
    }, ratioAtMost(1.2)),
  ];
}
