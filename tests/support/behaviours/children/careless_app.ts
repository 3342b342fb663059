/**
 * The App of a child process whose jobs end the process, or leave a rejected promise behind. `CARELESS` says where, and
 * whether `ExitJob` ends the process; on a memory log the jobs are enqueued here.
 */
import { activeJobTopic, App, Job } from "@activejob/kafka";
import { memory } from "../../../../src/broker/memory/mod.ts";
import { readBrokerSource } from "../../../../src/broker/source.ts";

/** The settings of the test. */
export interface CarelessSettings {
  readonly broker: string;
  readonly name: string;
  readonly exits: boolean;
}

const settings = JSON.parse(Deno.env.get("CARELESS")!) as CarelessSettings;

class ExitJob extends Job {
  perform(n: number) {
    console.log(`performing ${n}`);
    if (settings.exits && n === 1) Deno.exit(7);
  }
}

class LeaveJob extends Job {
  async perform(n: number) {
    if (n === 1) {
      const reported = new Promise<void>((resolve) => void app.on("error.occurred", () => resolve()));
      void Promise.reject(new Error("left behind"));
      await reported;
    }
    console.log(`performing ${n}`);
  }
}

export const app: App = new App({
  name: settings.name,
  broker: settings.broker === "memory" ? memory() : readBrokerSource(settings.broker),
  queuePrefix: settings.name,
  jobs: [ExitJob, LeaveJob],
  topics: [activeJobTopic("default", { partitions: 1 })],
  commitIntervalMs: 20,
  sessionTimeoutMs: 2000,
  logger: { level: "debug", format: "json" },
});

if (settings.broker === "memory") {
  for (let n = 0; n < 3; n++) await LeaveJob.performLater(n);
}
