/** A job in whose timer an error is thrown. */
import { activeJobTopic, App, Job } from "@activejob/kafka";

class CrashJob extends Job {
  async perform() {
    setTimeout(() => {
      throw new Error("thrown in a timer");
    }, 0);
    await new Promise(() => {});
  }
}

export const app: App = new App({
  name: "crash",
  broker: "memory:",
  jobs: [CrashJob],
  topics: [activeJobTopic("default")],
});

await CrashJob.performLater();
