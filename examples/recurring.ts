/**
 * Recurring jobs: one each second, by an interval and by a cron expression, until three of each have run. Start it in two
 * terminals: the two workers share one file, and each tick enqueues one job.
 *
 * `deno run -A examples/recurring.ts`
 */
import { activeJobTopic, App, Job } from "@activejob/kafka";
import { every } from "@activejob/kafka/recurring";

const TICKS = 3;
const file = Deno.args[0] ?? "recurring.db";
const stop = new AbortController();
const ran = new Map<string, number>();

class ReportJob extends Job {
  perform(what: string) {
    const runs = (ran.get(what) ?? 0) + 1;
    ran.set(what, runs);
    console.log(`Report ${runs} on ${what}, job ${this.jobId}`);
    if (ran.size === 2 && [...ran.values()].every((count) => count >= TICKS)) stop.abort();
  }
}

await using app = new App({
  name: "recurring",
  broker: `sqlite:${file}`,
  jobs: [ReportJob],
  topics: [activeJobTopic("default")],
  recurring: [
    every({ seconds: 1 }, ReportJob.of("stock"), { id: "stock" }),
    every("* * * * * *", ReportJob.of("sales"), { id: "sales", timeZone: "Europe/Prague", overlap: false }),
  ],
  sessionTimeoutMs: 2000,
  logger: { level: "warn" },
});

for (const { id, schedule } of await app.recurring()) console.log(`${id}: ${schedule}`);
await app.worker().run(stop.signal);
