/**
 * An App that standard input controls: `away` and `back` for its log; `stubborn` enqueues a job that ignores its signal
 * until `free`; `long` one that does the same within its time limit; `block FILE` one that blocks the event loop until
 * the file exists.
 */
import { activeJobTopic, App, Job } from "@activejob/kafka";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import process from "node:process";
import { FaultInjectionLog } from "../../support/fault_injection_log.ts";

const freed = Promise.withResolvers<void>();

class LongJob extends Job {
  async perform() {
    console.log("performing");
    await freed.promise;
  }
}

class StubbornJob extends LongJob {
  static override timeoutMs = 20;
}

class BlockingJob extends Job {
  perform(file: string) {
    console.log("blocking");
    const nothing = new Int32Array(new SharedArrayBuffer(4));
    while (!existsSync(file)) Atomics.wait(nothing, 0, 0, 5);
  }
}

const log = new FaultInjectionLog();
if (process.env.AWAY !== undefined) log.goOffline();

export const app: App = new App({
  name: "health",
  broker: log.source,
  jobs: [LongJob, StubbornJob, BlockingJob],
  topics: [activeJobTopic("default", { timeoutGraceMs: 30 })],
  sessionTimeoutMs: 50,
});

createInterface({ input: process.stdin }).on("line", (line) => {
  const [command, word = ""] = line.split(" ");
  if (command === "away") log.goOffline();
  else if (command === "back") log.goOnline();
  else if (command === "free") freed.resolve();
  else if (command === "long") void LongJob.performLater();
  else if (command === "stubborn") void StubbornJob.performLater();
  else void BlockingJob.performLater(word);
});
