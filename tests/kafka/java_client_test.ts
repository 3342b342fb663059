/** Kafka's own Java client on the other side of a topic: it reads what we write, and writes what we read. */
import { activeJobTopic, App, Job } from "@activejob/kafka";
import { assert, assertEquals } from "@std/assert";
import { fetchJars } from "../../tasks/kafka/server.ts";
import { asString, headersAsStrings, readTopic } from "../support/behaviours/log_reader.ts";
import { brokers, noKafka, openKafka } from "../support/kafka/cluster.ts";

/** Runs a tool of Kafka's distribution. @returns what it prints */
async function java(main: string, args: readonly string[], input = ""): Promise<string> {
  const command = new Deno.Command("java", {
    args: ["-Xmx128m", "-cp", `${await fetchJars()}/*`, main, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
  const child = command.spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  if (code !== 0) throw new Error(`${main} ended with ${code}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

const SERVERS = ["--bootstrap-server", brokers.join(",")];
const COUNT = 300;

Deno.test({
  name: "Java's consumer reads our records in each compression: key, value, headers, timestamp and offset",
  ignore: noKafka,
  async fn() {
    const prefix = `java-${crypto.randomUUID().slice(0, 8)}`;
    await using broker = openKafka();
    const expected: string[] = [];
    const startMs = Date.now();
    for (const compression of ["none", "gzip", "zstd"] as const) {
      const topic = `${prefix}-${compression}`;
      await broker.admin.create([{ name: topic, partitions: 1 }]);
      const records = Array.from({ length: COUNT }, (_, n) => ({
        key: `key ${n} č`,
        value: `value ${n} of ${compression}, ${"x".repeat(n)}`,
        headers: [["name", new TextEncoder().encode(`header ${n}`)], ["none", null]] as const,
      }));
      const outcomes = await broker.append(topic, records, { compression });
      assertEquals(outcomes.filter(({ ok }) => !ok), []);
      expected.push(...records.map(({ key, value }, n) => `Offset:${n}|name:header ${n},none:null|${key}|${value}`));
    }
    const property = (text: string) => ["--formatter-property", text];
    const printed = await java("org.apache.kafka.tools.consumer.ConsoleConsumer", [
      ...SERVERS,
      ...[
        "--include",
        `${prefix}-.*`,
        "--from-beginning",
        "--max-messages",
        String(3 * COUNT),
        "--timeout-ms",
        "30000",
      ],
      ...["print.timestamp", "print.offset", "print.headers", "print.key"].flatMap((name) => property(`${name}=true`)),
      ...property("key.separator=|"),
    ]);
    const lines = printed.trimEnd().split("\n").map((line) => {
      const [, ms, rest] = /^CreateTime:(\d+)\|(.*)$/.exec(line) ?? [];
      const isRecent = Number(ms) >= startMs && Number(ms) <= Date.now();
      return isRecent ? rest! : `a wrong time: ${line}`;
    });
    assertEquals(lines.sort(), expected.sort());
  },
});

Deno.test({
  name:
    "our worker performs what Java's producer writes in each compression, and both sides send a key to the same partition",
  ignore: noKafka,
  async fn() {
    const topic = `java-${crypto.randomUUID().slice(0, 8)}`;
    const performed: string[] = [];
    class JavaJob extends Job {
      perform(codec: string, n: number) {
        performed.push(`${codec} ${n}`);
      }
    }
    await using app = new App({
      name: topic,
      broker: `kafka://${brokers.join(",")}`,
      jobs: [JavaJob],
      topics: [activeJobTopic(topic, { partitions: 4 })],
      logger: false,
    });
    await app.applyTopics();
    const codecs = ["none", "gzip", "snappy", "lz4", "zstd"];
    await Promise.all(codecs.map(async (codec) => {
      const lines = Array.from({ length: COUNT }, (_, n) => {
        const envelope = {
          job_class: "JavaJob",
          job_id: `${codec}-${n}`,
          arguments: [codec, n],
          locale: "č".repeat(n),
        };
        return `codec:${codec}\tkey-${n % 20}\t${JSON.stringify(envelope)}\n`;
      });
      const properties = ["parse.key=true", "parse.headers=true"].flatMap((text) => ["--reader-property", text]);
      const args = [...SERVERS, "--topic", topic, "--compression-codec", codec, ...properties];
      await java("org.apache.kafka.tools.ConsoleProducer", args, lines.join(""));
    }));
    const partitions = new Map<string, number>();
    app.on("job.performing", ({ jobId, partition }) => void partitions.set(jobId, partition));
    await app.worker().run(undefined, { once: true });
    assertEquals(performed.length, codecs.length * COUNT);
    for (const [codec, of] of Map.groupBy(performed, (run) => run.split(" ")[0]!)) {
      const numbers = of.map((run) => Number(run.split(" ")[1]));
      assertEquals(numbers.toSorted((a, b) => a - b), Array.from({ length: COUNT }, (_, n) => n), codec);
      for (const [key, ofKey] of Map.groupBy(numbers, (n) => n % 20)) {
        assertEquals(ofKey, ofKey.toSorted((a, b) => a - b), `the order of key ${key} in ${codec}`);
      }
    }
    await using broker = openKafka();
    for (const { key, value, headers, timestampMs } of await readTopic(broker, topic)) {
      const [codec, n] = JSON.parse(asString(value)!).arguments;
      assertEquals([asString(key), headersAsStrings(headers)], [`key-${n % 20}`, { codec }]);
      assert(Math.abs(timestampMs - Date.now()) < 600_000, `${timestampMs}`);
    }
    // Our own producer sends the same keys to the same partitions.
    const ours = await broker.append(topic, Array.from({ length: 20 }, (_, n) => ({ key: `key-${n}`, value: null })));
    for (const [n, outcome] of ours.entries()) {
      assertEquals(outcome.ok && outcome.position.partition, partitions.get(`none-${n}`), `key-${n}`);
    }
  },
});
