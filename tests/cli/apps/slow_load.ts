/** An App whose module is loaded once a TSTP has arrived. */
import { activeJobTopic, App, Job } from "@activejob/kafka";

class PlainJob extends Job {
  perform() {
    console.log("performed");
  }
}

export const app: App = new App({
  name: "slow",
  broker: "memory:",
  jobs: [PlainJob],
  topics: [activeJobTopic("default")],
  logger: { format: "json" },
});

await PlainJob.performLater();
const { promise: quieted, resolve } = Promise.withResolvers<void>();
Deno.addSignalListener("SIGTSTP", resolve);
const alive = setInterval(() => {}, 1000);
console.log("loading");
await quieted;
clearInterval(alive);
Deno.removeSignalListener("SIGTSTP", resolve);
console.log("quieted");
