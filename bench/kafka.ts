/**
 * Benches on a real Kafka: the library beside bare kafkajs, written as its users would write it. Envelopes of 293
 * bytes, keyed.
 */
import kafkajs from "kafkajs";
import { against, type Bench, type Line, ROUNDS } from "./figures.ts";
import { partitioner, plainKafka } from "./plain_kafka.ts";
import { interleaved, median, type Program, ratio, type Results } from "./rounds.ts";
import { envelope, keyOf } from "./workload.ts";

const JOBS = 1_000_000;

/** By name. */
export const kafkaBenches: Readonly<Record<string, Bench>> = { consume, one_partition, produce, latency, idle, memory };

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

async function one_partition(): Promise<Line[]> {
  const topic = await filledTopic(1, JOBS);
  const args = [topic, JOBS];
  const results = await interleaved(ROUNDS, {
    bare: { program: "consume_bare", args },
    worker: { program: "consume_worker", args },
  });
  return [against("no-op jobs / bare eachBatch, 1 partition", results.worker, results.bare, 0.9)];
}

async function produce(): Promise<Line[]> {
  const topic = await filledTopic(4, 0);
  const results = await interleaved(ROUNDS, {
    bare: { program: "produce_bare", args: [topic, 200_000] },
    enqueue: { program: "produce_enqueue", args: [topic, 200_000] },
    one: { program: "produce_bare", args: [topic, 10_000, "--one"] },
  });
  return [
    against("performLater, not awaited / bare sendBatch(1000)", results.enqueue, results.bare, 0.7),
    against("performLater, not awaited / awaited send of 1", results.enqueue, results.one, 12),
  ];
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
    for (const [name, bar] of [["p50", 2], ["p99", 3]] as const) {
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

/** Creates a topic with a number of envelopes in it. */
async function filledTopic(numPartitions: number, records: number): Promise<string> {
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
    const messages = Array.from({ length: 1000 }, (_, at) => ({ key: keyOf(from + at), value: envelope(from + at) }));
    await producer.send({ topic, messages, acks: -1, compression: kafkajs.CompressionTypes.None });
  }
  await producer.disconnect();
  return topic;
}
