/** Performs jobs on the brokers that its arguments name, and prints one line for each. */
import { activeJobTopic, App, Job } from "@activejob/kafka";
import process from "node:process";

for (const broker of process.argv.slice(2)) {
  const queue = `other-runtimes-${crypto.randomUUID()}`;
  const performed: string[] = [];

  class ValueJob extends Job {
    static override queue = queue;

    perform(bytes: Uint8Array, on: Date, names: Map<string, bigint>): void {
      performed.push(`${bytes.join(" ")} at ${on.toISOString()} with ${[...names].join(" ")}`);
    }
  }

  const app = new App({
    name: queue,
    broker,
    jobs: [ValueJob],
    topics: [activeJobTopic(queue, { partitions: 2, compression: "zstd" })],
    logger: false,
  });
  await app.applyTopics();
  for (const byte of [1, 250]) {
    const names = new Map([["a", 2n ** 64n]]);
    await ValueJob.performLater(new Uint8Array([0, byte]), new Date(byte), names);
  }
  await app.flush();
  const { unfinished } = await app.worker().run(undefined, { once: true });
  const undelivered = await app.close();
  console.log(`${broker.split(":")[0]}: ${performed.sort().join(", ")}; ${unfinished.length} ${undelivered}`);
}
