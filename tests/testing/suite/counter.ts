/**
 * The App of a suite that `../parallel_test.ts` runs as a user would: several files at once, each in its own process
 * thread.
 */
import { activeJobTopic, App, Job } from "@activejob/kafka";

export class CountJob extends Job {
  perform(_number: number) {}
}

export const app = new App({
  name: "counter",
  broker: "kafka://localhost:1",
  jobs: [CountJob],
  topics: [activeJobTopic("default")],
});
