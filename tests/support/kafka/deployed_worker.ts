/**
 * A worker of some version of the library, for the test of a deploy: `deployed_worker.ts <root> <app> <topic>`, where `root`
 * is the folder of the version. It prints `ready` at its first assignment, and for each job `started PARTITION OFFSET TIME`
 * and `performed N`. It uses only what version 0.1 has as well.
 */
const [root, name, topic] = Deno.args as [string, string, string];
const { activeJobTopic, App, Job } = await import(`file://${root}/mod.ts`);

class NumberJob extends Job {
  static jobName = "NumberJob";
  async perform(number: number) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    console.log(`performed ${number}`);
  }
}

const app = new App({
  name,
  broker: Deno.env.get("BROKER_URL")!,
  jobs: [NumberJob],
  topics: [activeJobTopic(topic)],
  sessionTimeoutMs: 6000,
  logger: false,
});
app.on("worker.started", () => console.log("ready"));
app.on("job.performing", ({ partition, offset }: { partition: number; offset: number }) => {
  console.log(`started ${partition} ${offset} ${performance.timeOrigin + performance.now()}`);
});
const stop = new AbortController();
Deno.addSignalListener("SIGTERM", () => stop.abort());
await app.worker().run(stop.signal);
await app.close();
Deno.exit(0);
