/** An App whose topic another project consumes. */
import { activeJobTopic, App } from "@activejob/kafka";
import { MemoryLog } from "../../../src/broker/memory/log.ts";
import { memoryOver } from "../../../src/broker/memory/mod.ts";

const log = new MemoryLog();
const broker = memoryOver(log);
const topics = [activeJobTopic("default"), activeJobTopic("own", { group: "reports" })];

export const app: App = new App({ name: "shop", broker, jobs: [], topics });

for (const [name, topic] of [["stock", "default"], ["shop", "default"], ["reports", "own"]] as const) {
  const other = new App({ name, broker, jobs: [], topics: [activeJobTopic(topic)] });
  await other.applyTopics();
  await log.commitAs(name, { topic, partition: 0, offset: 0 }, "");
  await other.close();
}
