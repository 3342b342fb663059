/**
 * Options of job classes are inherited one by one: each class states what it wants otherwise, and nothing twice.
 * `deno run examples/inheritance.ts`
 */
import { Job, type KafkaOptions, kafkaOptionsOf } from "@activejob/kafka";

/** What holds for all jobs of this application: whoever enqueues one waits until it is safe in the log. */
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

/** Lots of small ones: nobody waits for the broker. */
class CountViewJob extends ApplicationJob {
  static override kafkaOptions: KafkaOptions = { dispatchMethod: "produceAsync" };
  perform(_page: string) {}
}

console.log("ShipOrderJob:", JSON.stringify(kafkaOptionsOf(ShipOrderJob)), "and a key");
console.log("CountViewJob:", JSON.stringify(kafkaOptionsOf(CountViewJob)));
