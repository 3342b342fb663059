/** The App of the tests of the command line in other runtimes. */
import { activeJobTopic, App, Job } from "@activejob/kafka";
import process from "node:process";

export class HelloJob extends Job {
  perform(name: string): void {
    console.log(`Hello, ${name}`);
  }
}

/** An error that no job catches ends the process. */
export class CrashJob extends Job {
  static override queue = "crash";

  async perform(): Promise<void> {
    setTimeout(() => {
      throw new Error("thrown in a timer");
    });
    await new Promise((resolve) => setTimeout(resolve, 600_000));
  }
}

export const app: App = new App({
  name: "other-runtimes",
  broker: process.env.BROKER_URL!,
  jobs: [HelloJob, CrashJob],
  topics: [activeJobTopic("default"), activeJobTopic("crash")],
});
