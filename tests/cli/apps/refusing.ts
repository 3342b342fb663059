/** An App whose topic takes small jobs only. */
import { activeJobTopic, App, Job } from "@activejob/kafka";

class LargeJob extends Job {
  perform(_text: string) {}
}

export const app: App = new App({
  name: "refusing",
  broker: "memory:",
  jobs: [LargeJob],
  topics: [activeJobTopic("default", { config: { "max.message.bytes": "100000" } })],
});
