/**
 * Job classes inherit their options one by one: a class states only the options that it changes.
 * `deno run examples/inheritance.ts`
 */
import { Job, type KafkaOptions, kafkaOptionsOf } from "@activejob/kafka";

/** The options of all jobs of this application: `performLater` returns once the job is acknowledged. */
abstract class ApplicationJob extends Job {
  static override kafkaOptions: KafkaOptions = {
    dispatchMethod: "produceSync",
    dispatchManyMethod: "produceManySync",
  };
}

/** Jobs of one order go to one partition, and are performed in the order in which they were enqueued. */
class ShipOrderJob extends ApplicationJob {
  static override queue = "orders";
  static override kafkaOptions: KafkaOptions<ShipOrderJob> = { key: (job) => job.args[0].id };
  perform(order: { id: string }) {
    this.logger.info(`Shipped ${order.id}`);
  }
}

/** Many small jobs: the caller does not wait for the broker. */
class CountViewJob extends ApplicationJob {
  static override kafkaOptions: KafkaOptions = { dispatchMethod: "produceAsync" };
  perform(_page: string) {}
}

console.log("ShipOrderJob:", JSON.stringify(kafkaOptionsOf(ShipOrderJob)), "and a key");
console.log("CountViewJob:", JSON.stringify(kafkaOptionsOf(CountViewJob)));
