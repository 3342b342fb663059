/** An App whose broker goes offline while two jobs are buffered. */
import { activeJobTopic, App, Job } from "@activejob/kafka";
import { FaultInjectionLog } from "../../support/fault_injection_log.ts";

class LostJob extends Job {
  perform() {}
}

const log = new FaultInjectionLog();

export const app: App = new App({
  name: "undelivered",
  broker: log.source,
  jobs: [LostJob],
  topics: [activeJobTopic("default")],
  shutdownTimeoutMs: 100,
});

await app.applyTopics();
log.goOffline();
await LostJob.performLater();
await LostJob.performLater();
console.log("buffered");
