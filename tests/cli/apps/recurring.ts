/** An App on the memory broker with a recurring job. */
import { activeJobTopic, App, Job } from "@activejob/kafka";
import { every } from "@activejob/kafka/recurring";

class NightlyJob extends Job {
  perform() {}
}

export const app = new App({
  name: "recurring",
  broker: "memory:",
  jobs: [NightlyJob],
  topics: [activeJobTopic("default")],
  recurring: [every("0 3 * * *", NightlyJob.of(), { id: "nightly", timeZone: "Europe/Prague" })],
  logger: false,
});
