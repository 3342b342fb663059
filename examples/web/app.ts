/** The App of the web example: what the server enqueues and the worker performs. See `server.ts`. */
import { activeJobTopic, App, currentAttributes, Job } from "@activejob/kafka";

/** Who asks, and in which request. */
export class Current extends currentAttributes<{ userId: number; requestId: string }>("userId", "requestId") {}

/** Notes who has ordered what: it is never told who, it knows. */
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
