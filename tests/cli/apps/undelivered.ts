/** An App whose broker goes away, with two jobs in its buffer. */
import { activeJobTopic, App, Job } from "@activejob/kafka";
import { MemoryLog } from "../../../src/broker/memory/log.ts";
import { memoryOver } from "../../../src/broker/memory/mod.ts";

class LostJob extends Job {
  perform() {}
}

const log = new MemoryLog();

export const app: App = new App({
  name: "undelivered",
  broker: memoryOver(log),
  jobs: [LostJob],
  topics: [activeJobTopic("default")],
  shutdownTimeoutMs: 100,
});

await app.applyTopics();
log.goOffline();
await LostJob.performLater();
await LostJob.performLater();
console.log("buffered");
