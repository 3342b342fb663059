/** The App of the tests of the test kit. No broker listens at its address: a test that connected to it would fail. */
import { activeJobTopic, App, currentAttributes, Job, type KafkaOptions } from "@activejob/kafka";

/** An entry of each performed job, in order, until a test takes them. */
export const performed: unknown[] = [];

export class Current extends currentAttributes<{ userId: number }>("userId") {}

export class MailJob extends Job {
  static override queue = "mail";
  perform(to: string, options: { copies?: number; tags?: string[] } = {}) {
    performed.push(["mail", Current.userId, to, options]);
  }
}

/** Fails a number of times, then succeeds. */
export class FailingJob extends Job {
  static override queue = "mail";
  perform(failures: number) {
    if (this.attempt <= failures) throw new RangeError(`failed at attempt ${this.attempt}`);
    performed.push(`passed at attempt ${this.attempt}`);
  }
}

export class ChainJob extends Job {
  static override kafkaOptions: KafkaOptions = { dispatchMethod: "produceSync" };
  async perform(left: number) {
    performed.push(left);
    if (left > 0) await ChainJob.performLater(left - 1);
  }
}

/** Its topic "default" has no dead letter queue, "mail" has one. Both have a prefix. */
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
