/** An App on the memory broker that enqueues three jobs of its own when it is loaded. */
import { activeJobTopic, App, Job } from "@activejob/kafka";

class HelloJob extends Job {
  perform(n: number) {
    console.log(`hello ${n}`);
  }
}

class OtherJob extends Job {
  static override queue = "other";
  perform() {
    console.log("other");
  }
}

export const app = new App({
  name: "hello",
  broker: "memory:",
  jobs: [HelloJob, OtherJob],
  topics: [activeJobTopic("default"), activeJobTopic("other", { partitions: 2 })],
});

for (const n of [1, 2, 3]) await HelloJob.performLater(n);
await OtherJob.performLater();
await app.flush();

// A timer of the App must not keep the process of a command alive.
setInterval(() => {}, 1000);
