/**
 * Keys side by side: the jobs of one customer run one by one, those of different customers at once, in one partition.
 * `deno run examples/keys.ts`
 */
import { activeJobTopic, App, Job, type KafkaOptions } from "@activejob/kafka";

let running = 0;
let mostAtOnce = 0;

/** Each step of an order takes a tenth of a second. */
class StepJob extends Job {
  static override kafkaOptions: KafkaOptions<StepJob> = { key: (job) => job.args[0] };
  async perform(customer: string, step: string) {
    mostAtOnce = Math.max(mostAtOnce, ++running);
    await new Promise((resolve) => setTimeout(resolve, 100));
    running--;
    console.log(`${customer}: ${step}`);
  }
}

/** A card that is refused at first: only the jobs of its customer wait for the next attempt. */
class PayJob extends Job {
  static override kafkaOptions: KafkaOptions<PayJob> = { key: (job) => job.args[0] };
  perform(customer: string) {
    if (customer === "Ada" && this.attempt === 1) throw new Error("The card is refused");
    console.log(`${customer}: paid at attempt ${this.attempt}`);
  }
}

await using app = new App({
  name: "keys",
  broker: "memory:",
  jobs: [StepJob, PayJob],
  topics: [activeJobTopic("default", { ordering: "key", backoff: { initialMs: 500 } })],
  logger: false,
});

const customers = ["Ada", "Ben", "Cleo"];
for (const customer of customers) {
  await StepJob.performLater(customer, "order");
  await PayJob.performLater(customer);
  await StepJob.performLater(customer, "ship");
}
await app.worker().run(undefined, { once: true });
console.log(`${customers.length * 3} jobs in one partition, up to ${mostAtOnce} at once`);
