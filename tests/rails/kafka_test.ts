/** A real Active Job on the other side of a real Kafka: a Ruby process produces to it and consumes from it, through librdkafka. */
import { activeJobTopic, App, Job, type KafkaOptions, type RubySymbol, symbol } from "@activejob/kafka";
import { assert, assertEquals } from "@std/assert";
import { partitionOfKey } from "../../src/broker/partitioner.ts";
import { findMissingKcat, findMissingRuby } from "../../tasks/ruby.ts";
import { brokers, noKafka, openKafka } from "../support/kafka/cluster.ts";

const missing = await findMissingRuby() ?? await findMissingKcat();
const PARTITIONS = 4;

class WelcomeJob extends Job {
  static seen: unknown[] = [];
  perform(name: string, on: Temporal.PlainDate, rest: [number, null, RubySymbol]) {
    WelcomeJob.seen.push([name, String(on), rest, this.executions, this.priority, this.locale]);
  }
}

class GreetJob extends Job {
  static override kafkaOptions: KafkaOptions<GreetJob> = { key: (job) => job.args[0] };
  perform(_name: string, _on: Temporal.PlainDate, _rest: [number, null, RubySymbol]) {}
}

/** Returns a key or the value of a header as text. */
function asText(data: Uint8Array | string | null): string | null {
  return data === null || typeof data === "string" ? data : new TextDecoder().decode(data);
}

Deno.test({
  name: "jobs go through a real Kafka to a Ruby process and back, with their keys and headers",
  ignore: noKafka || missing !== null,
  async fn() {
    const topic = `rails-${crypto.randomUUID().slice(0, 8)}`;
    const own = `${topic}_to_us`;
    await using app = new App({
      name: topic,
      broker: `kafka://${brokers.join(",")}`,
      jobs: [WelcomeJob, GreetJob],
      topics: [activeJobTopic(topic, { partitions: 1 }), activeJobTopic(own, { partitions: PARTITIONS })],
      logger: false,
    });
    await app.applyTopics();
    const job = GreetJob.of("Ben", Temporal.PlainDate.from("2026-12-24"), [2, null, symbol("new")])
      .set({ queue: topic, priority: 7 });
    await app.enqueue(job);
    await job.delivered();

    const { success, stdout, stderr } = await new Deno.Command("ruby", {
      args: [new URL("kafka.rb", import.meta.url).pathname, brokers.join(","), topic],
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    const [record, performed] = new TextDecoder().decode(stdout).trim().split("\n");
    assertEquals(performed, "Ben on 2026-12-24: [2, nil, :new], run 1, priority 7");
    assert(record!.startsWith('key "Ben", headers '), record);

    await app.worker({ topics: [own] }).run(undefined, { once: true });
    assertEquals(WelcomeJob.seen.toSorted(), [
      ["Ada", "2026-11-27", [1.5, null, symbol("vip")], 1, 3, "en"],
      ["Ben", "2026-12-25", [1, null, symbol("back")], 1, 3, "en"],
    ]);
    await using broker = openKafka();
    const written: unknown[] = [];
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const { records } = await broker.admin.read(own, partition, { from: 0, maxBytes: 1 << 20 });
      for (const { key, headers } of records) {
        written.push([partition, asText(key), headers.map(([name, value]) => [name, asText(value)])]);
      }
    }
    const expected = ["Ada", "Ben"].map((key) => [partitionOfKey(key, PARTITIONS), key, [["program", "ruby"]]]);
    assertEquals(written.toSorted(), expected.toSorted());
  },
});
