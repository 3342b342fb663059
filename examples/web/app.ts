/** The App of the web example: the server enqueues its jobs, the worker performs them. See `server.ts`. */
import { activeJobTopic, App, currentAttributes, Job } from "@activejob/kafka";

/** The user and the id of the request. */
export class Current extends currentAttributes<{ userId: number; requestId: string }>("userId", "requestId") {}

/** Logs the user of the order, which is not an argument: it comes from the current attributes. */
export class OrderJob extends Job {
  static override queue = "orders";

  async perform(article: string) {
    await Promise.resolve();
    this.logger.info(`User ${Current.userId} ordered ${article}`, { requestId: Current.requestId });
  }
}

export const app: App = new App({
  name: "web",
  broker: Deno.env.get("BROKER_URL") ?? "sqlite:jobs.db",
  jobs: [OrderJob],
  topics: [activeJobTopic("orders")],
  currentAttributes: [Current],
});
