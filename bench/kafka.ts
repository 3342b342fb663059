/**
 * Benches on a real Kafka: the library beside bare kafkajs, written as its users would write it. Envelopes of 293
 * bytes, keyed.
 */
import kafkajs from "kafkajs";
import { against, atMost, type Bench, type Line, ROUNDS } from "./figures.ts";
import { partitioner, plainKafka } from "./plain_kafka.ts";
import { interleaved, median, type Program, ratio, type Results } from "./rounds.ts";
import { envelope, keyOf } from "./workload.ts";

/** Records of a topic. */
const JOBS: number = Number(Deno.env.get("JOBS") ?? 1_000_000);

/** By name. */
export const kafkaBenches: Readonly<Record<string, Bench>> = {
  consume,
  widths,
  produce,
  latency,
  idle,
  memory,
  keys,
};

async function consume(): Promise<Line[]> {
  const topic = await filledTopic(4, JOBS);
  const args = [topic, JOBS];
  const results = await interleaved(ROUNDS, {
    bare: { program: "consume_bare", args },
    worker: { program: "consume_worker", args },
    attributes: { program: "consume_worker", args: [...args, "--attributes"] },
    log: { program: "consume_worker", args: [...args, "--log"] },
    metrics: { program: "consume_worker", args: [...args, "--metrics"] },
    eachMessage: { program: "consume_bare", args: [...args, "--each-message"] },
  });
  return [
    against("no-op jobs / bare eachBatch, 4 partitions", results.worker, results.bare, 0.75),
    against("with the default logger (JSON) / bare", results.log, results.bare, null),
    against("with metrics / without", results.metrics, results.worker, null),
    against("with current attributes / bare", results.attributes, results.bare, 0.55),
    against("a whole job / kafkajs' eachMessage", results.worker, results.eachMessage, 1.15),
  ];
}

/** Numbers of partitions, and the ratio to reach at each. */
const WIDTH_BARS = [[1, 0.8], [4, 0.9], [24, 0.9], [64, 0.9], [256, 0.9]] as const;

async function widths(): Promise<Line[]> {
  const lines: Line[] = [];
  for (const [width, bar] of WIDTH_BARS) {
    const args = [await filledTopic(width, JOBS), JOBS];
    const results = await interleaved(ROUNDS, {
      bare: { program: "consume_bare", args },
      worker: { program: "consume_worker", args },
    });
    lines.push(against(`no-op jobs / bare eachBatch, ${width} partitions`, results.worker, results.bare, bar));
    lines.push(atMost(`resident memory, ${width} partitions`, median(results.worker.rssMb!), 200, " MB", 0));
  }
  return lines;
}

async function produce(): Promise<Line[]> {
  const lines: Line[] = [];
  for (const width of [4, 64]) {
    const topic = await filledTopic(width, 0);
    const results = await interleaved(ROUNDS, {
      bare: { program: "produce_bare", args: [topic, 200_000] },
      enqueue: { program: "produce_enqueue", args: [topic, 200_000] },
      bareOne: { program: "produce_bare", args: [topic, 5000, "--one"] },
      one: { program: "produce_enqueue", args: [topic, 5000, "--one"] },
    });
    const at = `${width} partitions`;
    lines.push(
      against(`performLater, not awaited / bare sendBatch(1000), ${at}`, results.enqueue, results.bare, 1.3),
      against(`produceSync, awaited / bare awaited send, ${at}`, results.one, results.bareOne, 0.95),
    );
  }
  return lines;
}

async function latency(): Promise<Line[]> {
  const lines: Line[] = [];
  for (const perSecond of [100, 1000]) {
    const programs: Record<"bare" | "worker", Program> = {
      bare: { program: "latency", args: [await filledTopic(4, 0), perSecond, 4, "--bare"] },
      worker: { program: "latency", args: [await filledTopic(4, 0), perSecond, 4] },
    };
    const all: Record<"bare" | "worker", Results> = { bare: {}, worker: {} };
    for (let round = 0; round < ROUNDS; round++) {
      // Each round has a topic of its own: a new group would read the jobs of the round before.
      const results = await interleaved(1, programs);
      for (const side of ["bare", "worker"] as const) {
        for (const [name, values] of Object.entries(results[side])) (all[side][name] ??= []).push(...values);
        programs[side] = { ...programs[side], args: [await filledTopic(4, 0), ...programs[side].args.slice(1)] };
      }
    }
    for (const [name, bar] of [["p50", 1.2], ["p99", 1.2]] as const) {
      const value = ratio(all.worker[name]!, all.bare[name]!);
      const shown = `${value.toFixed(2)} × (${median(all.worker[name]!).toFixed(1)} ms)`;
      lines.push({
        figure: `enqueue to perform at ${perSecond}/s, ${name} / bare`,
        value: shown,
        bar: `≤ ${bar} ×`,
        met: value <= bar,
      });
    }
  }
  return lines;
}

async function idle(): Promise<Line[]> {
  const results = await interleaved(3, { idle: { program: "idle", args: [await filledTopic(4, 0), 10] } });
  const percent = median(results.idle.percent!);
  return [{ figure: "idle worker", value: `${percent.toFixed(2)} % of a core`, bar: "≤ 1.5 %", met: percent <= 1.5 }];
}

async function memory(): Promise<Line[]> {
  const topic = await filledTopic(4, 1_000_000);
  const results = await interleaved(1, { worker: { program: "consume_worker", args: [topic, 1_000_000] } });
  const mb = median(results.worker.rssMb!);
  const growth = median(results.worker.rssGrowth!);
  return [
    { figure: "resident memory over a million jobs", value: `${mb.toFixed(0)} MB`, bar: "≤ 250 MB", met: mb <= 250 },
    { figure: "the same at the end / at one third", value: growth.toFixed(2), bar: "flat, ≤ 1.2", met: growth <= 1.2 },
  ];
}

/** Keys side by side against the order of the partition: speed with a thousand keys, memory with a hundred thousand. */
async function keys(): Promise<Line[]> {
  const [topic, manyKeys] = [await filledTopic(4, JOBS), await filledTopic(4, JOBS, 100_000)];
  const results = await interleaved(ROUNDS, {
    partition: { program: "consume_worker", args: [topic, JOBS] },
    key: { program: "consume_worker", args: [topic, JOBS, "--ordering=key"] },
  });
  const memory = await interleaved(1, {
    partition: { program: "consume_worker", args: [manyKeys, JOBS] },
    key: { program: "consume_worker", args: [manyKeys, JOBS, "--ordering=key"] },
  });
  const megabytes = [memory.key, memory.partition].map(({ rssMb }) => median(rssMb!));
  return [
    against('no-op jobs, ordering "key" / "partition"', results.key, results.partition, 0.6),
    atMost("memory, 100,000 keys / ordering by partition", megabytes[0]! / megabytes[1]!, 1.3, "", 2),
    atMost("the same at the end / at one third", median(memory.key.rssGrowth!), 1.2, "", 2),
  ];
}

/** Creates a topic with a number of envelopes in it. */
async function filledTopic(numPartitions: number, records: number, distinctKeys = 1000): Promise<string> {
  const topic = `bench-${crypto.randomUUID()}`;
  const kafka = plainKafka();
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions }] });
  await admin.disconnect();
  if (records === 0) return topic;
  const producer = kafka.producer({ createPartitioner: partitioner });
  await producer.connect();
  for (let from = 0; from < records; from += 1000) {
    const messages = Array.from(
      { length: 1000 },
      (_, at) => ({ key: keyOf(from + at, distinctKeys), value: envelope(from + at) }),
    );
    await producer.send({ topic, messages, acks: -1, compression: kafkajs.CompressionTypes.None });
  }
  await producer.disconnect();
  return topic;
}
