/** An App whose broker does not answer. */
import { activeJobTopic, App, Job, type KafkaOptions } from "@activejob/kafka";
import { MemoryLog } from "../../../src/broker/memory/log.ts";
import { memoryOver } from "../../../src/broker/memory/mod.ts";

class SyncJob extends Job {
  static override kafkaOptions: KafkaOptions = { dispatchMethod: "produceSync" };
  perform() {}
}

const log = new MemoryLog();
log.goOffline();

export const app: App = new App({
  name: "away",
  broker: memoryOver(log),
  jobs: [SyncJob],
  topics: [activeJobTopic("default")],
});
