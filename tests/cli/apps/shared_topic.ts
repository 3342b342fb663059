/** An App whose topic another project consumes. */
import { activeJobTopic, App } from "@activejob/kafka";
import { FaultInjectionLog } from "../../support/fault_injection_log.ts";

const log = new FaultInjectionLog();
const broker = log.source;
const topics = [activeJobTopic("default"), activeJobTopic("own", { group: "reports" })];

export const app: App = new App({ name: "shop", broker, jobs: [], topics });

for (const [name, topic] of [["stock", "default"], ["shop", "default"], ["reports", "own"]] as const) {
  const other = new App({ name, broker, jobs: [], topics: [activeJobTopic(topic)] });
  await other.applyTopics();
  log.group(name).setCommitted({ topic, partition: 0, offset: 0 }, "");
  await other.close();
}
