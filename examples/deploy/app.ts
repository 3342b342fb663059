/** The App that the image of this folder runs: its worker, its dashboard, and its topics come from here. */
import { activeJobTopic, App, Job } from "@activejob/kafka";

/** Greets a user. */
export class WelcomeJob extends Job {
  perform(userId: number) {
    this.logger.info(`Welcome, user ${userId}`);
  }
}

export const app: App = new App({
  name: "shop",
  broker: Deno.env.get("BROKER_URL") ?? "kafka://localhost:9092",
  jobs: [WelcomeJob],
  topics: [activeJobTopic("default", { partitions: 6, deadLetterQueue: { topic: "dead_jobs", maxRetries: 3 } })],
});
