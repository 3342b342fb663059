/** An App whose jobs fail until the environment says that they are fixed. */
import { activeJobTopic, App, Job } from "@activejob/kafka";

export class MailJob extends Job {
  perform(to: string, _secret: string) {
    if (Deno.env.get("IS_FIXED") === undefined) throw new TypeError(`no ${to}`);
    console.log(`mail to ${to} at attempt ${this.attempt}`);
  }
}

const name = Deno.env.get("DEAD_NAME") ?? "dead";

export const app: App = new App({
  name,
  queuePrefix: name,
  broker: Deno.env.get("DEAD_BROKER") ?? "memory:",
  jobs: [MailJob],
  topics: [activeJobTopic("default", { partitions: 1, deadLetterQueue: { topic: "dead_jobs", maxRetries: 0 } })],
});
