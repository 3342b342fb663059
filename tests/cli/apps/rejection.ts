/** A job with an unhandled rejection, and another job after it. */
import { activeJobTopic, App, Job } from "@activejob/kafka";

class CarelessJob extends Job {
  async perform(careless: boolean) {
    if (!careless) return console.log("the next one");
    const { promise: reported, resolve } = Promise.withResolvers<void>();
    app.on("error.occurred", () => resolve());
    void Promise.reject(new Error("left behind"));
    await reported;
    console.log("left one behind");
  }
}

export const app: App = new App({
  name: "careless",
  broker: "memory:",
  jobs: [CarelessJob],
  topics: [activeJobTopic("default")],
  logger: { format: "json" },
});

await CarelessJob.performLater(true);
await CarelessJob.performLater(false);
