/**
 * The first program: a job, and the App that lists it. Start the worker with `deno task worker`, and enqueue from
 * another terminal with `deno task enqueue`. Both import this module, and share only the file `jobs.db`.
 */
import { activeJobTopic, App, currentAttributes, Job, type KafkaOptions } from "@activejob/kafka";

/** The user of the request: set around a request, and carried by each job. */
export class Current extends currentAttributes<{ userId: number }>("userId") {}

/** Greets a user. */
export class WelcomeJob extends Job {
  static override queue = "default"; // queue = topic
  static override kafkaOptions: KafkaOptions = { dispatchMethod: "produceSync" };

  perform(userId: number, note = "") {
    this.logger.info(`Welcome, user ${userId}`, { note, asked: Current.userId });
  }
}

export const app: App = new App({
  name: "shop", // client id and consumer group
  broker: Deno.env.get("BROKER_URL") ?? "sqlite:jobs.db",
  jobs: [WelcomeJob],
  topics: [
    activeJobTopic("default", { deadLetterQueue: { topic: "dead_jobs", maxRetries: 2, independent: true } }),
  ],
  currentAttributes: [Current],
});
