/** An App whose Kafka cannot be reached. */
import { activeJobTopic, App, Job } from "@activejob/kafka";

class PingJob extends Job {
  perform() {}
}

export const app: App = new App({
  name: "unreachable",
  broker: "kafka://127.0.0.1:1",
  jobs: [PingJob],
  topics: [activeJobTopic("default")],
});
