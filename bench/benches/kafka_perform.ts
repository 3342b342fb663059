/** Benches of a worker on Kafka: the library beside bare kafkajs, written as its users would write it. */
import type { Bench, Context } from "../bench.ts";
import { type Bar, compare, type Figure, measured, oursAtMost, ratioAtLeast, ratioAtMost } from "../figures.ts";
import { jobsOf, type Size } from "../options.ts";
import { formatValue } from "../report.ts";
import { interleaved, type Program } from "../rounds.ts";
import { filledTopic } from "../topics.ts";

const TABLE = "Performing jobs on Kafka";
const UNIT = "jobs/s";
/** The number of partitions of the benches that are not about it. */
const PARTITIONS = 4;

/** Benches of no-op jobs on Kafka. */
export const kafkaPerformBenches: readonly Bench[] = [
  { name: "partitions", group: "kafka", run: partitions },
  { name: "consume", group: "kafka", run: consume },
  { name: "payloads", group: "kafka", isLongOnly: true, run: payloads },
  { name: "keys", group: "kafka", run: keys },
];

/** By the number of partitions, the ratio to reach. */
const BARS: Readonly<Record<number, Bar>> = {
  1: ratioAtLeast(1),
  4: ratioAtLeast(1.1),
  24: ratioAtLeast(1.1),
  64: ratioAtLeast(1.2),
  256: ratioAtLeast(1.2),
};

async function partitions({ size }: Context): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const count of size.partitions) {
    const args = [await filledTopic({ partitions: count, jobs: size.jobs }), size.jobs];
    const { bare, worker } = await interleaved(size.rounds, {
      bare: { program: "consume_bare", args },
      worker: { program: "consume_worker", args },
    });
    const at = count === 1 ? "1 partition" : `${count} partitions`;
    figures.push(
      compare({ table: TABLE, figure: `no-op jobs, ${at}`, unit: UNIT }, worker.perSecond!, {
        name: "`eachBatch`, `JSON.parse`",
        values: bare.perSecond!,
      }, BARS[count]),
      measured(
        { table: "Memory", figure: `Kafka, ${formatValue(size.jobs, "no-op jobs")}, ${at}`, unit: "MB" },
        worker.rssMb!,
        oursAtMost(200),
      ),
    );
  }
  return figures;
}

async function consume({ size }: Context): Promise<Figure[]> {
  const args = [await filledTopic({ partitions: PARTITIONS, jobs: size.jobs }), size.jobs];
  const worker = (...flags: string[]): Program => ({ program: "consume_worker", args: [...args, ...flags] });
  const results = await interleaved(size.rounds, {
    eachBatch: { program: "consume_bare", args },
    plain: worker(),
    attributes: worker("--attributes"),
    log: worker("--log"),
    metrics: worker("--metrics"),
    key: worker("--ordering=key"),
    eachMessage: { program: "consume_bare", args: [...args, "--each-message"] },
    broker: { program: "consume_broker", args },
  });
  const { plain, broker } = results;
  const eachBatch = { name: "`eachBatch`, `JSON.parse`", values: results.eachBatch.perSecond! };
  const without = { name: "without", values: plain.perSecond! };
  const own = plain.cpuMicros!.map((micros, round) => micros - broker.cpuMicros![round]!);
  const jobs = (
    figure: string,
  ) => ({ table: TABLE, figure: `${figure}, ${PARTITIONS} partitions`, unit: UNIT } as const);
  const cpu = (figure: string) => ({ table: TABLE, figure, unit: "µs" } as const);
  return [
    compare(jobs("with current attributes"), results.attributes.perSecond!, eachBatch, ratioAtLeast(0.75)),
    compare(jobs("with the default JSON log to a file"), results.log.perSecond!, eachBatch, ratioAtLeast(0.5)),
    compare(jobs("with metrics"), results.metrics.perSecond!, without, ratioAtLeast(0.92)),
    compare(
      jobs("a whole job"),
      plain.perSecond!,
      { name: "`eachMessage`, `JSON.parse`", values: results.eachMessage.perSecond! },
      ratioAtLeast(1.5),
    ),
    compare(
      jobs('`ordering: "key"`, 1,000 keys'),
      results.key.perSecond!,
      { name: '`"partition"`', values: plain.perSecond! },
      ratioAtLeast(0.6),
    ),
    measured(cpu("processor time of a no-op job, the worker's own share"), own, oursAtMost(0.8)),
    compare(cpu("processor time of a no-op job"), plain.cpuMicros!, {
      name: "our fetch, decode, `JSON.parse`",
      values: broker.cpuMicros!,
    }),
  ];
}

async function payloads({ size }: Context): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const bytes of size.payloads) {
    const jobs = jobsOf(size, bytes);
    const args = [await filledTopic({ partitions: PARTITIONS, jobs, bytes }), jobs];
    const { bare, worker } = await interleaved(size.rounds, {
      bare: { program: "consume_bare", args },
      worker: { program: "consume_worker", args },
    });
    const figure = `no-op jobs of ${formatValue(bytes / 1000, "KB")}, ${PARTITIONS} partitions`;
    figures.push(
      compare({ table: TABLE, figure, unit: UNIT }, worker.perSecond!, {
        name: "`eachBatch`, `JSON.parse`",
        values: bare.perSecond!,
      }),
      measured({ table: "Memory", figure: `Kafka, ${figure}`, unit: "MB" }, worker.rssMb!),
    );
  }
  return figures;
}

/** The memory of keys side by side, with a hundred thousand of them. */
async function keys({ size }: Context): Promise<Figure[]> {
  const results = await interleaved(size.rounds, await ofManyKeys(size));
  const heading = (figure: string, unit: string) => ({ table: "Memory", figure, unit } as const);
  return [
    compare(heading('Kafka, `ordering: "key"`, 100,000 keys', "MB"), results.key.rssMb!, {
      name: '`"partition"`',
      values: results.partition.rssMb!,
    }, ratioAtMost(1.3)),
    measured(heading("the same at the end / at one third", "×"), results.key.rssGrowth!, oursAtMost(1.2)),
  ];
}

async function ofManyKeys({ jobs }: Size): Promise<Record<"partition" | "key", Program>> {
  const args = [await filledTopic({ partitions: PARTITIONS, jobs, distinctKeys: 100_000 }), jobs];
  return {
    partition: { program: "consume_worker", args },
    key: { program: "consume_worker", args: [...args, "--ordering=key"] },
  };
}
