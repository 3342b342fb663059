/**
 * An App whose log and jobs do as standard input says: `away` and `back`; `stubborn` enqueues a job that ignores its signal
 * until `free`; `long` one that may take as long; `block FILE` one that holds the event loop until the file is there.
 */
import { activeJobTopic, App, Job } from "@activejob/kafka";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import process from "node:process";
import { MemoryLog } from "../../../src/broker/memory/log.ts";
import { memoryOver } from "../../../src/broker/memory/mod.ts";

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

const log = new MemoryLog();
if (process.env.AWAY !== undefined) log.goOffline();

export const app: App = new App({
  name: "health",
  broker: memoryOver(log),
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
