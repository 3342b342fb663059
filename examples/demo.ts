/**
 * The essentials in a few seconds and without a Kafka: jobs are enqueued and performed. One fails once and passes at
 * its retry; one always fails and ends in the dead letter topic. `deno task demo`
 */
import { activeJobTopic, App, Job } from "@activejob/kafka";

class WelcomeJob extends Job {
  async perform(userId: number) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    this.logger.info(`Welcome, user ${userId}`);
  }
}

class FlakyJob extends Job {
  perform() {
    if (this.attempt === 1) throw new Error("The mail server is busy");
    this.logger.info(`Passed at attempt ${this.attempt}`);
  }
}

class BrokenJob extends Job {
  perform() {
    throw new Error("This will never work");
  }
}

const app = new App({
  name: "demo",
  broker: "memory:", // lives in this process; "kafka://localhost:9092" is a real one
  jobs: [WelcomeJob, FlakyJob, BrokenJob],
  topics: [activeJobTopic("default", { deadLetterQueue: { topic: "dead_jobs", maxRetries: 2 } })],
  backoff: { initialMs: 200, maxMs: 1000 },
  logger: { format: "pretty", write: (text) => Deno.stdout.writeSync(new TextEncoder().encode(text)) },
});

let deadLetters = 0;
app.on("record.dead_lettered", () => deadLetters++);
let performed = 0;
app.on("job.performed", () => performed++);

console.log("Enqueue four jobs: their topic is a log with one partition, so they run in this order");
await WelcomeJob.performLater(1);
await FlakyJob.performLater();
await BrokenJob.performLater();
await WelcomeJob.performLater(2);

console.log("Perform the jobs");
await app.worker().run(undefined, { once: true });
await app.close();

console.log(`${performed} jobs were performed, ${deadLetters} is in the dead letter topic`);
