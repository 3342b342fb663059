/**
 * A program that performs as many jobs as its second argument says, each with a line on standard error, and ends in the way
 * that its first argument names. `worker` is a worker without the command line: it performs as many jobs as standard input
 * asks for, and prints their total, until `close`.
 */
import { activeJobTopic, App, Job } from "@activejob/kafka";
import { createInterface } from "node:readline";
import process from "node:process";

let performed = 0;

class ChatJob extends Job {
  perform(text: string) {
    this.logger.info(text);
    performed++;
  }
}

const app = new App({
  name: "shop",
  broker: "memory:",
  jobs: [ChatJob],
  topics: [activeJobTopic("default")],
  logger: { format: "json" },
});

const [way, jobs] = Deno.args;

async function performJobs() {
  for (let n = 0; n < Number(jobs); n++) await ChatJob.performLater(`line ${n}`);
  await app.worker().run(undefined, { once: true });
}

/** An event of the caller's own, whose line is gathered, but not written yet. */
function logLast() {
  app.reportError("test", new Error("last words"));
}

if (way === "worker") {
  const run = app.worker().run();
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === "close") break;
    const wanted = performed + Number(line);
    for (let n = 0; n < Number(line); n++) await ChatJob.performLater("x".repeat(1000));
    while (performed < wanted) await new Promise((resolve) => setTimeout(resolve, 1));
    console.log(`performed ${performed}`);
  }
  await app.close();
  await run;
  Deno.exit(0);
}
await performJobs();
logLast();
if (way === "close") await app.close();
if (way === "exit") Deno.exit(3);
if (way === "exit later") setTimeout(() => Deno.exit(3), 1);
if (way === "throw") throw new Error("crash");
if (way === "throw later") {
  setTimeout(() => {
    throw new Error("crash");
  }, 1);
}
if (way === "reject") void Promise.reject(new Error("crash"));
