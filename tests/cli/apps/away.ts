/** An App whose broker does not respond. */
import { activeJobTopic, App, Job, type KafkaOptions } from "@activejob/kafka";
import { FaultInjectionLog } from "../../support/fault_injection_log.ts";

class SyncJob extends Job {
  static override kafkaOptions: KafkaOptions = { dispatchMethod: "produceSync" };
  perform() {}
}

const log = new FaultInjectionLog();
log.goOffline();

export const app: App = new App({
  name: "away",
  broker: log.source,
  jobs: [SyncJob],
  topics: [activeJobTopic("default")],
});
