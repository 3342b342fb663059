/** A job that does not end, and a short limit for a stop. */
import { activeJobTopic, App, Job } from "@activejob/kafka";

class LingerJob extends Job {
  async perform() {
    console.log("begun");
    await new Promise(() => {});
  }
}

export const app: App = new App({
  name: "lingering",
  broker: "memory:",
  jobs: [LingerJob],
  topics: [activeJobTopic("default")],
  shutdownTimeoutMs: 100,
});

await LingerJob.performLater();
