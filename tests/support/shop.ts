/** The App of these tests. Nobody listens at its broker: a test that reached it would hang or fail. */
import { activeJobTopic, App, currentAttributes, Job, type KafkaOptions } from "@activejob/kafka";

/** What jobs have said, in order. Whoever looks takes it away. */
export const said: unknown[] = [];

export class Current extends currentAttributes<{ userId: number }>("userId") {}

export class MailJob extends Job {
  static override queue = "mail";
  perform(to: string, options: { copies?: number; tags?: string[] } = {}) {
    said.push(["mail", Current.userId, to, options]);
  }
}

/** Fails so many times, then passes. */
export class FailingJob extends Job {
  static override queue = "mail";
  perform(failures: number) {
    if (this.attempt <= failures) throw new RangeError(`failed at attempt ${this.attempt}`);
    said.push(`passed at attempt ${this.attempt}`);
  }
}

export class ChainJob extends Job {
  static override kafkaOptions: KafkaOptions = { dispatchMethod: "produceSync" };
  async perform(left: number) {
    said.push(left);
    if (left > 0) await ChainJob.performLater(left - 1);
  }
}

/** "default" has no dead letter queue, "mail" has one. Both have a prefix. */
export const app = new App({
  name: "shop",
  broker: "kafka://localhost:1",
  jobs: [MailJob, FailingJob, ChainJob],
  topics: [
    activeJobTopic("default"),
    activeJobTopic("mail", { deadLetterQueue: { topic: "dead_mail", maxRetries: 2 } }),
  ],
  queuePrefix: "live",
  currentAttributes: [Current],
});
