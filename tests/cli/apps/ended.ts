/** A job that ends before a promise of it is rejected. */
import { activeJobTopic, App, Job } from "@activejob/kafka";

class HastyJob extends Job {
  perform() {
    void Promise.reject(new Error("left behind"));
  }
}

export const app: App = new App({
  name: "hasty",
  broker: "memory:",
  jobs: [HastyJob],
  topics: [activeJobTopic("default")],
  logger: { format: "json" },
});

await HastyJob.performLater();
