/**
 * A process of its own that uses a file, driven by lines on its standard input: `client.ts`. For each it prints a line that
 * begins with the same word.
 *
 *     open <path> <topics> <records>    opens the file, creates topics, appends, and prints how many
 *     append <path> <topic> <records>   appends, durably, and prints how many were acknowledged
 *     consume <path> <sessionMs>        joins as a consumer; then prints "assigned", "lost", "held" and "record" by itself
 *     commit <next>                     commits for the ownership that it had last
 *     close                             closes the consumer
 *     exit                              ends the process
 */
import type { Broker, Consumer, ConsumerSink, Ownership } from "../../../src/broker/broker.ts";
import { openBroker } from "./harness.ts";
import { GROUP, TOPIC } from "./member.ts";

let broker: Broker;
let consumer: Consumer;
let ownership: Ownership;

const sink: ConsumerSink = {
  assigned([added]) {
    if (added === undefined) return console.log("waits");
    ownership = added;
    console.log(`assigned at ${added.committed?.offset ?? 0}`);
  },
  records(_, { records }) {
    for (const { offset } of records) console.log(`record ${offset}`);
  },
  releasing: () => [],
  lost: (_, reason) => console.log(`lost ${reason}`),
  expired() {},
  membership: (held) => console.log(`held ${held}`),
  failed: (error) => console.log(`failed ${error.message}`),
};

const COMMANDS: Readonly<Record<string, (...args: string[]) => Promise<string>>> = {
  async open(path, topics, records) {
    await using broker = openBroker(path!);
    const names = Array.from({ length: Number(topics) }, (_, n) => `topic-${n}`);
    await broker.admin.create(names.map((name) => ({ name, partitions: 2 })));
    let written = 0;
    for (let record = 0; record < Number(records); record += 10) {
      const batch = Array.from({ length: 10 }, (_, n) => ({ value: `${Deno.pid}-${record + n}` }));
      const outcomes = await broker.append(names[(record / 10) % names.length]!, batch, { durability: "durable" });
      for (const outcome of outcomes) if (!outcome.ok) return `failed: ${outcome.error.message}`;
      written += outcomes.length;
    }
    return `${written}`;
  },
  async append(path, topic, records) {
    await using broker = openBroker(path!);
    const jobs = Array.from(
      { length: Number(records) },
      () => ({ value: `{"job_class":"CountedJob","arguments":[]}` }),
    );
    const outcomes = await broker.append(topic!, jobs, { durability: "durable" });
    return `${outcomes.filter(({ ok }) => ok).length}`;
  },
  async consume(path, sessionMs) {
    broker = openBroker(path!);
    const options = { group: GROUP, topics: [TOPIC], sessionTimeoutMs: Number(sessionMs), maxFetchBytes: 1_000_000 };
    consumer = broker.consume(options, sink);
    await consumer.joined;
    return "joined";
  },
  async commit(next) {
    return (await consumer.commit([{ ownership, next: Number(next), metadata: "" }]))[0]!;
  },
  async close() {
    await consumer.close(1000);
    await broker[Symbol.asyncDispose]();
    return "closed";
  },
};

let rest = "";
for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + text).split("\n");
  rest = lines.pop()!;
  for (const line of lines) {
    const [command, ...args] = line.split(" ");
    if (command === "exit") Deno.exit(0);
    console.log(`${command} ${await COMMANDS[command!]!(...args)}`);
  }
}
