/** A script that enqueues without waiting and ends. At its end it prints the number of acknowledged jobs. */
import { activeJobTopic, App, Job } from "@activejob/kafka";
import { readSettings } from "./settings.ts";

const settings = readSettings();

class PlainJob extends Job {
  perform(_n: number) {}
}

const app = new App({
  name: settings.name,
  broker: settings.broker === "memory" ? "memory:" : settings.broker,
  queuePrefix: settings.name,
  jobs: [PlainJob],
  topics: [activeJobTopic("default")],
});

let acknowledged = 0;
app.on("job.enqueued", () => acknowledged++);
globalThis.addEventListener("unload", () => console.log(`acknowledged ${acknowledged}`));

for (let n = 0; n < 1000; n++) void PlainJob.performLater(n);
console.log(`ended with ${app.pending} pending`);
